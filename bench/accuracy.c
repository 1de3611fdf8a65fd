/* How exact are sig and its backward? Their errors against the reference recursion in long double
 * (of float, in double), beside the errors of that recursion in the dtype itself.
 *
 *     accuracy [--quick | --check | --search COUNT[,SEED] | LENGTH,LETTERS,DEGREE...]
 *
 * of the shapes below, of the smallest of them (--quick once, to show that everything works;
 * --check in earnest: exit status 1 if an error is more than four times the recursion's), of random
 * ones by kernel 0 alone, or of 16 walks of each length, letters and degree. One line for each
 * shape, direction, dtype and kernel (sigad_sig_spec.kernel), in columns between tabs. The error of
 * a batch is the largest difference at a level of any of its paths, divided by that path's largest
 * entry of the level; backward the gradient is the one level. `error` and `reference` are medians
 * over batches, level by level.
 *
 * `quotient` is a batch's error over the recursion's: its median over batches, at the level where
 * that is largest; the largest of any batch and level; and the share of batches that exceed 4 at
 * any level. As each is a quotient of two largest rounding errors, it scatters, whatever is
 * measured. So `mirrored` has the same three numbers of the recursion itself, applied to increments
 * in the other order and words read backwards: an identity that adds the same terms up the other
 * way round. An error is four times the recursion's where the median is 4; single batches exceed it
 * before, as often as `mirrored` exceeds what is left of 4. */
#include "accuracy.h"
#include "cases.h"
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_DRAWS = 5, MOST_DRAWS = 20 };

/* path, batch, length, dimension, degree, lead-lag, time, mixed, cotangent, f32 */
static const shape shapes[] = {
    {WALK, 16, 20, 2, 4, 0, 0, 0, 0, 0},      {WALK, 16, 20, 3, 4, 0, 0, 0, 0, 0},
    {WALK, 16, 20, 5, 5, 0, 0, 0, 0, 0},      {WALK, 16, 20, 8, 4, 0, 0, 0, 0, 0},
    {WALK, 16, 50, 8, 5, 0, 0, 0, 0, 0},      {WALK, 16, 60, 3, 4, 0, 0, 0, 0, 0},
    {WALK, 16, 60, 5, 5, 0, 0, 0, 0, 0},      {WALK, 16, 60, 16, 3, 0, 0, 0, 0, 0},
    {WALK, 16, 100, 3, 4, 0, 0, 0, 0, 0},     {WALK, 16, 100, 3, 6, 0, 0, 0, 0, 0},
    {WALK, 16, 100, 5, 5, 0, 0, 0, 0, 0},     {WALK, 16, 100, 5, 6, 0, 0, 0, 0, 0},
    {WALK, 16, 140, 8, 4, 0, 0, 0, 0, 0},     {WALK, 16, 200, 2, 4, 0, 0, 0, 0, 0},
    {WALK, 16, 200, 2, 8, 0, 0, 0, 0, 0},     {WALK, 16, 200, 2, 10, 0, 0, 0, 0, 0},
    {WALK, 16, 200, 3, 6, 0, 0, 0, 0, 0},     {WALK, 16, 200, 5, 5, 0, 0, 0, 0, 0},
    {WALK, 16, 200, 16, 3, 0, 0, 0, 0, 0},    {WALK, 16, 400, 4, 6, 0, 0, 0, 0, 0},
    {WALK, 16, 600, 3, 6, 0, 0, 0, 0, 0},     {WALK, 16, 2000, 2, 4, 0, 0, 0, 0, 0},
    {WALK, 16, 2000, 2, 8, 0, 0, 0, 0, 0},    {WALK, 16, 2000, 2, 10, 0, 0, 0, 0, 0},
    {WALK, 16, 2000, 3, 4, 0, 0, 0, 0, 0},    {WALK, 16, 2000, 3, 6, 0, 0, 0, 0, 0},
    {WALK, 16, 2000, 5, 5, 0, 0, 0, 0, 0},    {WALK, 16, 2000, 8, 4, 0, 0, 0, 0, 0},
    {WALK, 16, 2000, 16, 3, 0, 0, 0, 0, 0},   {WALK, 1, 100, 5, 5, 0, 0, 0, 0, 0},
    {WALK, 1, 2000, 3, 4, 0, 0, 0, 0, 0},     {WALK, 1, 2000, 3, 6, 0, 0, 0, 0, 0},
    {WALK, 1, 2000, 16, 3, 0, 0, 0, 0, 0},    {WALK, 16, 100, 3, 5, 0, 0, 1, 0, 0},
    {WALK, 16, 100, 3, 6, 0, 0, 1, 0, 0},     {WALK, 16, 100, 3, 4, 0, 0, 1, 0, 0},
    {WALK, 16, 100, 3, 4, 1, 0, 0, 0, 0},     {WALK, 16, 100, 2, 5, 1, 1, 0, 0, 0},
    {WALK, 16, 100, 3, 5, 0, 1, 0, 0, 0},     {AWAY, 16, 100, 3, 5, 0, 0, 0, 0, 0},
    {WALK, 16, 8, 5, 6, 0, 0, 0, 0, 0},       {WALK, 16, 12, 3, 8, 0, 0, 0, 0, 0},
    {WALK, 16, 8, 3, 7, 0, 0, 0, 7, 0},       {WALK, 16, 12, 2, 8, 0, 0, 0, 8, 0},
    {WALK, 16, 20, 3, 6, 0, 0, 0, 6, 0},      {WALK, 16, 100, 3, 5, 0, 0, 0, 5, 0},
    {DRIFT, 16, 20, 3, 4, 0, 0, 0, 0, 0},     {DRIFT, 16, 60, 3, 5, 0, 0, 0, 0, 0},
    {DRIFT, 16, 60, 5, 5, 0, 0, 0, 0, 0},     {DRIFT, 16, 100, 3, 4, 0, 0, 0, 0, 0},
    {DRIFT, 16, 100, 5, 5, 0, 0, 0, 0, 0},    {DRIFT, 16, 100, 3, 6, 0, 0, 0, 0, 0},
    {DRIFT, 16, 30, 3, 4, 0, 0, 0, 0, 0},     {STRAIGHT, 16, 20, 3, 4, 0, 0, 0, 0, 0},
    {STRAIGHT, 16, 40, 2, 7, 0, 0, 0, 0, 0},  {STRAIGHT, 16, 100, 3, 5, 0, 0, 0, 0, 0},
    {SMOOTH, 16, 200, 3, 5, 0, 0, 0, 0, 0},   {SMOOTH, 16, 10000, 3, 5, 0, 0, 0, 0, 0},
    {SMOOTH, 1, 100000, 3, 5, 0, 0, 0, 0, 0},
};

/* Multiply-adds of the recursion. */
static double work_of(const shape *s)
{
    int letters = (s->lead_lag ? 2 : 1) * s->dimension + s->time_aug;
    double steps = (s->lead_lag ? 2.0 : 1.0) * (double)(s->length - 1), size = letters;
    double step = size * (s->degree - 1);
    for (int i = 2; i <= s->degree; i++) step += (s->degree - i + 1) * (size *= letters);
    return step * steps * (double)s->batch;
}

/* Errors of one batch tell little, so that as many are drawn as time allows; of the two longest
 * shapes one, as they are for what accumulates. */
static int draws_of(const shape *s)
{
    if (s->length > 2000) return 1;
    double draws = 4e7 / work_of(s);
    return draws < LEAST_DRAWS ? LEAST_DRAWS : draws > MOST_DRAWS ? MOST_DRAWS : (int)draws;
}

/* ---- statistics --------------------------------------------------------------------------------
 */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static double median(double *of, int64_t count)
{
    qsort(of, (size_t)count, sizeof *of, ascending);
    return count % 2 ? of[count / 2] : (of[count / 2 - 1] + of[count / 2]) / 2;
}

static double error_of_batch(const shape *s, const errors *e, int source, int64_t batch, int column)
{
    double worst = 0;
    for (int64_t i = batch * s->batch; i < (batch + 1) * s->batch; i++)
        worst = fmax(worst, e->of[source][i][column]);
    return worst;
}

static double median_error(const shape *s, const errors *e, int source, int column)
{
    double all[MOST_DRAWS];
    int64_t batches = e->paths / s->batch;
    for (int64_t i = 0; i < batches; i++) all[i] = error_of_batch(s, e, source, i, column);
    return median(all, batches);
}

typedef struct {
    double median, largest, share;
} statistics;

/* Half a unit in the last place is no error of the recursion. */
static statistics quotients(const shape *s, const errors *e, int source, int first, int last)
{
    const double least = s->f32 ? 0x1p-24 : 0x1p-53;
    int64_t batches = e->paths / s->batch;
    double all[MOST_DRAWS], worst[MOST_DRAWS] = {0};
    statistics found = {0};
    for (int k = first; k <= last; k++) {
        for (int64_t i = 0; i < batches; i++) {
            double other = fmax(error_of_batch(s, e, RECURSION, i, k), least);
            all[i] = error_of_batch(s, e, source, i, k) / other;
            worst[i] = fmax(worst[i], all[i]);
        }
        found.median = fmax(found.median, median(all, batches));
    }
    for (int64_t i = 0; i < batches; i++) {
        found.largest = fmax(found.largest, worst[i]);
        found.share += (double)(worst[i] > 4) / (double)batches;
    }
    return found;
}

/* ---- printing ----------------------------------------------------------------------------------
 */

static void print_errors(const shape *s, const errors *e, int source, int first, int last)
{
    for (int k = first; k <= last; k++)
        printf("%s%.2e", k == first ? "\t" : ",", median_error(s, e, source, k));
}

static double print_quotients(const shape *s, const errors *e, int source, int first, int last)
{
    statistics q = quotients(s, e, source, first, last);
    printf("\t%.2f,%.2f,%.3f", q.median, q.largest, q.share);
    return q.median;
}

/* The median quotient. */
static double print_case(const shape *s, const errors *e, int kernel, int backward)
{
    int first = backward ? 0 : 1, last = backward ? 0 : s->degree;
    printf("%s\t%s\t%s\t%d\t%lld\t%lld\t%d\t%d\t%d\t%d\t%d\t%d\t%lld", path_name[s->path],
           backward ? "backward" : "forward", s->f32 ? "f32" : "f64", kernel, (long long)s->batch,
           (long long)s->length, s->dimension, s->degree, s->lead_lag, s->time_aug, s->mixed,
           s->cotangent, (long long)(e->paths / s->batch));
    print_errors(s, e, kernel, first, last);
    print_errors(s, e, RECURSION, first, last);
    double found = print_quotients(s, e, kernel, first, last);
    print_quotients(s, e, MIRRORED, first, last);
    printf("\n");
    return found;
}

static void print_head(void)
{
    printf("# instructions %s\n", sigad_instruction_set());
    printf(
        "path\tdirection\tdtype\tkernel\tbatch\tlength\tdimension\tdegree\tlead-lag\ttime\tmixed\t"
        "cotangent\tdraws\terror\treference\tquotient\tmirrored\n");
}

/* By kernels up to `last`. The largest median quotient of kernel 0, or less than 0: it failed. */
static double check(const shape *s, int draws, int last, uint64_t seed)
{
    errors e;
    double worst = 0;
    int failed = measure_errors(s, draws, last, seed, &e);
    for (int kernel = 0; kernel <= last && !failed; kernel++)
        for (int backward = 0; backward < 2; backward++) {
            double found = print_case(s, &e, kernel, backward);
            if (kernel == AUTO) worst = fmax(worst, found);
        }
    free_errors(&e);
    fflush(stdout);
    if (failed) fprintf(stderr, "a case failed\n");
    return failed ? -1 : worst;
}

static double check_both(shape s, int draws, int last)
{
    s.f32 = 0;
    double f64 = check(&s, draws, last, 1);
    s.f32 = 1;
    double f32 = f64 < 0 ? -1 : check(&s, draws, last, 1);
    return f32 < 0 ? -1 : fmax(f64, f32);
}

/* ---- search ------------------------------------------------------------------------------------
 */

static int random_below(int bound, uint64_t *state)
{
    int found = (int)((0.5 + 0.5 * bench_uniform(state)) * bound);
    return found < bound ? found : bound - 1;
}

/* What takes little time; in float more does. */
static shape random_shape(uint64_t *state)
{
    static const int batches[] = {1, 3, 9, 16, 16, 16};
    for (;;) {
        shape s = {.path = random_below(PATHS, state), .f32 = random_below(2, state)};
        s.batch = batches[random_below(6, state)];
        s.length = (int64_t)(2 * pow(1000.5, 0.5 + 0.5 * bench_uniform(state)));
        s.dimension = 1 + random_below(12, state);
        s.degree = 1 + random_below(10, state);
        s.lead_lag = random_below(5, state) == 0;
        s.time_aug = random_below(5, state) == 0;
        s.mixed = random_below(5, state) == 0;
        s.cotangent = random_below(3, state) ? 0 : 1 + random_below(s.degree, state);
        if (work_of(&s) < (s.f32 ? 4e6 : 4e5)) return s;
    }
}

static int search(int count, uint64_t seed)
{
    int failed = 0;
    for (int i = 0; i < count && !failed; i++) {
        shape s = random_shape(&seed);
        failed = check(&s, s.batch == 1 ? MOST_DRAWS : LEAST_DRAWS, AUTO, seed) < 0;
    }
    return failed;
}

/* ------------------------------------------------------------------------------------------------
 */

/* 1 if it is no shape. */
static int read_shape(const char *text, shape *s)
{
    char rest;
    int length, found;
    *s = (shape){.batch = 16};
    found = sscanf(text, "%d,%d,%d%c", &length, &s->dimension, &s->degree, &rest);
    s->length = length;
    return found != 3 || length < 2 || s->dimension < 1 || s->degree < 1 ||
           s->degree > RECURSION_DEGREE;
}

static int check_given(int count, char **given)
{
    int failed = 0;
    shape s;
    for (int i = 0; i < count && !failed; i++)
        failed = read_shape(given[i], &s) || check_both(s, MOST_DRAWS, CORE) < 0;
    return failed;
}

enum { ALL, QUICK, CHECK };

/* How many times the recursion's error is too much. Of drifting and nearly straight paths, of short
 * paths among long ones, and backward from level 6 alone, the core's are larger (docs/kernels.md):
 * there, what none should exceed. */
static double limit_of(const shape *s)
{
    if (s->path == STRAIGHT) return 16;
    if (s->mixed) return 10;
    return s->path == DRIFT || s->cotangent == 6 ? 6 : 4;
}

static int check_shapes(int how)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && !failed; i++) {
        const shape *s = &shapes[i];
        if (how != ALL && work_of(s) > (how == QUICK ? 2e5 : 3e6)) continue;
        int draws = how == QUICK ? 2 : draws_of(s);
        double worst = check_both(*s, draws, how == CHECK ? AUTO : CORE);
        failed = worst < 0 || (how == CHECK && worst > limit_of(s));
    }
    return failed;
}

int main(int argc, char **argv)
{
    int how = argc != 2                     ? ALL
              : !strcmp(argv[1], "--quick") ? QUICK
              : !strcmp(argv[1], "--check") ? CHECK
                                            : ALL;
    int count = 0;
    long long seed = 1;
    if (argc == 3 && !strcmp(argv[1], "--search")) sscanf(argv[2], "%d,%lld", &count, &seed);
    shape s;
    for (int i = 1; i < argc && how == ALL && !count; i++)
        if (read_shape(argv[i], &s)) {
            fprintf(
                stderr,
                "usage: %s [--quick | --check | --search COUNT[,SEED] | LENGTH,LETTERS,DEGREE...]\n",
                argv[0]);
            return 2;
        }
    print_head();
    if (count) return search(count, (uint64_t)seed);
    return argc == 1 || how != ALL ? check_shapes(how) : check_given(argc - 1, argv + 1);
}

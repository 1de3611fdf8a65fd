/* How exact are sig and its backward? Prints errors against the reference recursion in long double,
 * beside the errors of that recursion in the dtype itself.
 *
 *     accuracy [--quick | LENGTH,LETTERS,DEGREE...]
 *
 * of the shapes below, of the shortest of them, or of 16 walks of each length, letters and degree.
 * One line for each case, direction, dtype and kernel (sigad_sig_spec.kernel), in columns between
 * tabs. The error of a batch is the largest difference at a level of any of its paths, divided by
 * the level's largest entry; forward a list of levels 1 .. degree, backward one number for the
 * whole gradient. Each case is drawn several times, for one batch tells little: `error` and
 * `reference` are medians, `quotient` the median and the largest of the worst level's error over
 * the recursion's. Walks are random; `smooth` are sines, drawn once. */
#include "cases.h"
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int letters, degree;
    const int64_t *size, *offset; /* of level k, without a level 0: offset[1] is 0 */
} recursion;

#define REAL    float
#define NAME(f) f##_f32
#include "recursion.inc"
#undef REAL
#undef NAME
#define REAL    double
#define NAME(f) f##_f64
#include "recursion.inc"
#undef REAL
#undef NAME
#define REAL    long double
#define NAME(f) f##_long
#include "recursion.inc"
#undef REAL
#undef NAME

enum { MOST_DEGREE = 10, CHECKED = 16, MOST_DRAWS = 20, KERNELS = 3 };

typedef struct {
    int smooth;
    int64_t batch, length;
    int letters, degree;
} shape;

static const shape shapes[] = {
    {0, 16, 20, 2, 4},    {0, 16, 20, 3, 4},    {0, 16, 20, 5, 5},    {0, 16, 20, 8, 4},
    {0, 16, 60, 3, 4},    {0, 16, 60, 16, 3},   {0, 16, 100, 3, 4},   {0, 16, 100, 3, 6},
    {0, 16, 100, 5, 6},   {0, 16, 100, 5, 5},   {0, 16, 140, 8, 4},   {0, 16, 200, 2, 4},
    {0, 16, 200, 2, 8},   {0, 16, 200, 2, 10},  {0, 16, 200, 3, 4},   {0, 16, 200, 3, 6},
    {0, 16, 200, 5, 5},   {0, 16, 200, 8, 4},   {0, 16, 200, 16, 3},  {0, 16, 600, 3, 6},
    {0, 16, 2000, 2, 4},  {0, 16, 2000, 2, 8},  {0, 16, 2000, 2, 10}, {0, 16, 2000, 3, 4},
    {0, 16, 2000, 3, 6},  {0, 16, 2000, 5, 5},  {0, 16, 2000, 8, 3},  {0, 16, 2000, 8, 4},
    {0, 16, 2000, 16, 3}, {0, 1, 2000, 3, 4},   {0, 1, 2000, 3, 6},   {0, 1, 2000, 16, 3},
    {1, 1, 100000, 3, 5}, {1, 16, 10000, 3, 5},
};

static int draws_of(const shape *s)
{
    return s->smooth ? 1 : s->length <= 1000 ? MOST_DRAWS : 5;
}

/* Numbers of one case; arrays of the library are floats or doubles, all others hold what is exact
 * in its dtype. */
typedef struct {
    const shape *shape;
    int f32, checked;
    int64_t words, points; /* points: numbers in a path */
    int64_t size[MOST_DEGREE + 2], offset[MOST_DEGREE + 2];
    double *path, *sig_bar;                      /* [batch, ...] */
    long double *sig, *path_bar;                 /* [checked, ...] in long double, */
    long double *rounded_sig, *rounded_path_bar; /* and in the dtype */
    void *x, *y, *y_bar, *x_bar;
} test;

/* ---- errors ------------------------------------------------------------------------------------
 */

typedef long double (*reader)(const void *array, int64_t i);
static long double read_f32(const void *array, int64_t i)
{
    return ((const float *)array)[i];
}
static long double read_f64(const void *array, int64_t i)
{
    return ((const double *)array)[i];
}
static long double read_long(const void *array, int64_t i)
{
    return ((const long double *)array)[i];
}

/* Largest error of entries first .. last-1 of any item, relative to the largest entry of each. */
static double error(const test *t, int64_t entries, int64_t first, int64_t last, reader read,
                    const void *array, const long double *exact)
{
    long double worst = 0;
    for (int item = 0; item < t->checked; item++) {
        long double largest = 0, difference = 0;
        for (int64_t i = item * entries + first; i < item * entries + last; i++) {
            largest = fmaxl(largest, fabsl(exact[i]));
            difference = fmaxl(difference, fabsl(read(array, i) - exact[i]));
        }
        worst = fmaxl(worst, difference / largest);
    }
    return (double)worst;
}

/* What is left of one case: errors of all draws, forward by level - 1, backward the first alone. */
typedef struct {
    int draws;
    double found[KERNELS][2][MOST_DEGREE][MOST_DRAWS], reference[2][MOST_DEGREE][MOST_DRAWS];
} record;

static int levels_of(const shape *s, int backward)
{
    return backward ? 1 : s->degree;
}

static double level_error(const test *t, int backward, int k, reader read, const void *array)
{
    if (backward) return error(t, t->points, 0, t->points, read, array, t->path_bar);
    return error(t, t->words, t->offset[k + 1], t->offset[k + 2], read, array, t->sig);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *of, int count)
{
    double sorted[MOST_DRAWS];
    memcpy(sorted, of, (size_t)count * sizeof *of);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void print_medians(const double (*errors)[MOST_DRAWS], int levels, int draws)
{
    for (int k = 0; k < levels; k++) printf("%s%.2e", k ? "," : "\t", median(errors[k], draws));
}

/* Half a unit in the last place is no error of the recursion. */
static void print_quotients(const record *r, int f32, int kernel, int backward, int levels)
{
    const double least = f32 ? 0x1p-24 : 0x1p-53;
    double middle = 0, most = 0;
    for (int k = 0; k < levels; k++) {
        double quotient[MOST_DRAWS];
        for (int i = 0; i < r->draws; i++) {
            double other = fmax(r->reference[backward][k][i], least);
            quotient[i] = r->found[kernel][backward][k][i] / other;
            most = fmax(most, quotient[i]);
        }
        middle = fmax(middle, median(quotient, r->draws));
    }
    printf("\t%.2f,%.2f", middle, most);
}

/* ---- cases -------------------------------------------------------------------------------------
 */

static void draw_path(const shape *s, double *path, uint64_t *state)
{
    const double step = 1.7 / sqrt((double)s->length);
    double phase = bench_uniform(state);
    for (int64_t i = 0; i < s->length; i++)
        for (int k = 0; k < s->letters; k++) {
            double time = (double)i / (double)(s->length - 1), before = i ? path[-s->letters] : 0;
            *path++ = s->smooth ? sin((4 + 3 * k) * (time + phase))
                                : before + step * bench_uniform(state);
        }
}

static void close_test(test *t)
{
    void *const all[] = {
        t->path, t->sig_bar, t->sig,   t->path_bar, t->rounded_sig, t->rounded_path_bar,
        t->x,    t->y,       t->y_bar, t->x_bar};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

/* Draws, rounds to the dtype, and stores for the library. */
static void fill(test *t, uint64_t state)
{
    for (int64_t i = 0; i < t->shape->batch; i++)
        draw_path(t->shape, t->path + i * t->points, &state);
    for (int64_t i = 0; i < t->shape->batch * t->words; i++) t->sig_bar[i] = bench_uniform(&state);
    for (int64_t i = 0; t->f32 && i < t->shape->batch * t->points; i++)
        t->path[i] = ((float *)t->x)[i] = (float)t->path[i];
    for (int64_t i = 0; t->f32 && i < t->shape->batch * t->words; i++)
        t->sig_bar[i] = ((float *)t->y_bar)[i] = (float)t->sig_bar[i];
    if (t->f32) return;
    memcpy(t->x, t->path, (size_t)(t->shape->batch * t->points) * sizeof(double));
    memcpy(t->y_bar, t->sig_bar, (size_t)(t->shape->batch * t->words) * sizeof(double));
}

static int open_test(test *t, const shape *s, int f32, int draw)
{
    *t = (test){.shape = s, .f32 = f32, .checked = s->batch < CHECKED ? (int)s->batch : CHECKED};
    t->size[0] = 1;
    for (int k = 1; k <= s->degree; k++) {
        t->size[k] = t->size[k - 1] * s->letters;
        t->offset[k + 1] = t->offset[k] + t->size[k];
    }
    t->words = t->offset[s->degree + 1];
    t->points = s->length * s->letters;
    size_t words = (size_t)(s->batch * t->words), points = (size_t)(s->batch * t->points);
    t->path = calloc(points, sizeof *t->path);
    t->sig_bar = calloc(words, sizeof *t->sig_bar);
    t->sig = calloc(words, sizeof *t->sig);
    t->path_bar = calloc(points, sizeof *t->path_bar);
    t->rounded_sig = calloc(words, sizeof *t->sig);
    t->rounded_path_bar = calloc(points, sizeof *t->path_bar);
    t->x = calloc(points, sizeof(double));
    t->y = calloc(words, sizeof(double));
    t->y_bar = calloc(words, sizeof(double));
    t->x_bar = calloc(points, sizeof(double));
    int good = t->path && t->sig_bar && t->sig && t->path_bar && t->rounded_sig &&
               t->rounded_path_bar && t->x && t->y && t->y_bar && t->x_bar;
    if (good) fill(t, 1 + (uint64_t)draw * 7919);
    return !good;
}

static int run_references(test *t)
{
    recursion r = {t->shape->letters, t->shape->degree, t->size, t->offset};
    int failed = 0;
    for (int i = 0; i < t->checked && !failed; i++) {
        int64_t at = i * t->points, word = i * t->words, length = t->shape->length;
        const double *path = t->path + at, *sig_bar = t->sig_bar + word;
        failed = recursion_long(&r, length, path, sig_bar, t->sig + word, t->path_bar + at) ||
                 (t->f32 ? recursion_f32 : recursion_f64)(
                     &r, length, path, sig_bar, t->rounded_sig + word, t->rounded_path_bar + at);
    }
    return failed;
}

static int run_kernel(const test *t, int kernel)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = t->shape->letters,
                           .degree = t->shape->degree, .kernel = kernel};
    sigad_plan *plan;
    int64_t batch = t->shape->batch, length = t->shape->length;
    if (sigad_plan_create(&spec, &plan)) return 1;
    int failed =
        t->f32 ? sigad_sig_f32(plan, batch, length, NULL, t->x, t->y, 1) ||
                     sigad_sig_backprop_f32(plan, batch, length, NULL, t->x, t->y_bar, t->x_bar, 1)
               : sigad_sig_f64(plan, batch, length, NULL, t->x, t->y, 1) ||
                     sigad_sig_backprop_f64(plan, batch, length, NULL, t->x, t->y_bar, t->x_bar, 1);
    sigad_plan_destroy(plan);
    return failed;
}

static void note(const test *t, int draw, int kernel, record *r)
{
    reader read = t->f32 ? read_f32 : read_f64;
    for (int backward = 0; backward < 2; backward++)
        for (int k = 0; k < levels_of(t->shape, backward); k++) {
            const void *found = backward ? t->x_bar : t->y;
            const long double *rounded = backward ? t->rounded_path_bar : t->rounded_sig;
            r->found[kernel][backward][k][draw] = level_error(t, backward, k, read, found);
            r->reference[backward][k][draw] = level_error(t, backward, k, read_long, rounded);
        }
}

static void print_case(const shape *s, int f32, int kernel, int backward, const record *r)
{
    int levels = levels_of(s, backward);
    printf("%s\t%s\t%s\t%d\t%lld\t%lld\t%d\t%d", s->smooth ? "smooth" : "walk",
           backward ? "backward" : "forward", f32 ? "f32" : "f64", kernel, (long long)s->batch,
           (long long)s->length, s->letters, s->degree);
    print_medians((const double(*)[MOST_DRAWS])r->found[kernel][backward], levels, r->draws);
    print_medians((const double(*)[MOST_DRAWS])r->reference[backward], levels, r->draws);
    print_quotients(r, f32, kernel, backward, levels);
    printf("\n");
}

static int check_shape(const shape *s, int f32)
{
    static record r;
    r.draws = draws_of(s);
    for (int draw = 0; draw < r.draws; draw++) {
        test t;
        int failed = open_test(&t, s, f32, draw) || run_references(&t);
        for (int kernel = 0; kernel < KERNELS && !failed; kernel++) {
            failed = run_kernel(&t, kernel);
            if (!failed) note(&t, draw, kernel, &r);
        }
        close_test(&t);
        if (failed) return 1;
    }
    for (int kernel = 0; kernel < KERNELS; kernel++)
        for (int backward = 0; backward < 2; backward++) print_case(s, f32, kernel, backward, &r);
    fflush(stdout);
    return 0;
}

static int check_both(const shape *s)
{
    if (!check_shape(s, 0) && !check_shape(s, 1)) return 0;
    fprintf(stderr, "a case failed\n");
    return 1;
}

/* 1 if it is no shape. */
static int read_shape(const char *text, shape *s)
{
    char rest;
    int length, found = sscanf(text, "%d,%d,%d%c", &length, &s->letters, &s->degree, &rest);
    s->smooth = 0;
    s->batch = 16;
    s->length = length;
    return found != 3 || length < 2 || s->letters < 2 || s->degree < 2 || s->degree > MOST_DEGREE;
}

int main(int argc, char **argv)
{
    int quick = argc == 2 && !strcmp(argv[1], "--quick");
    shape given;
    for (int i = 1; i < argc && !quick; i++)
        if (read_shape(argv[i], &given)) {
            fprintf(stderr, "usage: %s [--quick | LENGTH,LETTERS,DEGREE...]\n", argv[0]);
            return 2;
        }
    printf("# instructions %s\n", sigad_instruction_set());
    printf("path\tdirection\tdtype\tkernel\tbatch\tlength\tdimension\tdegree\terror\treference\t"
           "quotient\n");
    int failed = 0;
    for (int i = 1; i < argc && !quick && !failed; i++)
        failed = read_shape(argv[i], &given) || check_both(&given);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && !failed; i++)
        if (quick ? shapes[i].length <= 20 : argc == 1) failed = check_both(&shapes[i]);
    return failed;
}

/* Looks for cliffs: times sig and its backward while one of batch, length, dimension and degree
 * changes, and compares each point with its neighbours.
 *
 *     sweeps [--seconds S] [--over batch|length|dimension|degree [--at B,L,D,N]] [--quick]
 *
 * With --at the other three are those, instead of the ones in the list below.
 *
 * One line for each point, in columns between tabs: what is swept, the shape, the microseconds of
 * the call, and its floor. Times are medians, less that of a call that has nothing to do. The floor
 * is the time of the operations of bench_floor at the rate of matrix products, and of the bytes of
 * the arguments, read once, and of the result, written once, at the rate of a copy in the caches:
 * in degrees 1 and 2, or with few letters, moving the points is most of the work. A point is a
 * cliff if its time is more than twice as many times its floor as a neighbour's, except beside one
 * letter or degree 1, where the result has a closed form; before it is called one, both are
 * measured again, for ten times as long. Cliffs are listed last, after a line "# cliffs", with how
 * many times slower they are and than which neighbour. */
#include "cases.h"
#include "timing.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *over; /* the one of the next four that changes */
    int64_t batch, length;
    int32_t dimension, degree;
} base;

static const base bases[] = {
    {"batch", 0, 100, 3, 4},     {"batch", 0, 30, 8, 4},     {"batch", 0, 30, 5, 3},
    {"batch", 0, 100, 8, 3},     {"length", 1, 0, 3, 4},     {"length", 32, 0, 3, 4},
    {"length", 8, 0, 8, 3},      {"dimension", 8, 50, 0, 2}, {"dimension", 8, 50, 0, 3},
    {"dimension", 1, 200, 0, 3}, {"dimension", 2, 30, 0, 4}, {"degree", 16, 50, 1, 0},
    {"degree", 16, 50, 2, 0},    {"degree", 16, 50, 3, 0},   {"degree", 8, 30, 4, 0},
    {"degree", 1, 200, 3, 0},
};

enum { MOST_POINTS = 100 };
static double idle;               /* seconds of a call that has nothing to do */
static double rate[2], copy_rate; /* of products of doubles and of floats; of copies */

typedef struct {
    bench_case what;
    double seconds, floor; /* of a call */
} point;

typedef struct {
    int count;
    point at[MOST_POINTS];
} curve;

/* The next value of what is swept; lengths grow by a fifth once they are large. */
static int64_t next_value(const char *over, int64_t value)
{
    return strcmp(over, "length") || value < 24 ? value + 1 : value + value / 5;
}

static int64_t last_value(const char *over)
{
    switch (over[0]) {
    case 'b':
        return 64;
    case 'l':
        return 100000;
    default:
        return over[1] == 'i' ? 40 : 10;
    }
}

static int64_t value_of(const char *over, const bench_case *c)
{
    switch (over[0]) {
    case 'b':
        return c->batch;
    case 'l':
        return c->length;
    default:
        return over[1] == 'i' ? c->spec.dimension : c->spec.degree;
    }
}

static bench_case case_at(const base *b, int64_t value, int f32, int backward)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = b->dimension, .degree = b->degree};
    bench_case c = {BENCH_SIG, backward, f32, 1, 0, b->batch, b->length, spec};
    if (!strcmp(b->over, "batch")) c.batch = value;
    if (!strcmp(b->over, "length")) c.length = value;
    if (!strcmp(b->over, "dimension")) c.spec.dimension = (int32_t)value;
    if (!strcmp(b->over, "degree")) c.spec.degree = (int32_t)value;
    return c;
}

static int measure(point *p, double seconds)
{
    bench_problem problem;
    if (bench_open(&problem, &p->what, NULL)) return 1;
    double time = bench_median(bench_call, &problem, seconds);
    p->seconds = fmax(time - idle, 1e-9);
    double numbers = (double)(problem.x_entries * (p->what.backward ? 2 : 1) + problem.y_entries);
    double bytes = numbers * (p->what.f32 ? sizeof(float) : sizeof(double));
    p->floor =
        (double)p->what.batch * (bench_floor(&p->what) / rate[p->what.f32] + bytes / copy_rate);
    bench_close(&problem);
    return time < 0;
}

static double over_floor(const point *p)
{
    return p->seconds / p->floor;
}

static int is_closed_form(const point *p)
{
    return p->what.spec.dimension == 1 || p->what.spec.degree == 1;
}

static int is_steep(const point *a, const point *b)
{
    return !is_closed_form(b) && over_floor(a) > 2 * over_floor(b);
}

/* Is a more than twice as slow as its neighbour b, also at a second look? */
static int is_cliff(point *a, point *b, double seconds)
{
    if (!is_steep(a, b)) return 0;
    return !measure(a, 10 * seconds) && !measure(b, 10 * seconds) && is_steep(a, b);
}

static void print_point(FILE *file, const char *over, const point *p)
{
    const bench_case *c = &p->what;
    fprintf(file, "%s\t%s\t%s\t%lld\t%lld\t%d\t%d\t%.4f\t%.4f", over,
            c->backward ? "backward" : "forward", c->f32 ? "f32" : "f64", (long long)c->batch,
            (long long)c->length, c->spec.dimension, c->spec.degree, 1e6 * p->seconds,
            1e6 * p->floor);
}

/* Appends the cliffs of a curve to a text that is printed at the end. */
static void find_cliffs(const char *over, curve *c, double seconds, FILE *cliffs)
{
    for (int i = 0; i < c->count; i++)
        for (int side = -1; side <= 1; side += 2) {
            int j = i + side;
            if (j < 0 || j >= c->count || !is_cliff(&c->at[i], &c->at[j], seconds)) continue;
            print_point(cliffs, over, &c->at[i]);
            fprintf(cliffs, "\t%.2f\t%lld\n", over_floor(&c->at[i]) / over_floor(&c->at[j]),
                    (long long)value_of(over, &c->at[j].what));
        }
}

static int measure_rates(double seconds)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 1, .degree = 1};
    for (int f32 = 0; f32 < 2; f32++) rate[f32] = bench_product_rate(f32, 100 * seconds);
    copy_rate = bench_copy_rate(10 * seconds);
    point nothing = {.what = {BENCH_SIG, 0, 0, 1, 0, 1, 1, spec}};
    if (measure(&nothing, seconds)) return 1;
    idle = nothing.seconds;
    return 0;
}

static int sweep(const base *b, int f32, int backward, double seconds, FILE *cliffs)
{
    int quick = seconds <= 0;
    int64_t first = strcmp(b->over, "length") ? 1 : 2, last = quick ? 4 : last_value(b->over);
    curve c = {0};
    for (int64_t value = first; value <= last; value = next_value(b->over, value)) {
        point *p = &c.at[c.count++];
        p->what = case_at(b, value, f32, backward);
        if (measure(p, seconds)) return 1;
    }
    if (!quick) find_cliffs(b->over, &c, seconds, cliffs);
    for (int i = 0; i < c.count; i++) {
        print_point(stdout, b->over, &c.at[i]);
        putchar('\n');
    }
    fflush(stdout);
    return 0;
}

static int sweep_all(const base *list, size_t count, const char *over, double seconds, FILE *cliffs)
{
    for (size_t i = 0; i < count; i++)
        for (int f32 = 0; f32 < 2; f32++)
            for (int backward = 0; backward < 2; backward++) {
                if (over && strcmp(over, list[i].over)) continue;
                if (sweep(&list[i], f32, backward, seconds, cliffs)) return 1;
            }
    return 0;
}

static int read_base(const char *text, base *b)
{
    long long batch, length;
    int dimension, degree;
    if (sscanf(text, "%lld,%lld,%d,%d", &batch, &length, &dimension, &degree) != 4) return 1;
    *b = (base){NULL, batch, length, dimension, degree};
    return 0;
}

int main(int argc, char **argv)
{
    double seconds = 0.01;
    const char *over = NULL;
    base asked = {0};
    int at = 0, bad = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--quick")) {
            seconds = 0;
        } else if (!strcmp(argv[i], "--seconds") && i + 1 < argc) {
            seconds = atof(argv[++i]);
        } else if (!strcmp(argv[i], "--over") && i + 1 < argc) {
            over = argv[++i];
        } else if (!strcmp(argv[i], "--at") && i + 1 < argc) {
            at = 1;
            bad |= read_base(argv[++i], &asked);
        } else {
            bad = 1;
        }
    }
    if (bad || (at && !over)) {
        fprintf(stderr, "usage: %s [--seconds S] [--over NAME [--at B,L,D,N]] [--quick]\n",
                argv[0]);
        return 2;
    }
    asked.over = over;
    FILE *cliffs = tmpfile();
    if (!cliffs || measure_rates(seconds)) return 1;
    printf("# idle %.4f\n", 1e6 * idle);
    printf("# rate f64 %.4g\n# rate f32 %.4g\n# copy %.4g\n", rate[0], rate[1], copy_rate);
    printf("over\tdirection\tdtype\tbatch\tlength\tdimension\tdegree\tmicroseconds\tfloor\n");
    if (sweep_all(at ? &asked : bases, at ? 1 : sizeof bases / sizeof *bases, over, seconds,
                  cliffs)) {
        fprintf(stderr, "a call failed\n");
        return 1;
    }
    printf("# cliffs\n");
    rewind(cliffs);
    for (int byte; (byte = getc(cliffs)) != EOF;) putchar(byte);
    fclose(cliffs);
    return 0;
}

/* Is the cheapest way taken? Times each way to compute a signature that the choice of
 * src/ops/signature_route.c is between, beside what src/ops/signature_cost.c takes it for.
 *
 *     routes [--seconds S] [--f32 | --f64] [--forward | --backward] [--batch B] [--length L]
 *            [--letters D] [--degree N] [--time] [--lead-lag] [--log] [--mixed] [--ways] [--quick]
 *
 * One line for each shape of a grid, less what the options leave out (a batch or length that is
 * given replaces the grid's; so do letters and degree given together), in columns between tabs: the
 * shape, the way taken, the way that was the fastest, the microseconds of a call by the one and by
 * the other, and the regret, their quotient. With --ways there is a line for each way before it:
 * its microseconds, those of the model, and by how much the model is wrong. A way is `items`, or
 * how many lanes there are and how many of them a path takes: 8x2. Ways that the model takes for
 * more than five times as slow as the best are left out, and so are shapes that take long, unless
 * all four sizes are given. At the end the distribution of regrets, and for the ways of each kind
 * the geometric mean and the spread of what was measured over the model: constants are right where
 * means are equal, since only ratios matter to the choice. */
#include "cases.h"
#include "ops/signature_route.h"
#include "timing.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t batches[] = {1, 2, 3, 5, 8, 12, 16, 20, 33},
                     lengths[] = {4, 10, 20, 40, 100, 200, 500, 2000};
static const int32_t tensors[][2] = {{2, 2}, {5, 2},  {2, 3}, {3, 3},  {5, 3}, {8, 3},
                                     {9, 3}, {16, 3}, {2, 4}, {3, 4},  {4, 4}, {5, 4},
                                     {8, 4}, {2, 5},  {3, 5}, {5, 5},  {2, 6}, {3, 6},
                                     {5, 6}, {2, 8},  {3, 8}, {20, 2}, {20, 3}};

enum { BATCH, LENGTH, LETTERS, DEGREE, SIZES };
static const char *const size_name[SIZES] = {"--batch", "--length", "--letters", "--degree"};
static const double UNIT = 0.4e-9; /* seconds that the model's numbers are in */
static const double HOPELESS = 5, LONGEST = 4e-3;

typedef struct {
    double seconds;
    int f32, f64, forward, backward, ways;
    int time, lead_lag, log, mixed;
    int64_t only[SIZES];
} options;

/* ---- ways ---------------------------------------------------------------------------------------
 */

enum { MOST_WAYS = 11, ITEMS = 0, WHOLE = 1, HALF = 2, KINDS = 3 };

typedef struct {
    sg_signature_batch batch;
    int what;
    sg_signature_layout layout;
    int kind;
    char name[16];
    double model, seconds;
} way;

static int run_way(void *user)
{
    way *w = user;
    sg_signature_run_by(&w->batch, w->what, &w->layout);
    return 0;
}

static void add_way(way *list, int *count, const sg_signature_batch *b, int what, int kind,
                    const sg_lane_kernels *lanes, int spread)
{
    way w = {.batch = *b, .what = what, .kind = kind};
    w.model = UNIT * sg_signature_lay_out_by(b, what, lanes, spread, &w.layout);
    if (w.model < 0 || sg_signature_layout_bytes(&w.layout) < 0) return;
    if (lanes)
        snprintf(w.name, sizeof w.name, "%dx%d", lanes->lanes, spread);
    else
        snprintf(w.name, sizeof w.name, "items");
    list[(*count)++] = w;
}

static int list_ways(way *list, const sg_signature_batch *b, int what)
{
    const sigad_plan *plan = b->plan;
    const sg_lane_kernels *kernels[KINDS] = {
        NULL, (b->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[plan->isa],
        (b->scalar == SG_F32 ? sg_half_lanes_f32 : sg_half_lanes_f64)[plan->isa]};
    int count = 0;
    add_way(list, &count, b, what, ITEMS, NULL, 1);
    for (int kind = WHOLE; kind <= HALF; kind++)
        for (int spread = 1; kernels[kind] && spread <= kernels[kind]->lanes; spread *= 2)
            add_way(list, &count, b, what, kind, kernels[kind], spread);
    double best = INFINITY;
    for (int i = 0; i < count; i++) best = fmin(best, list[i].model);
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (list[i].model <= HOPELESS * best) list[kept++] = list[i];
    return kept;
}

/* All ways with their scratch, timed in turn. */
static int time_ways(way *list, int count, double seconds)
{
    void *user[MOST_WAYS];
    double median[MOST_WAYS];
    int64_t most = 0;
    for (int i = 0; i < count; i++)
        if (sg_signature_layout_bytes(&list[i].layout) > most)
            most = sg_signature_layout_bytes(&list[i].layout);
    char *work = aligned_alloc(64, (size_t)most / 64 * 64 + 64);
    for (int i = 0; i < count; i++) {
        list[i].batch.work = work;
        user[i] = &list[i];
    }
    int good = work && bench_medians(run_way, count, user, seconds, median);
    for (int i = 0; good && i < count; i++) list[i].seconds = median[i];
    free(work);
    return good;
}

/* ---- what is kept of all shapes -----------------------------------------------------------------
 */

enum { MOST_SHAPES = 10000 };
static double regrets[MOST_SHAPES];
static int shapes;

typedef struct {
    double count, sum, squares; /* of the logarithm of measured over model */
} errors;
static errors of_kind[2][2][KINDS]; /* by direction, dtype */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_summary(void)
{
    static const char *const kind_name[KINDS] = {"items", "whole", "half"};
    qsort(regrets, (size_t)shapes, sizeof *regrets, ascending);
    int steep = 0;
    for (int i = 0; i < shapes; i++) steep += regrets[i] > 1.15;
    printf("# shapes %d\n# regret above 1.15: %d\n", shapes, steep);
    for (int percent = 50; shapes && percent <= 100; percent += percent < 90 ? 40 : 5)
        printf("# regret, %d %%: %.3f\n", percent, regrets[(shapes - 1) * percent / 100]);
    for (int i = 0; i < 4 * KINDS; i++) {
        const errors *e = &of_kind[i / 2 / KINDS][i / KINDS % 2][i % KINDS];
        double mean = e->sum / e->count;
        if (e->count > 0)
            printf("# %s %s %s: measured / model %.2f, times or by %.2f\n",
                   i / 2 / KINDS ? "backward" : "forward", i / KINDS % 2 ? "f32" : "f64",
                   kind_name[i % KINDS], exp(mean),
                   exp(sqrt(fmax(e->squares / e->count - mean * mean, 0))));
    }
}

static void keep(const bench_case *c, const way *list, int count, double regret)
{
    if (shapes < MOST_SHAPES) regrets[shapes++] = regret;
    for (int i = 0; i < count; i++) {
        errors *e = &of_kind[c->backward][c->f32][list[i].kind];
        double error = log(list[i].seconds / list[i].model);
        e->count += 1;
        e->sum += error;
        e->squares += error * error;
    }
}

/* ---- shapes -------------------------------------------------------------------------------------
 */

static bool is_taken(const way *w, const sg_signature_layout *l)
{
    return w->layout.lanes == l->lanes && w->layout.alone == l->alone &&
           (!l->lanes || w->layout.chunks.spread == l->chunks.spread);
}

static void print_shape(const bench_case *c)
{
    printf("%s\t%s\t%lld\t%lld\t%d\t%d", c->backward ? "backward" : "forward",
           c->f32 ? "f32" : "f64", (long long)c->batch, (long long)c->length, c->spec.dimension,
           c->spec.degree);
}

static void report(const options *o, const bench_case *c, const way *list, int count,
                   const way *taken)
{
    const way *best = taken;
    for (int i = 0; i < count; i++)
        if (list[i].seconds < best->seconds) best = &list[i];
    for (int i = 0; o->ways && i < count; i++) {
        print_shape(c);
        printf("\t%s\t\t%.3f\t%.3f\t%.2f\n", list[i].name, 1e6 * list[i].seconds,
               1e6 * list[i].model, list[i].seconds / list[i].model);
    }
    double regret = taken->seconds / best->seconds;
    print_shape(c);
    printf("\t%s\t%s\t%.3f\t%.3f\t%.3f\n", taken->name, best->name, 1e6 * taken->seconds,
           1e6 * best->seconds, regret);
    fflush(stdout);
    keep(c, list, count, regret);
}

static int is_asked_for(const options *o)
{
    return o->only[BATCH] && o->only[LENGTH] && o->only[LETTERS] && o->only[DEGREE];
}

static int time_case(const options *o, const bench_case *c)
{
    bench_problem p;
    if (bench_open(&p, c, NULL)) return 1;
    sg_signature_batch b = {.kernels = o->log ? &sg_log_sig_kernels : &sg_sig_kernels,
                            .plan = p.plan,
                            .scalar = c->f32 ? SG_F32 : SG_F64,
                            .batch = c->batch,
                            .length = c->length,
                            .lengths = p.lengths,
                            .ragged = p.lengths != NULL,
                            .x = p.x,
                            .y_bar = p.y_bar,
                            .out = c->backward ? p.x_bar : p.y,
                            .fresh = c->backward,
                            .threads = 1};
    int what = c->backward ? SG_BATCH_VJP : SG_BATCH_FWD, good = 1;
    way list[MOST_WAYS];
    int count = list_ways(list, &b, what);
    const sg_signature_layout l = sg_signature_lay_out(&b, what);
    const way *taken = NULL;
    for (int i = 0; i < count; i++)
        if (is_taken(&list[i], &l)) taken = &list[i];
    if (taken && (taken->model < LONGEST || is_asked_for(o))) {
        good = time_ways(list, count, o->seconds);
        if (good) report(o, c, list, count, taken);
    }
    bench_close(&p);
    return !good;
}

/* The grid's sizes, or the one that is asked for. */
typedef struct {
    int count;
    const int64_t *at;
} sizes;

static sizes sizes_of(const options *o, int size, const int64_t *grid, int count)
{
    return o->only[size] ? (sizes){1, &o->only[size]} : (sizes){count, grid};
}

static int time_tensor(const options *o, int32_t letters, int32_t degree)
{
    const sizes batch = sizes_of(o, BATCH, batches, sizeof batches / sizeof *batches),
                length = sizes_of(o, LENGTH, lengths, sizeof lengths / sizeof *lengths);
    const sigad_sig_spec spec = {
        SIGAD_SIG_SPEC_INIT,     .dimension = letters,
        .degree = degree,        .time_aug = o->time,
        .lead_lag = o->lead_lag, .method = o->log ? SIGAD_LYNDON_WORDS : SIGAD_EXPANDED};
    for (int backward = !o->forward; backward <= o->backward; backward++)
        for (int f32 = !o->f64; f32 <= o->f32; f32++)
            for (int i = 0; i < batch.count; i++)
                for (int k = 0; k < length.count; k++) {
                    const int operation = o->log ? BENCH_LOG_SIG : BENCH_SIG;
                    bench_case c = {operation, backward,    f32,          1,
                                    o->mixed,  batch.at[i], length.at[k], spec};
                    if (time_case(o, &c)) return 1;
                }
    return 0;
}

static int time_all(const options *o)
{
    const int64_t letters = o->only[LETTERS], degree = o->only[DEGREE];
    if (letters && degree) return time_tensor(o, (int32_t)letters, (int32_t)degree);
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        const int32_t *t = tensors[i];
        if ((letters && letters != t[0]) || (degree && degree != t[1])) continue;
        if (time_tensor(o, t[0], t[1])) return 1;
    }
    return 0;
}

static int *flag_of(options *o, const char *name)
{
    const char *const names[] = {"--time", "--lead-lag", "--log", "--mixed", "--ways"};
    int *const flags[] = {&o->time, &o->lead_lag, &o->log, &o->mixed, &o->ways};
    for (int i = 0; i < 5; i++)
        if (!strcmp(name, names[i])) return flags[i];
    return NULL;
}

static int read_options(int argc, char **argv, options *o)
{
    *o = (options){.seconds = 0.002, .f32 = 1, .f64 = 1, .forward = 1, .backward = 1};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        int *flag;
        if (!strcmp(name, "--quick")) {
            o->seconds = 0;
        } else if ((flag = flag_of(o, name))) {
            *flag = 1;
        } else if (!strcmp(name, "--f32") || !strcmp(name, "--f64")) {
            o->f32 = name[3] == '3';
            o->f64 = !o->f32;
        } else if (!strcmp(name, "--forward") || !strcmp(name, "--backward")) {
            o->forward = name[2] == 'f';
            o->backward = !o->forward;
        } else if (!strcmp(name, "--seconds") && i + 1 < argc) {
            o->seconds = atof(argv[++i]);
        } else {
            int size = 0;
            while (size < SIZES && strcmp(name, size_name[size])) size++;
            if (size == SIZES || i + 1 == argc) return 1;
            o->only[size] = atoll(argv[++i]);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    options o;
    if (read_options(argc, argv, &o)) {
        fprintf(
            stderr,
            "usage: %s [--seconds S] [--f32 | --f64] [--forward | --backward] [--batch B] "
            "[--length L] [--letters D] [--degree N] [--time] [--lead-lag] [--log] [--mixed] [--ways] [--quick]\n",
            argv[0]);
        return 2;
    }
    printf("# instructions %s\n", sigad_instruction_set());
    printf("direction\tdtype\tbatch\tlength\tletters\tdegree\ttaken\tbest\tmicroseconds\tof best"
           "\tregret\n");
    if (time_all(&o)) {
        fprintf(stderr, "a call failed\n");
        return 1;
    }
    print_summary();
    return 0;
}

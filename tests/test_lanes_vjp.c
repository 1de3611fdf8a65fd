/* Backward kernels of groups of paths, of every instruction set that this processor has, against
 * the kernel for one path in double: each boundary inside, and paths of different lengths. */
#include "core/random.h"
#include "ops/cpu/lanes/lanes.h"
#include "ops/cpu/signature.h"
#include "ops/cpu/steps.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

static double draw(uint64_t seed, int64_t i)
{
    return 2 * sg_random_uniform(seed, (uint64_t)i) - 1;
}

static void *make(int64_t count, size_t size)
{
    void *block = aligned_alloc(64, ((size_t)count * size / 64 + 1) * 64);
    cr_assert_not_null(block);
    return block;
}

static void put(bool single, void *to, int64_t i, double value)
{
    if (single)
        ((float *)to)[i] = (float)value;
    else
        ((double *)to)[i] = value;
}

static double get(bool single, const void *from, int64_t i)
{
    return single ? (double)((const float *)from)[i] : ((const double *)from)[i];
}

/* What is already there and must be added to; also where no point is. */
static double before(int64_t i)
{
    return 0.25 * (double)(i % 3);
}

/* One path with its cotangent: as a kernel in lanes reads it, and in double. */
typedef struct {
    int64_t length, n, m; /* points; entries of its place and of its signature */
    double *path, *g;
    void *own_path, *own_g, *path_bar;
} item;

static item item_create(const sigad_plan *plan, bool single, int64_t place, int64_t length,
                        uint64_t seed)
{
    int64_t d = plan->spec.dimension;
    item p = {.length = length, .n = place * d, .m = plan->sig_length};
    p.path = make(p.n, sizeof(double));
    p.g = make(p.m, sizeof(double));
    p.own_path = make(p.n, sizeof(double));
    p.own_g = make(p.m, sizeof(double));
    p.path_bar = make(p.n, sizeof(double));
    for (int64_t i = 0; i < p.n; i++) {
        double step = 0.3 * draw(seed, i), x = i >= d ? p.path[i - d] + step : step;
        put(single, p.own_path, i, i / d < length ? x : NAN); /* beyond the end: not looked at */
        p.path[i] = get(single, p.own_path, i);
        put(single, p.path_bar, i, before(i));
    }
    for (int64_t i = 0; i < p.m; i++) {
        put(single, p.own_g, i, draw(seed + 1, i));
        p.g[i] = get(single, p.own_g, i);
    }
    return p;
}

static void item_destroy(item *p)
{
    free(p->path);
    free(p->g);
    free(p->own_path);
    free(p->own_g);
    free(p->path_bar);
}

static double item_error(const sigad_plan *plan, bool single, const item *p)
{
    double *want = make(p->n, sizeof *want), worst = 0, size = 1;
    void *work = make(sg_sig_vjp_work_f64(plan, p->length), sizeof(double));
    for (int64_t i = 0; i < p->n; i++) want[i] = before(i);
    sg_sig_vjp_f64(plan, p->length, p->path, p->g, want, work);
    for (int64_t i = 0; i < p->n; i++) {
        double error = fabs(get(single, p->path_bar, i) - want[i]);
        if (!(error <= worst)) worst = error;
        size = fmax(size, fabs(want[i]));
    }
    free(want);
    free(work);
    return worst / size;
}

/* One group; `most`: its own longest path. */
static void check(const sg_lane_kernels *lanes, const sigad_plan *plan, bool single, int rows,
                  int64_t longest, int64_t most, const char *where)
{
    item p[MOST];
    int64_t lengths[MOST], room[MOST];
    double time[MOST];
    const void *path[MOST], *g[MOST];
    void *path_bar[MOST];
    if (rows > lanes->lanes) rows = lanes->lanes;
    for (int r = 0; r < rows; r++) {
        uint64_t seed = sg_random_key((uint64_t)longest, (uint64_t)(2 * r));
        double part = sg_random_uniform(seed, 1u << 30);
        lengths[r] = r % 3 == 0 ? most : (int64_t)(part * (double)(most + 1));
        room[r] = r % 2 ? longest : lengths[r];
        time[r] = sg_time_step(plan, lengths[r]);
        p[r] = item_create(plan, single, longest, lengths[r], seed);
        path[r] = p[r].own_path;
        g[r] = p[r].own_g;
        path_bar[r] = p[r].path_bar;
    }
    void *work = make(lanes->sig_vjp_bytes(plan, longest), 1);
    memset(work, 0xff, (size_t)lanes->sig_vjp_bytes(plan, longest)); /* NaNs */
    lanes->sig_vjp(plan, longest, rows, lengths, room, time, path, g, path_bar, work);
    for (int r = 0; r < rows; r++) {
        double error = item_error(plan, single, &p[r]);
        cr_assert(
            error <= (single ? 2e-4 : 1e-12),
            "%s %s kernel %d: lane %d of %d, d %d, N %d, length %lld of %lld, time %d, lead-lag %d: %g",
            where, single ? "f32" : "f64", (int)plan->spec.kernel, r, rows,
            (int)plan->spec.dimension, (int)plan->degree, (long long)lengths[r], (long long)longest,
            (int)plan->spec.time_aug, (int)plan->spec.lead_lag, error);
        item_destroy(&p[r]);
    }
    free(work);
}

/* flags: 1 time, 2 lead-lag, 4 scalar term. */
static void check_kernel(int32_t kernel, int32_t d, int32_t degree, int flags, int rows,
                         int64_t longest)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,
                           .dimension = d,
                           .degree = degree,
                           .kernel = kernel,
                           .time_aug = flags & 1,
                           .lead_lag = flags >> 1 & 1,
                           .scalar_term = flags >> 2 & 1,
                           .end_time = 0.7};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    bool served = sg_lanes_serve_backward(plan, sg_steps(plan, longest));
    for (int isa = SG_ISA_BASE; served && isa <= (int)sg_isa_best(); isa++) {
        const char *name = sg_isa_name((sg_isa)isa);
        check(sg_lanes_f64[isa], plan, false, rows, longest, longest, name);
        check(sg_lanes_f32[isa], plan, true, rows, longest, longest / 2, name);
    }
    sigad_plan_destroy(plan);
}

static void check_all(int32_t d, int32_t degree, int flags, int rows, int64_t longest)
{
    check_kernel(SIGAD_KERNEL_PLAIN, d, degree, flags, rows, longest);
    if (degree > 2) check_kernel(SIGAD_KERNEL_CORE, d, degree, flags, rows, longest);
}

/* Each number of letters has tiles of its own; each degree has a tree of its own depth. */
Test(lanes_vjp, every_number_of_letters)
{
    for (int32_t d = 2; d <= SG_LANE_LETTERS; d++)
        for (int32_t degree = 2; degree <= (d == 2 ? 8 : d == 3 ? 6 : d <= 6 ? 4 : 3); degree++)
            check_all(d, degree, 0, 5 + d, 9);
}

/* Blocks of SG_LANE_UNDO increments; paths that end in, at or before each. */
Test(lanes_vjp, lengths_around_blocks)
{
    const int64_t length[] = {2, 3, 4, 32, 33, 34, 64, 65, 66, 129};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int flags = 0; flags < 8; flags++) {
            check_all(2, 3, flags, MOST, length[i]);
            check_all(3, 4 - (flags & 1), flags, 1 + (int)i, length[i]);
        }
}

/* Lead-lag by iterated sums: in tiles of each number of letters; blocks of 16 increments, spans of
 * 32 such blocks. */
Test(lanes_vjp, iterated_sums)
{
    const int64_t length[] = {4, 5, 16, 17, 18, 33, 66, 600};
    for (int32_t d = 1; d <= SG_SUM_CHANNELS && 2 * d < SG_CORE_LANE_LETTERS; d++)
        for (int flags = 2; flags < 4; flags++)
            for (int32_t degree = 2; degree <= (d <= 2 ? 5 : d <= 4 ? 4 : 3); degree++)
                check_kernel(SIGAD_KERNEL_AUTO, d, degree, flags, 4 + d, 9);
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int flags = 2; flags < 4; flags++)
            check_kernel(SIGAD_KERNEL_AUTO, 2, 4 - (flags & 1), flags, MOST, length[i]);
}

/* Lead-lag of enough letters to leave out those that stand still; odd numbers of points. */
Test(lanes_vjp, halves)
{
    for (int32_t d = 2; d <= 6 && 2 * d <= SG_LANE_LETTERS; d++)
        for (int flags = 2; flags < 4; flags++) {
            if (2 * d + (flags & 1) > SG_LANE_LETTERS) continue;
            check_all(d, 3, flags, 9, 35);
            check_all(d, 4, flags, 3, 20);
        }
}

/* Spans of SG_LEAST_KEPT blocks or more; a group whose paths are shorter than the batch's longest
 * leaves blocks out. */
Test(lanes_vjp, spans)
{
    const int64_t length[] = {1024, 1025, 1026, 2500};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++) check_all(4, 5, 0, 3, length[i]);
    check_all(2, 7, 0, 3, 1500);
}

/* The wide core: each depth of the tree, blocks and spans. */
Test(lanes_vjp, wide_core)
{
    for (int32_t d = 2; d <= 3; d++)
        for (int32_t degree = 7; degree <= (d == 2 ? SG_WIDE_MOST : 8); degree++)
            check_kernel(SIGAD_KERNEL_AUTO, d, degree, d & 1, 5 + d, SG_WIDE_STEPS + 1);
    for (int32_t d = 4; d <= 8 && d <= SG_LANE_LETTERS; d++)
        check_kernel(SIGAD_KERNEL_AUTO, d, 5, 0, 5, SG_CORE_PULL_STEPS);
    check_kernel(SIGAD_KERNEL_AUTO, 2, 7, 1, MOST, 67);
    check_kernel(SIGAD_KERNEL_AUTO, 2, 8, 4, 3, 1500);
}

/* From degree 7 on the last blocks of a path hold fewer and fewer increments. */
Test(lanes_vjp, last_blocks_get_shorter)
{
    static const int64_t longest[] = {2, 3, 4, 6, 17, 18, 34, 50, 51};
    for (size_t i = 0; i < sizeof longest / sizeof *longest; i++)
        for (int flags = 0; flags < 4; flags++) {
            check_kernel(SIGAD_KERNEL_AUTO, flags & 2 ? 1 : 2, SG_TAIL_DEGREE, flags, 5,
                         longest[i]);
            if (!flags) check_kernel(SIGAD_KERNEL_AUTO, 3, SG_TAIL_DEGREE, flags, 5, longest[i]);
        }
}

/* Kernels with one path per vector lane, of every instruction set that this processor has, against
 * the kernels for one path: shapes on both sides of each boundary inside. */
#include "core/random.h"
#include "ops/cpu/lanes/lanes.h"
#include "ops/cpu/signature.h"
#include "ops/cpu/steps.h"
#include "support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

/* One group of paths of mixed lengths. */
typedef struct {
    sigad_plan *plan;
    const sg_lane_kernels *lanes;
    int rows;
    int64_t length, lengths[MOST], room[MOST];
    double time[MOST];
    double *path[MOST], *g[MOST];
} group;

static double draw(uint64_t seed, uint64_t i)
{
    return 2 * sg_random_uniform(seed, i) - 1;
}

static void *make(size_t count, size_t size)
{
    void *block = calloc(count + 1, size);
    cr_assert_not_null(block);
    return block;
}

/* A random walk; what lies beyond a path's end must not be looked at. */
static double *draw_path(int64_t length, int64_t points, int64_t d, uint64_t seed)
{
    double *path = make((size_t)(points * d), sizeof *path);
    for (int64_t i = 0; i < points * d; i++)
        path[i] = i / d >= length ? NAN : (i < d ? 1 : path[i - d]) + 0.3 * draw(seed, (uint64_t)i);
    return path;
}

static group group_create(const sigad_sig_spec *spec, const sg_lane_kernels *lanes, int rows,
                          int64_t length, uint64_t seed)
{
    group t = {.lanes = lanes, .rows = rows, .length = length};
    cr_assert_eq(sigad_plan_create(spec, &t.plan), SIGAD_OK);
    for (int r = 0; r < rows; r++) {
        uint64_t key = sg_random_key(seed, (uint64_t)r);
        t.lengths[r] =
            r == 0 ? length : (int64_t)(sg_random_uniform(key, 1u << 30) * (double)(length + 1));
        t.room[r] = r % 2 ? length : t.lengths[r];
        t.time[r] = sg_time_step(t.plan, t.lengths[r]);
        t.path[r] = draw_path(t.lengths[r], length, spec->dimension, key);
        t.g[r] = make((size_t)t.plan->sig_length, sizeof(double));
        for (int64_t i = 0; i < t.plan->sig_length; i++)
            t.g[r][i] = draw(key, (uint64_t)i + 7777777);
    }
    return t;
}

static void group_destroy(group *t)
{
    for (int r = 0; r < t->rows; r++) {
        free(t->path[r]);
        free(t->g[r]);
    }
    sigad_plan_destroy(t->plan);
}

static void *narrow(const double *from, int64_t n)
{
    float *to = make((size_t)n, sizeof *to);
    for (int64_t i = 0; i < n; i++) to[i] = (float)from[i];
    return to;
}

static void check(const group *t, bool single, const char *where)
{
    const sigad_plan *plan = t->plan;
    int64_t n = t->length * plan->spec.dimension, m = plan->sig_length;
    size_t bytes = single ? sizeof(float) : sizeof(double);
    double tolerance = single ? 2e-5 : 1e-13;
    const void *path[MOST], *g[MOST];
    void *sig[MOST], *path_bar[MOST];
    for (int r = 0; r < t->rows; r++) {
        path[r] = single ? narrow(t->path[r], n) : t->path[r];
        g[r] = single ? narrow(t->g[r], m) : t->g[r];
        sig[r] = make((size_t)m, bytes);
        path_bar[r] = make((size_t)n, bytes);
    }
    bool both = sg_lanes_serve_backward(plan, sg_steps(plan, t->length)); /* else forward alone */
    size_t need = (size_t)t->lanes->sig_bytes(plan, t->length),
           back = both ? (size_t)t->lanes->sig_vjp_bytes(plan, t->length) : 0;
    size_t most = (need > back ? need : back) / 64 * 64 + 64;
    void *work = aligned_alloc(64, most);
    memset(work, 0xff, most); /* NaNs */
    t->lanes->sig(plan, t->length, t->rows, t->lengths, t->room, t->time, path, sig, work);
    memset(work, 0xff, most);
    if (both)
        t->lanes->sig_vjp(plan, t->length, t->rows, t->lengths, t->room, t->time, path, g, path_bar,
                          work);

    void *plain = aligned_alloc(
        64, (size_t)(sg_sig_work_f64(plan, t->length) + sg_sig_vjp_work_f64(plan, t->length)) *
                    sizeof(double) +
                64);
    for (int r = 0; r < t->rows; r++) {
        double *want = make((size_t)m, sizeof *want), *want_bar = make((size_t)n, sizeof *want);
        sg_sig_f64(plan, t->lengths[r], t->path[r], want, plain);
        sg_sig_vjp_f64(plan, t->lengths[r], t->path[r], t->g[r], want_bar, plain);
        double error = numbers_distance(single, m, sig[r], want),
               error_bar = both ? numbers_distance(single, n, path_bar[r], want_bar) : 0;
        cr_assert(
            error <= tolerance && error_bar <= 8 * tolerance,
            "%s: lane %d of %d, d %d, N %d, length %lld of %lld, time %d, lead-lag %d: %g and %g",
            where, r, t->rows, (int)plan->spec.dimension, (int)plan->degree,
            (long long)t->lengths[r], (long long)t->length, (int)plan->spec.time_aug,
            (int)plan->spec.lead_lag, error, error_bar);
        free(want);
        free(want_bar);
        free(sig[r]);
        free(path_bar[r]);
        if (single) free((void *)(uintptr_t)path[r]), free((void *)(uintptr_t)g[r]);
    }
    free(plain);
    free(work);
}

/* Every instruction set, both reals. */
static void check_all(const sigad_sig_spec *spec, int rows, int64_t length, uint64_t seed)
{
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int single = 0; single < 2; single++) {
            const sg_lane_kernels *lanes = (single ? sg_lanes_f32 : sg_lanes_f64)[isa];
            group t =
                group_create(spec, lanes, rows < lanes->lanes ? rows : lanes->lanes, length, seed);
            cr_assert(sg_lanes_serve_forward(t.plan, sg_steps(t.plan, length)));
            check(&t, single, sg_isa_name((sg_isa)isa));
            group_destroy(&t);
        }
}

static sigad_sig_spec spec_of(int32_t d, int32_t degree, int flags)
{
    return (sigad_sig_spec){SIGAD_SIG_SPEC_INIT,
                            .dimension = d,
                            .degree = degree,
                            .time_aug = flags & 1,
                            .lead_lag = flags >> 1 & 1,
                            .scalar_term = flags >> 2 & 1,
                            .end_time = 0.7};
}

/* Each number of letters has tiles of its own; each degree has a tree of its own depth. */
Test(lanes, every_number_of_letters)
{
    for (int32_t d = 2; d <= SG_LANE_LETTERS; d++)
        for (int32_t degree = 2; degree <= (d <= 3 ? 5 : d <= 6 ? 4 : 3); degree++) {
            sigad_sig_spec spec = spec_of(d, degree, 0);
            check_all(&spec, MOST, 9, (uint64_t)(100 * d + degree));
        }
}

/* Blocks of 64 increments forward, 32 backward, spans of 32 such blocks. */
Test(lanes, lengths_around_blocks)
{
    const int64_t length[] = {2, 3, 32, 33, 34, 64, 65, 66, 129, 1024, 1025, 1026, 2500};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int flags = 0; flags < 4; flags++) {
            sigad_sig_spec spec = spec_of(2, 3, flags);
            check_all(&spec, MOST, length[i], 31 * i);
        }
}

Test(lanes, groups_of_every_size_with_every_augmentation)
{
    for (int rows = 1; rows <= MOST; rows++)
        for (int flags = 0; flags < 8; flags++) {
            sigad_sig_spec spec = spec_of(1 + rows % 2 + !(flags & 2), 2 + rows % 4, flags);
            if (spec.dimension * (1 + spec.lead_lag) + spec.time_aug < 2) continue;
            check_all(&spec, rows, 40, (uint64_t)(rows * 8 + flags));
        }
}

/* Tiles of half of the letters, with and without the core. */
Test(lanes, lead_lag_with_every_number_of_letters)
{
    for (int32_t d = 1; d <= SG_LANE_LETTERS / 2; d++)
        for (int flags = 2; flags < 4; flags++)
            for (int32_t degree = 3; degree <= (d <= 2 ? 6 : 4); degree++) {
                sigad_sig_spec spec = spec_of(d, degree, flags);
                if (2 * d + spec.time_aug > SG_LANE_LETTERS) continue;
                spec.kernel = degree == 3 ? SIGAD_KERNEL_PLAIN : SIGAD_KERNEL_CORE;
                check_all(&spec, MOST, 4 + d, (uint64_t)(10 * d + flags));
                spec.kernel = SIGAD_KERNEL_AUTO;
                check_all(&spec, 3, 42, (uint64_t)(10 * d + flags));
            }
}

/* Lead-lag by iterated sums, which forward need 48 increments, or less: each number of channels has
 * tiles of its own, with and without time; each degree has a tree of its own depth. */
Test(lanes, iterated_sums)
{
    for (int32_t d = 1; d <= SG_SUM_CHANNELS; d++)
        for (int flags = 2; flags < 4; flags++)
            for (int32_t degree = 2; degree <= SG_SUM_DEGREE; degree++) {
                sigad_sig_spec spec = spec_of(d, degree, flags | (d & 1) << 2);
                int64_t length;
                cr_assert_eq(sigad_sig_length(&spec, &length), SIGAD_OK);
                if (2 * d + spec.time_aug > SG_CORE_LANE_LETTERS || length > 8000) continue;
                check_all(&spec, 1 + d, 7 + d % 2, (uint64_t)(10 * d + flags));
                check_all(&spec, MOST, 26, (uint64_t)(20 * d + flags));
            }
}

/* They take 32 increments at a time forward and 16 backward; floats are cut into chunks. */
Test(lanes, iterated_sums_in_blocks)
{
    const int64_t length[] = {2, 3, 4, 5, 16, 17, 18, 32, 33, 34, 65, 66, 130, 200, 600};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int flags = 2; flags < 4; flags++) {
            sigad_sig_spec spec = spec_of(2, 2 + (int32_t)i % 3, flags);
            check_all(&spec, MOST, length[i], 17 * i);
        }
}

/* Exactly where they are meant to be. */
Test(lanes, iterated_sums_exist)
{
    for (int32_t kernel = 0; kernel <= 2; kernel++)
        for (int32_t degree = 1; degree <= SG_SUM_DEGREE + 1; degree++)
            for (int flags = 0; flags < 4; flags++) {
                sigad_sig_spec spec = spec_of(2, degree, flags);
                sigad_plan *plan;
                spec.kernel = kernel;
                cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
                cr_assert_eq(plan->sums != NULL, kernel == SIGAD_KERNEL_AUTO && flags & 2 &&
                                                     degree > 1 && degree <= SG_SUM_DEGREE);
                sigad_plan_destroy(plan);
            }
}

/* Degree 2 has vectors along the points of one path: several points in a vector, one, or one in
 * two; 64 vectors in a block, and what whole vectors leave over. */
Test(lanes, degree_two_along_points)
{
    const int64_t length[] = {1, 2, 5, 12, 33, 66, 130, 1050};
    for (int32_t d = 2; d <= SG_CORE_LANE_LETTERS; d++)
        for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
            sigad_sig_spec spec = spec_of(d, 2, i % 2 ? 0 : 4);
            check_all(&spec, 1 + d % 3, length[i], (uint64_t)(100 * d) + i);
        }
}

/* The core of degree 3, whose first block starts from nothing; 6 increments or more. */
Test(lanes, core_of_three_in_blocks)
{
    const int64_t length[] = {7, 34, 66, 130};
    for (int32_t d = 2; d <= SG_CORE_LANE_LETTERS; d += d < 6 ? 1 : 3)
        for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
            sigad_sig_spec spec = spec_of(d, 3, 4);
            check_all(&spec, 1 + d % 3, length[i], (uint64_t)(100 * d) + i);
        }
}

/* The core of degree 4: few letters without streams, more with them, and a top level that is
 * completed by first letters; in one block, in several, and in chunks that are joined. */
Test(lanes, core_of_four)
{
    const int32_t letters[] = {2, 3, 4, 5, 8, 12, 13, 16};
    for (size_t l = 0; l < sizeof letters / sizeof *letters; l++) {
        int32_t d = letters[l];
        const int64_t length[] = {2, 31, d <= 5 ? 66 : 33, d <= 5 ? 170 : 31};
        for (size_t i = 0; d <= SG_CORE_LANE_LETTERS && i < sizeof length / sizeof *length; i++) {
            sigad_sig_spec spec = spec_of(d - d / 3 % 2, 4, d / 3 % 2);
            spec.kernel = SIGAD_KERNEL_CORE;
            check_all(&spec, d > 8 ? 1 : MOST, length[i], (uint64_t)(100 * d) + i);
        }
    }
}

/* The last three levels of a letter at once, of all words and of the core. */
Test(lanes, three_levels_at_once)
{
    for (int32_t d = 2; d <= 5; d++)
        for (int32_t degree = 3; degree <= 7 - d / 4; degree++)
            for (int kernel = SIGAD_KERNEL_PLAIN; kernel <= SIGAD_KERNEL_CORE; kernel++) {
                sigad_sig_spec spec = spec_of(d, degree, 0);
                spec.kernel = kernel;
                check_all(&spec, 3, 67, (uint64_t)(100 * d + degree));
            }
}

/* The wide core, in one piece and in chunks: each degree has a tree of its own depth, and few
 * letters have tiles of two and three levels; blocks of 64 increments. */
Test(lanes, wide_core)
{
    for (int32_t d = 2; d <= 8 && d <= SG_LANE_LETTERS; d++)
        for (int32_t degree = 5; degree <= (d == 2 ? 8 : d == 3 ? 7 : d == 4 ? 6 : 5); degree++) {
            sigad_sig_spec spec = spec_of(d, degree, (d & 1) << 2);
            check_all(&spec, MOST, SG_WIDE_STEPS + 1, (uint64_t)(100 * d + degree));
        }
    for (int32_t degree = 8; degree <= SG_WIDE_MOST; degree++)
        for (int64_t steps = 47; steps <= 151; steps += steps == 48    ? 31
                                                        : steps == 80  ? 20
                                                        : steps == 100 ? 49
                                                                       : 1) {
            sigad_sig_spec spec = spec_of(2, degree, 0);
            check_all(&spec, 3, steps + 1, (uint64_t)(degree + steps));
        }
    for (int flags = 1; flags < 5; flags += 4) {
        sigad_sig_spec spec = spec_of(3, 6, flags);
        check_all(&spec, MOST, 70, (uint64_t)flags);
    }
}

/* Where the route takes it: from SG_WIDE_STEPS on, in degrees 5 to SG_WIDE_MOST, where there is no
 * better core and nobody asks for a kernel. */
Test(lanes, where_the_wide_core_is_taken)
{
    for (int32_t degree = 4; degree <= SG_WIDE_MOST + 1; degree++)
        for (int32_t kernel = 0; kernel <= 2; kernel++) {
            sigad_sig_spec spec = spec_of(2, degree, 0);
            sigad_plan *plan;
            bool possible = kernel == 0 && degree >= 5 && degree <= SG_WIDE_MOST;
            spec.kernel = kernel;
            cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
            sg_lane_route few = sg_lanes_route(plan, SG_WIDE_STEPS, false, 64),
                          some = sg_lanes_route(plan, 119, false, 64),
                          many = sg_lanes_route(plan, 10000, false, 64);
            cr_assert_eq(few.wide, possible && degree <= 7);
            cr_assert_eq(some.wide, possible && degree >= 7);
            cr_assert_eq(many.wide, possible && degree > 10);
            cr_assert(!some.wide || some.joins == (degree <= 10 ? 1 : 2));
            cr_assert_not(some.wide && some.core);
            sigad_plan_destroy(plan);
        }
}

/* ---- several groups ---- */

enum { GROUPS = 3 };

/* The rows of one group again and again, the last group not full: the same bits as alone. */
static void check_groups(const group *t, bool single, const char *where)
{
    const sigad_plan *plan = t->plan;
    int rows = t->rows, all = GROUPS * rows - rows / 2;
    int64_t n = t->length * plan->spec.dimension, m = plan->sig_length, lengths[GROUPS * MOST],
            room[GROUPS * MOST];
    size_t bytes = single ? sizeof(float) : sizeof(double);
    size_t need = (size_t)t->lanes->sig_bytes(plan, t->length) / 64 * 64 + 64;
    double time[GROUPS * MOST];
    const void *path[GROUPS * MOST];
    void *alone[MOST], *sig[GROUPS * MOST], *work = aligned_alloc(64, need);
    for (int r = 0; r < all; r++) {
        lengths[r] = t->lengths[r % rows];
        room[r] = t->room[r % rows];
        time[r] = t->time[r % rows];
        path[r] = r >= rows ? path[r - rows] : single ? narrow(t->path[r], n) : t->path[r];
        sig[r] = make((size_t)m, bytes);
        if (r < rows) alone[r] = make((size_t)m, bytes);
    }
    t->lanes->sig(plan, t->length, rows, lengths, room, time, path, alone, work);
    memset(work, 0xff, need);
    t->lanes->sig(plan, t->length, all, lengths, room, time, path, sig, work);
    for (int r = 0; r < all; r++)
        cr_assert_eq(memcmp(sig[r], alone[r % rows], (size_t)m * bytes), 0,
                     "%s: row %d, d %d, N %d, length %lld", where, r, (int)plan->spec.dimension,
                     (int)plan->degree, (long long)t->length);
    for (int r = 0; r < all; r++) {
        free(sig[r]);
        if (r < rows) free(alone[r]);
        if (r < rows && single) free((void *)(uintptr_t)path[r]);
    }
    free(work);
}

/* Each way of taking increments, and of completing the core, which shares room with streams. */
Test(lanes, several_groups_at_once)
{
    const struct {
        int32_t d, degree;
        int64_t length;
        int flags;
    } shape[] = {{3, 2, 20, 0}, {3, 2, 20, 1}, {2, 3, 20, 0}, {5, 3, 20, 0},  {2, 5, 8, 0},
                 {3, 4, 20, 0}, {5, 4, 40, 0}, {4, 4, 60, 4}, {3, 5, 100, 0}, {3, 6, 100, 0},
                 {2, 4, 20, 2}, {3, 7, 10, 4}, {7, 4, 40, 0}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape && shape[i].d <= SG_LANE_LETTERS; i++)
        for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
            for (int single = 0; single < 2; single++) {
                const sg_lane_kernels *lanes = (single ? sg_lanes_f32 : sg_lanes_f64)[isa];
                sigad_sig_spec spec = spec_of(shape[i].d, shape[i].degree, shape[i].flags);
                group t = group_create(&spec, lanes, lanes->lanes, shape[i].length, i);
                check_groups(&t, single, sg_isa_name((sg_isa)isa));
                group_destroy(&t);
            }
}

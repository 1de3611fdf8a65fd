/* Kernels of half as many lanes do to each path what those of whole groups do, to the bit; so a
 * call may take them for the sake of its threads. */
#include "core/random.h"
#include "ops/cpu/lanes/lanes.h"
#include "ops/cpu/steps.h"
#include "ops/signature_route.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void *make(int64_t bytes)
{
    size_t whole = (size_t)(bytes / 64 + 1) * 64;
    void *block = aligned_alloc(64, whole);
    cr_assert_not_null(block);
    memset(block, 0, whole);
    return block;
}

static void *draw_array(bool single, int64_t count, double scale, uint64_t seed)
{
    void *array = make(count * (single ? 4 : 8));
    for (int64_t i = 0; i < count; i++) {
        double x = scale * (2 * sg_random_uniform(seed, (uint64_t)i) - 1);
        if (single)
            ((float *)array)[i] = (float)x;
        else
            ((double *)array)[i] = x;
    }
    return array;
}

/* ---- kernels ---- */

typedef struct {
    const sigad_plan *plan;
    bool single;
    int64_t length, lengths[SG_MOST_LANES], room[SG_MOST_LANES];
    double time[SG_MOST_LANES];
    char *x, *y_bar;      /* [rows, x_row], [rows, y_row] bytes */
    int64_t x_row, y_row; /* bytes */
} rows_of_paths;

/* Forward, or backward, of rows first .. first + count - 1. */
static void run_paths(const sg_lane_kernels *k, const rows_of_paths *p, bool back, int first,
                      int count, char *out)
{
    const void *x[SG_MOST_LANES], *g[SG_MOST_LANES];
    void *to[SG_MOST_LANES];
    for (int r = 0; r < count; r++) {
        x[r] = p->x + (first + r) * p->x_row;
        g[r] = p->y_bar + (first + r) * p->y_row;
        to[r] = out + (first + r) * (back ? p->x_row : p->y_row);
    }
    int64_t bytes = (back ? k->sig_vjp_bytes : k->sig_bytes)(p->plan, p->length);
    void *work = make(bytes);
    memset(work, 0xff, (size_t)bytes);
    if (back)
        k->sig_vjp(p->plan, p->length, count, p->lengths + first, p->room + first, p->time + first,
                   x, g, to, work);
    else
        k->sig(p->plan, p->length, count, p->lengths + first, p->room + first, p->time + first, x,
               to, work);
    free(work);
}

static void compare_paths(const sg_lane_kernels *whole, const sg_lane_kernels *half,
                          const rows_of_paths *p, bool back)
{
    const int lanes = whole->lanes;
    int64_t bytes = lanes * (back ? p->x_row : p->y_row);
    char *want = make(bytes), *out = make(bytes);
    run_paths(whole, p, back, 0, lanes, want);
    for (int r = 0; r < lanes; r += half->lanes) run_paths(half, p, back, r, half->lanes, out);
    cr_expect_eq(memcmp(want, out, (size_t)bytes), 0,
                 "single %d, back %d, d %d, N %d, length %lld, time %d, lead-lag %d", p->single,
                 back, (int)p->plan->spec.dimension, (int)p->plan->degree, (long long)p->length,
                 (int)p->plan->spec.time_aug, (int)p->plan->spec.lead_lag);
    free(want);
    free(out);
}

static void check_paths(const sigad_sig_spec *spec, int64_t length, bool single)
{
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(spec, &plan), SIGAD_OK);
    const sg_lane_kernels *whole = (single ? sg_lanes_f32 : sg_lanes_f64)[plan->isa],
                          *half = (single ? sg_half_lanes_f32 : sg_half_lanes_f64)[plan->isa];
    int64_t scalar = single ? 4 : 8, steps = sg_steps(plan, length);
    bool closed = half && (sg_lanes_sig_is_closed(plan, whole->pairs_letters) ||
                           sg_lanes_sig_is_closed(plan, half->pairs_letters));
    if (half && !closed && sg_lanes_serve_forward(plan, steps)) {
        cr_assert_eq(2 * half->lanes, whole->lanes);
        rows_of_paths p = {.plan = plan, .single = single, .length = length};
        p.x_row = length * spec->dimension * scalar;
        p.y_row = plan->sig_length * scalar;
        p.x = draw_array(single, whole->lanes * length * spec->dimension, 0.1, (uint64_t)length);
        p.y_bar = draw_array(single, whole->lanes * plan->sig_length, 1, 77);
        for (int r = 0; r < whole->lanes; r++) {
            p.lengths[r] = r % 3 ? length : length - length * r / (2 * whole->lanes);
            p.room[r] = length;
            p.time[r] = sg_time_step(plan, p.lengths[r]);
        }
        compare_paths(whole, half, &p, false);
        if (sg_lanes_serve_backward(plan, steps)) compare_paths(whole, half, &p, true);
        free(p.x);
        free(p.y_bar);
    }
    sigad_plan_destroy(plan);
}

/* All ways to compute a signature: all words, cores of each kind, alone and joined, sums. The last
 * ones are large: their top levels are written in parts, or they are joined for want of room in
 * other places than vectors of half the size would be. */
Test(half_lanes, do_the_same_to_paths)
{
    const int64_t length[] = {2, 8, 40, 101, 300};
    for (int32_t d = 2; d <= SG_CORE_LANE_LETTERS; d++)
        for (int32_t degree = 2; degree <= (d == 2 ? 11 : d == 3 ? 7 : d <= 5 ? 5 : 3); degree++)
            for (int i = 0; i < 5; i++)
                for (int single = 0; single < 2; single++) {
                    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,
                                           .dimension = d,
                                           .degree = degree,
                                           .time_aug = (d + i) % 3 == 0,
                                           .lead_lag = d <= 4 && degree <= 4 && i % 2,
                                           .scalar_term = i % 2,
                                           .end_time = 0.7};
                    check_paths(&spec, length[i], single);
                }
    const int32_t large[][2] = {{8, 5}, {16, 4}, {11, 4}};
    for (int i = 0; i < 6 && large[i / 2][0] <= SG_CORE_LANE_LETTERS; i++) {
        sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = large[i / 2][0],
                               .degree = large[i / 2][1]};
        check_paths(&spec, 50, i % 2);
    }
}

static void run_rows(const sg_lane_kernels *k, const sigad_plan *plan, bool exp, bool back,
                     int64_t x_row, int64_t y_row, int first, char *x, char *y_bar, char *out)
{
    const sg_lane_transform *t = exp ? &k->exp : &k->log;
    const void *from[SG_MOST_LANES], *g[SG_MOST_LANES];
    void *to[SG_MOST_LANES],
        *work = make((back ? k->transform_vjp_bytes : k->transform_bytes)(plan));
    for (int r = 0; r < k->lanes; r++) {
        from[r] = x + (first + r) * x_row;
        g[r] = y_bar + (first + r) * y_row;
        to[r] = out + (first + r) * (back ? x_row : y_row);
    }
    if (back)
        t->vjp(plan, k->lanes, from, g, to, work);
    else
        t->fwd(plan, k->lanes, from, to, work);
    free(work);
}

static void check_rows(const sigad_plan *plan, bool exp, bool back, bool single)
{
    const sg_lane_kernels *whole = (single ? sg_lanes_f32 : sg_lanes_f64)[plan->isa],
                          *half = (single ? sg_half_lanes_f32 : sg_half_lanes_f64)[plan->isa];
    int64_t x_entries = exp ? plan->log_sig_length : plan->sig_length,
            y_entries = exp ? plan->sig_length : plan->log_sig_length, scalar = single ? 4 : 8,
            x_row = x_entries * scalar, y_row = y_entries * scalar;
    if (!half || !sg_lanes_transform(plan)) return;
    char *x = draw_array(single, whole->lanes * x_entries, 0.3, 5),
         *y_bar = draw_array(single, whole->lanes * y_entries, 1, 6);
    int64_t bytes = whole->lanes * (back ? x_row : y_row);
    char *want = make(bytes), *out = make(bytes);
    run_rows(whole, plan, exp, back, x_row, y_row, 0, x, y_bar, want);
    for (int r = 0; r < whole->lanes; r += half->lanes)
        run_rows(half, plan, exp, back, x_row, y_row, r, x, y_bar, out);
    cr_expect_eq(memcmp(want, out, (size_t)bytes), 0, "exp %d, back %d, single %d, d %d, N %d, %d",
                 exp, back, single, (int)plan->spec.dimension, (int)plan->degree,
                 (int)plan->spec.method);
    free(x);
    free(y_bar);
    free(want);
    free(out);
}

Test(half_lanes, do_the_same_to_tensors)
{
    for (int32_t d = 2; d <= SG_LANE_LETTERS; d++)
        for (int32_t degree = 2; degree <= (d == 2 ? 8 : d <= 4 ? 5 : 3); degree++)
            for (int i = 0; i < 24; i++) {
                sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = d, .degree = degree,
                                       .method = i / 8, .scalar_term = d % 2};
                sigad_plan *plan;
                cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
                check_rows(plan, i & 1, i & 2, i & 4);
                sigad_plan_destroy(plan);
            }
}

/* ---- calls ---- */

/* One full group on one thread; two halves, or as few groups as there are threads, on several. */
Test(half_lanes, are_taken_for_threads)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 5, .degree = 5};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    const sg_lane_kernels *whole = sg_lanes_f64[plan->isa], *half = sg_half_lanes_f64[plan->isa];
    const struct {
        int lanes, threads, halves;
    } call[] = {{8, 1, 0}, {8, 2, 1}, {8, 3, 1}, {16, 2, 0}, {16, 4, 1}, {24, 2, 1}, {24, 3, 0}};
    for (size_t i = 0; half && i < sizeof call / sizeof *call; i++)
        for (int what = SG_BATCH_FWD; what <= SG_BATCH_VJP; what++) {
            sg_signature_batch b = {.kernels = &sg_sig_kernels,
                                    .plan = plan,
                                    .scalar = SG_F64,
                                    .batch = call[i].lanes,
                                    .length = 60,
                                    .threads = call[i].threads};
            sg_signature_layout l = sg_signature_lay_out(&b, what);
            cr_expect_eq(l.lanes, call[i].halves ? half : whole, "%d paths, %d threads",
                         call[i].lanes, call[i].threads);
        }
    sigad_plan_destroy(plan);
}

/* Of degree 2 vectors may run along the points, and sums depend on how wide they are. */
Test(half_lanes, are_not_taken_where_bits_would_change)
{
    const sg_signature_kernels *const kernels[] = {&sg_sig_kernels, &sg_log_sig_kernels};
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 4, .degree = 2, .method = 2};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    for (int i = 0; i < 2; i++)
        for (int batch = 1; batch <= 24; batch++) {
            sg_signature_batch b = {.kernels = kernels[i],
                                    .plan = plan,
                                    .scalar = SG_F64,
                                    .batch = batch,
                                    .length = 2000,
                                    .threads = 1};
            sg_signature_layout alone = sg_signature_lay_out(&b, SG_BATCH_FWD);
            b.threads = 2;
            cr_expect_eq(sg_signature_lay_out(&b, SG_BATCH_FWD).lanes, alone.lanes);
        }
    sigad_plan_destroy(plan);
}

Test(half_lanes, leave_the_bits_of_a_call)
{
    enum { D = 5, LENGTH = 60, MOST = 24 };
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = D, .degree = 4, .method = 2};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    int64_t entries = plan->log_sig_length;
    double *path = draw_array(false, MOST * LENGTH * D, 0.1, 1),
           *g = draw_array(false, MOST * entries, 1, 2);
    double *log = make(2 * MOST * entries * 8), *back = make(2 * MOST * LENGTH * D * 8);
    for (int batch = 3; batch <= MOST; batch += 3)
        for (int threads = 1; threads <= 4; threads++) {
            int other = threads > 1;
            double *log_now = log + other * MOST * entries, *now = back + other * MOST * LENGTH * D;
            cr_assert_eq(sigad_log_sig_f64(plan, batch, LENGTH, NULL, path, log_now, threads),
                         SIGAD_OK);
            cr_assert_eq(
                sigad_log_sig_backprop_f64(plan, batch, LENGTH, NULL, path, g, now, threads),
                SIGAD_OK);
            cr_expect_eq(memcmp(log, log_now, (size_t)(batch * entries) * 8), 0);
            cr_expect_eq(memcmp(back, now, (size_t)(batch * LENGTH * D) * 8), 0);
        }
    free(path);
    free(g);
    free(log);
    free(back);
    sigad_plan_destroy(plan);
}

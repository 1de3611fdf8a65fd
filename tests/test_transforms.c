/* sig_to_log_sig and logsig_to_sig of every instruction set that this processor has, one item at a
 * time and one per vector lane, against the kernels for complex numbers and the plain references.
 */
#include "core/random.h"
#include "ops/cpu/lanes/lanes.h"
#include "ops/cpu/signature.h"
#include "ops/cpu/signature_ref.h"
#include "ops/signature_batch.h"
#include "support/numbers.h"
#include <complex.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

static double draw(uint64_t key, int64_t i)
{
    return 2 * sg_random_uniform(key, (uint64_t)i) - 1;
}

static void *make(int64_t count, size_t size)
{
    void *block = calloc((size_t)count + 1, size);
    cr_assert_not_null(block);
    return block;
}

static void *make_work(int64_t bytes)
{
    void *work = aligned_alloc(64, (size_t)(bytes + 64) / 64 * 64);
    cr_assert_not_null(work);
    return work;
}

/* Numbers in [-scale, scale], as float or double, in a block of just their size. */
static void *draw_row(bool single, int64_t n, double scale, uint64_t key)
{
    void *row = make(n - 1, single ? sizeof(float) : sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        double value = (double)(float)(scale * draw(key, i));
        if (single)
            ((float *)row)[i] = (float)value;
        else
            ((double *)row)[i] = value;
    }
    return row;
}

static sigad_plan *plan_of(int32_t d, int32_t degree, int32_t method, int scalar_term)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = d, .degree = degree, .method = method,
                           .scalar_term = (uint8_t)scalar_term};
    sigad_plan *plan = NULL;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    return plan;
}

/* ---- every instruction set against complex numbers ------------------------------------------ */

typedef struct {
    const sigad_plan *plan;
    bool exp, single;
    int64_t x_entries, y_entries;
    const char *where;
} transform;

static const double start = 0.25; /* what backward finds in x_bar and adds to */

static double _Complex *complex_of(bool single, int64_t n, const void *row)
{
    double _Complex *wide = make(n, sizeof *wide);
    for (int64_t i = 0; i < n; i++) wide[i] = row ? numbers_entry(single, row, i) : start;
    return wide;
}

static double *real_parts(int64_t n, const double _Complex *row)
{
    double *real = make(n, sizeof *real);
    for (int64_t i = 0; i < n; i++) real[i] = creal(row[i]);
    return real;
}

static void check_row(const transform *t, const void *x, const void *y_bar, const void *y,
                      const void *x_bar)
{
    const sigad_plan *plan = t->plan;
    int64_t n = t->x_entries, m = t->y_entries;
    double _Complex *xc = complex_of(t->single, n, x), *yc_bar = complex_of(t->single, m, y_bar);
    double _Complex *yc = make(m, sizeof *yc), *xc_bar = complex_of(t->single, n, NULL);
    int64_t need = (t->exp ? sg_logsig_to_sig_work : sg_sig_to_log_sig_work)(plan, 0) +
                   (t->exp ? sg_logsig_to_sig_vjp_work : sg_sig_to_log_sig_vjp_work)(plan, 0);
    void *work = make_work(need * (int64_t)sizeof *xc);
    (t->exp ? sg_logsig_to_sig_c64 : sg_sig_to_log_sig_c64)(plan, 0, xc, yc, work);
    (t->exp ? sg_logsig_to_sig_vjp_c64 : sg_sig_to_log_sig_vjp_c64)(plan, 0, xc, yc_bar, xc_bar,
                                                                    work);
    double *want = real_parts(m, yc), *want_bar = real_parts(n, xc_bar);
    double tolerance = t->single ? 2e-5 : 4e-14;
    double error = numbers_distance(t->single, m, y, want),
           error_bar = numbers_distance(t->single, n, x_bar, want_bar);
    cr_assert(error <= tolerance && error_bar <= tolerance,
              "%s, single %d, exp %d, d %d, N %d, method %d, scalar %d: %g and %g", t->where,
              t->single, t->exp, (int)plan->spec.dimension, (int)plan->degree,
              (int)plan->spec.method, (int)plan->spec.scalar_term, error, error_bar);
    free(xc);
    free(yc_bar);
    free(yc);
    free(xc_bar);
    free(work);
    free(want);
    free(want_bar);
}

typedef struct {
    void *x, *y_bar, *y, *x_bar;
} row;

static row row_create(const transform *t, uint64_t key)
{
    size_t size = t->single ? sizeof(float) : sizeof(double);
    row r = {.x = draw_row(t->single, t->x_entries, 0.5, key),
             .y_bar = draw_row(t->single, t->y_entries, 0.5, sg_random_key(key, 1)),
             .y = make(t->y_entries - 1, size),
             .x_bar = make(t->x_entries - 1, size)};
    for (int64_t i = 0; i < t->x_entries; i++)
        if (t->single)
            ((float *)r.x_bar)[i] = (float)start;
        else
            ((double *)r.x_bar)[i] = start;
    return r;
}

static void row_destroy(row *r)
{
    free(r->x);
    free(r->y_bar);
    free(r->y);
    free(r->x_bar);
}

static void check_lanes(const transform *t, const sg_lane_kernels *lanes, int count, uint64_t seed)
{
    const sg_lane_transform *kernels = t->exp ? &lanes->exp : &lanes->log;
    const void *x[MOST], *y_bar[MOST];
    void *y[MOST], *x_bar[MOST];
    row rows[MOST];
    if (count > lanes->lanes) count = lanes->lanes;
    for (int r = 0; r < count; r++) {
        rows[r] = row_create(t, sg_random_key(seed, (uint64_t)r));
        x[r] = rows[r].x;
        y_bar[r] = rows[r].y_bar;
        y[r] = rows[r].y;
        x_bar[r] = rows[r].x_bar;
    }
    void *work = make_work(lanes->transform_bytes(t->plan));
    kernels->fwd(t->plan, count, x, y, work);
    free(work);
    work = make_work(lanes->transform_vjp_bytes(t->plan));
    kernels->vjp(t->plan, count, x, y_bar, x_bar, work);
    free(work);
    for (int r = 0; r < count; r++) {
        check_row(t, x[r], y_bar[r], y[r], x_bar[r]);
        row_destroy(&rows[r]);
    }
}

static void check_item(const transform *t, uint64_t seed)
{
    int64_t size = t->single ? sizeof(float) : sizeof(double);
    const sg_signature_kernels *kernels =
        t->exp ? &sg_logsig_to_sig_kernels : &sg_sig_to_log_sig_kernels;
    int scalar = t->single ? SG_F32 : SG_F64;
    row r = row_create(t, seed);
    void *work = make_work(kernels->fwd_work[scalar](t->plan, 0) * size);
    kernels->fwd[scalar](t->plan, 0, r.x, r.y, work);
    free(work);
    work = make_work(kernels->vjp_work[scalar](t->plan, 0) * size);
    kernels->vjp[scalar](t->plan, 0, r.x, r.y_bar, r.x_bar, work);
    free(work);
    check_row(t, r.x, r.y_bar, r.y, r.x_bar);
    row_destroy(&r);
}

/* Every instruction set, both reals, both directions; count 0: one item, without lanes. */
static void check_all(int32_t d, int32_t degree, int32_t method, int scalar_term, int count,
                      uint64_t seed)
{
    sigad_plan *plan = plan_of(d, degree, method, scalar_term);
    cr_assert(!count || sg_lanes_transform(plan));
    for (int exp = 0; exp < 2; exp++) {
        int64_t x_entries = exp ? plan->log_sig_length : plan->sig_length,
                y_entries = exp ? plan->sig_length : plan->log_sig_length;
        for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
            for (int single = 0; single < 2; single++) {
                transform t = {plan, exp, single, x_entries, y_entries, sg_isa_name((sg_isa)isa)};
                plan->isa = (sg_isa)isa;
                if (count)
                    check_lanes(&t, (single ? sg_lanes_f32 : sg_lanes_f64)[isa], count, seed);
                else
                    check_item(&t, seed);
            }
    }
    sigad_plan_destroy(plan);
}

/* The degree at which the words pass 400, one letter aside. */
static int32_t deepest(int32_t d)
{
    int32_t degree = 1;
    for (int64_t words = d; d > 1 && words < 400; words = words * d + d) degree++;
    return d == 1 ? 12 : degree;
}

Test(transforms, every_number_of_letters_and_degree)
{
    const int32_t letters[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                               13, 14, 15, 16, 17, 18, 19, 20, 33, 40, 100};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        for (int32_t degree = 1; degree <= deepest(letters[i]); degree++)
            for (int32_t method = 0; method < 3; method++) {
                int count = 1 + (int)(7 * i + (size_t)degree) % MOST;
                check_all(letters[i], degree, method, degree & 1, count, 100 * i + 7);
                check_all(letters[i], degree, method, degree & 1, 0, 100 * i + 8);
            }
}

/* Lanes take 256 words of the top level at once, or those of one prefix; one item, 1024 words of
 * any level, or those of one prefix. */
Test(transforms, more_words_than_a_stage)
{
    const int32_t shape[][2] = {{300, 2}, {16, 3}, {2, 11}, {3, 7}, {7, 4}, {1, 31}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int32_t method = 0; method < 3; method++)
            check_all(shape[i][0], shape[i][1], method, method & 1, 3, i);
}

Test(transforms, more_words_than_a_segment)
{
    const int32_t shape[][2] = {{12, 4}, {2, 11}, {3, 8}, {1, 100}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int32_t method = 0; method < 3; method++)
            check_all(shape[i][0], shape[i][1], method, method & 1, 0, i);
    check_all(1100, 2, SIGAD_LYNDON_WORDS, 0, 0, 9);
}

Test(transforms, groups_of_every_size)
{
    for (int count = 1; count <= MOST; count++)
        for (int32_t method = 0; method < 3; method++)
            check_all(2 + count % 3, 2 + count % 4, method, count & 1, count, (uint64_t)count);
}

/* ---- the operations on batches -------------------------------------------------------------- */

static void run_batch(sg_signature_batch *b, int what)
{
    b->scalar = SG_F64;
    b->threads = 1;
    b->work = make_work(sg_signature_work_bytes(b, what));
    sg_signature_run(b, what);
    free(b->work);
}

static void run(const sg_signature_kernels *kernels, const sigad_plan *plan, int64_t batch,
                int what, const double *x, const double *y_bar, const double *x_dot, double *out)
{
    sg_signature_batch b = {.kernels = kernels,
                            .plan = plan,
                            .batch = batch,
                            .x = x,
                            .y_bar = y_bar,
                            .x_dot = x_dot,
                            .out = out};
    run_batch(&b, what);
}

static void run_paths(const sg_signature_kernels *kernels, const sigad_plan *plan, int64_t batch,
                      int64_t length, int what, const double *path, const double *y_bar,
                      double *out)
{
    sg_signature_batch b = {.kernels = kernels,
                            .plan = plan,
                            .batch = batch,
                            .length = length,
                            .x = path,
                            .y_bar = y_bar,
                            .out = out};
    run_batch(&b, what);
}

Test(transforms, agree_with_the_definition)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        int32_t d = 1 + (int32_t)(seed % 4), degree = 1 + (int32_t)(seed / 4 % 4);
        sigad_plan *plan = plan_of(d, degree, (int32_t)(seed % 3), seed / 3 & 1);
        int64_t batch = 2 + (int64_t)(seed % 9), n = plan->sig_length, m = plan->log_sig_length;
        double *sig = draw_row(false, batch * n, 1, seed),
               *log = draw_row(false, batch * m, 1, seed + 1000);
        double *to_log = make(batch * m, sizeof(double)), *to_sig = make(batch * n, sizeof(double));
        run(&sg_sig_to_log_sig_kernels, plan, batch, SG_BATCH_FWD, sig, NULL, NULL, to_log);
        run(&sg_logsig_to_sig_kernels, plan, batch, SG_BATCH_FWD, log, NULL, NULL, to_sig);
        for (int64_t i = 0; i < batch; i++) {
            int64_t entries;
            double *want = sg_sig_to_log_sig_ref(&plan->spec, sig + i * n, &entries);
            cr_assert_eq(entries, m);
            cr_assert_lt(numbers_distance(false, m, to_log + i * m, want), 1e-13);
            free(want);
            want = sg_logsig_to_sig_ref(&plan->spec, log + i * m, &entries);
            cr_assert_eq(entries, n);
            cr_assert_lt(numbers_distance(false, n, to_sig + i * n, want), 1e-13);
            free(want);
        }
        free(sig);
        free(log);
        free(to_log);
        free(to_sig);
        sigad_plan_destroy(plan);
    }
}

Test(transforms, the_logarithm_undoes_the_exponential)
{
    const int32_t shape[][2] = {{1, 3}, {2, 2}, {2, 7}, {3, 5}, {5, 4}, {9, 3}, {20, 2}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int32_t method = 0; method < 3; method++) {
            sigad_plan *plan = plan_of(shape[i][0], shape[i][1], method, 0);
            int64_t batch = 11, n = plan->sig_length, m = plan->log_sig_length;
            double *log = draw_row(false, batch * m, 0.5, i), *back = make(batch * m, sizeof *back);
            double *sig = make(batch * n, sizeof *sig);
            run(&sg_logsig_to_sig_kernels, plan, batch, SG_BATCH_FWD, log, NULL, NULL, sig);
            run(&sg_sig_to_log_sig_kernels, plan, batch, SG_BATCH_FWD, sig, NULL, NULL, back);
            double error = numbers_distance(false, batch * m, back, log);
            cr_assert_lt(error, 1e-12, "d %d, N %d, method %d: %g", (int)shape[i][0],
                         (int)shape[i][1], (int)method, error);
            free(log);
            free(back);
            free(sig);
            sigad_plan_destroy(plan);
        }
}

static double inner(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* <y_bar, J v> = <J^T y_bar, v>; J v comes from complex numbers, one item at a time. */
Test(transforms, forward_and_backward_derivatives_are_adjoint)
{
    const int32_t shape[][2] = {{1, 4}, {2, 6}, {3, 4}, {4, 3}, {10, 2}, {17, 2}, {5, 1}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int turn = 0; turn < 6; turn++) {
            bool exp = turn & 1;
            sigad_plan *plan = plan_of(shape[i][0], shape[i][1], turn / 2, 1);
            const sg_signature_kernels *kernels =
                exp ? &sg_logsig_to_sig_kernels : &sg_sig_to_log_sig_kernels;
            int64_t batch = 5, n = exp ? plan->log_sig_length : plan->sig_length,
                    m = exp ? plan->sig_length : plan->log_sig_length;
            double *x = draw_row(false, batch * n, 0.7, i),
                   *v = draw_row(false, batch * n, 1, i + 1);
            double *y_bar = draw_row(false, batch * m, 1, i + 2);
            double *y_dot = make(batch * m, sizeof *y_dot), *x_bar = make(batch * n, sizeof *x_bar);
            run(kernels, plan, batch, SG_BATCH_JVP, x, NULL, v, y_dot);
            run(kernels, plan, batch, SG_BATCH_VJP, x, y_bar, NULL, x_bar);
            double left = inner(batch * m, y_bar, y_dot), right = inner(batch * n, x_bar, v);
            double size = sqrt(inner(batch * m, y_bar, y_bar) * inner(batch * m, y_dot, y_dot));
            cr_assert_leq(fabs(left - right), 1e-13 * size);
            free(x);
            free(v);
            free(y_bar);
            free(y_dot);
            free(x_bar);
            sigad_plan_destroy(plan);
        }
}

/* A group of log-signatures takes its logarithms in lanes, or row by row where they are too large.
 */
Test(transforms, log_signatures_are_logarithms_of_signatures)
{
    const int32_t shape[][2] = {{2, 4}, {4, 3}, {2, 16}, {13, 2}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        sigad_plan *plan = plan_of(shape[i][0], shape[i][1], (int32_t)(i % 3), 0);
        int64_t batch = 3, length = 6, n = length * plan->letters, m = plan->sig_length,
                l = plan->log_sig_length;
        double *path = draw_row(false, batch * n, 0.2, i), *bar = draw_row(false, batch * l, 1, 9);
        double *sig = make(batch * m, sizeof *sig), *sig_bar = make(batch * m, sizeof *sig);
        double *log = make(batch * l, sizeof *log), *want = make(batch * l, sizeof *log);
        double *path_bar = make(batch * n, sizeof *path), *want_bar = make(batch * n, sizeof *path);
        run_paths(&sg_sig_kernels, plan, batch, length, SG_BATCH_FWD, path, NULL, sig);
        run(&sg_sig_to_log_sig_kernels, plan, batch, SG_BATCH_FWD, sig, NULL, NULL, want);
        run(&sg_sig_to_log_sig_kernels, plan, batch, SG_BATCH_VJP, sig, bar, NULL, sig_bar);
        run_paths(&sg_sig_kernels, plan, batch, length, SG_BATCH_VJP, path, sig_bar, want_bar);
        run_paths(&sg_log_sig_kernels, plan, batch, length, SG_BATCH_FWD, path, NULL, log);
        run_paths(&sg_log_sig_kernels, plan, batch, length, SG_BATCH_VJP, path, bar, path_bar);
        cr_assert_lt(numbers_distance(false, batch * l, log, want), 1e-13);
        double error = numbers_distance(false, batch * n, path_bar, want_bar);
        double most =
            shape[i][1] > 8 ? 1e-6 : 1e-11; /* brackets of many letters are ill-conditioned */
        cr_assert_lt(error, most, "d %d, N %d: %g", (int)shape[i][0], (int)shape[i][1], error);
        free(path);
        free(bar);
        free(sig);
        free(sig_bar);
        free(log);
        free(want);
        free(path_bar);
        free(want_bar);
        sigad_plan_destroy(plan);
    }
}

/* An item's result does not depend on its place, nor on how many others there are. */
Test(transforms, the_same_bits_anywhere_in_a_batch)
{
    sigad_plan *plan = plan_of(3, 4, SIGAD_LYNDON_BRACKETS, 0);
    int64_t n = plan->sig_length, m = plan->log_sig_length, most = 20;
    double *one = draw_row(false, n, 0.6, 5), *bar = draw_row(false, m, 0.6, 6);
    double *sig = make(most * n, sizeof *sig), *sig_bar = make(most * n, sizeof *sig_bar);
    double *log = make(most * m, sizeof *log), *log_bar = make(most * m, sizeof *log_bar);
    for (int64_t i = 0; i < most; i++) {
        memcpy(sig + i * n, one, (size_t)n * sizeof *one);
        memcpy(log_bar + i * m, bar, (size_t)m * sizeof *bar);
    }
    for (int64_t batch = 2; batch <= most; batch++) {
        memset(sig_bar, 0, (size_t)(most * n) * sizeof *sig_bar);
        run(&sg_sig_to_log_sig_kernels, plan, batch, SG_BATCH_FWD, sig, NULL, NULL, log);
        run(&sg_sig_to_log_sig_kernels, plan, batch, SG_BATCH_VJP, sig, log_bar, NULL, sig_bar);
        if (batch == 2) {
            memcpy(bar, log, (size_t)m * sizeof *bar);
            memcpy(one, sig_bar, (size_t)n * sizeof *one);
        }
        for (int64_t i = 0; i < batch; i++) {
            cr_assert_eq(memcmp(log + i * m, bar, (size_t)m * sizeof *bar), 0);
            cr_assert_eq(memcmp(sig_bar + i * n, one, (size_t)n * sizeof *one), 0);
        }
    }
    free(one);
    free(bar);
    free(sig);
    free(sig_bar);
    free(log);
    free(log_bar);
    sigad_plan_destroy(plan);
}

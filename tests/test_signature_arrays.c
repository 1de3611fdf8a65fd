/* The functions on plain arrays: lengths, batches, threads, arguments, memory. */
#include "support/failing_allocator.h"
#include "support/signature_cases.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const sigad_sig_spec full = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 3,
                                    .time_aug = 1,       .lead_lag = 1,  .scalar_term = 1,
                                    .method = 2,         .end_time = 0.5};

static double *numbers(int64_t n)
{
    double *x = malloc((size_t)n * sizeof *x + 1);
    for (int64_t i = 0; i < n; i++) x[i] = NAN;
    return x;
}

/* ---- lengths
 * ------------------------------------------------------------------------------------- */

/* Points past the length are never read (they are NaN here), and their gradient is exactly 0; the
 * rest is that of the path alone. */
Test(signature_arrays, lengths)
{
    enum { BATCH = 9, LENGTH = 8 };
    for (int operation = CASE_SIG; operation <= CASE_LOG_SIG; operation++) {
        signature_case c = case_create(operation, &full, BATCH, LENGTH, 1);
        int64_t lengths[BATCH];
        double *y = numbers(BATCH * c.y_entries), *x_bar = numbers(BATCH * c.x_entries);
        double *y1 = numbers(c.y_entries), *x_bar1 = numbers(c.x_entries);
        for (int i = 0; i < BATCH; i++) {
            lengths[i] = i;
            for (int64_t j = 2 * i; j < c.x_entries; j++) c.x[i * c.x_entries + j] = NAN;
        }
        cr_assert_eq(case_call(&c, SG_F64, lengths, c.x, NULL, y, 2), SIGAD_OK);
        cr_assert_eq(case_call(&c, SG_F64, lengths, c.x, c.g, x_bar, 2), SIGAD_OK);
        signature_case one = c;
        one.batch = 1;
        for (int i = 0; i < BATCH; i++) {
            const double *x = c.x + i * c.x_entries;
            one.length = i;
            cr_assert_eq(case_call(&one, SG_F64, NULL, x, NULL, y1, 1), SIGAD_OK);
            cr_assert_eq(case_call(&one, SG_F64, NULL, x, c.g + i * c.y_entries, x_bar1, 1),
                         SIGAD_OK);
            cr_assert_lt(case_distance(c.y_entries, y + i * c.y_entries, y1), 1e-13);
            cr_assert_lt(case_distance(2 * i, x_bar + i * c.x_entries, x_bar1), 1e-12);
            for (int64_t j = 2 * i; j < c.x_entries; j++)
                cr_assert_eq(x_bar[i * c.x_entries + j], 0.0);
        }
        free(y);
        free(x_bar);
        free(y1);
        free(x_bar1);
        case_destroy(&c);
    }
}

/* With 0 or 1 points the signature is the unit. */
Test(signature_arrays, no_increments)
{
    const double path[] = {3, 4};
    double y[200], x_bar[2];
    for (int64_t length = 0; length < 2; length++)
        for (int32_t method = 0; method < 3; method++) {
            sigad_sig_spec spec = full;
            spec.method = method;
            signature_case c = case_create(CASE_SIG, &spec, 1, length, 1);
            cr_assert_eq(case_call(&c, SG_F64, NULL, length ? path : NULL, NULL, y, 1), SIGAD_OK);
            for (int64_t i = 0; i < c.y_entries; i++) cr_assert_eq(y[i], i == 0);
            c.operation = CASE_LOG_SIG;
            cr_assert_eq(case_call(&c, SG_F64, NULL, length ? path : NULL, NULL, y, 1), SIGAD_OK);
            for (int64_t i = 0; i < c.plan->log_sig_length; i++) cr_assert_eq(y[i], 0);
            cr_assert_eq(
                case_call(&c, SG_F64, NULL, length ? path : NULL, c.g, length ? x_bar : NULL, 1),
                SIGAD_OK);
            for (int64_t i = 0; i < 2 * length; i++) cr_assert_eq(x_bar[i], 0);
            case_destroy(&c);
        }
}

/* Level 0 of an input is 1 or 0 whatever it holds, with derivative 0. */
Test(signature_arrays, level_0_of_inputs_is_not_looked_at)
{
    for (int operation = CASE_SIG_TO_LOG_SIG; operation <= CASE_LOGSIG_TO_SIG; operation++) {
        sigad_sig_spec spec = full;
        spec.method = SIGAD_EXPANDED;
        signature_case c = case_create(operation, &spec, 1, 0, 2);
        double *y = numbers(c.y_entries), *z = numbers(c.y_entries), *x_bar = numbers(c.x_entries);
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, NULL, y, 1), SIGAD_OK);
        c.x[0] = NAN;
        c.g[0] = NAN;
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, NULL, z, 1), SIGAD_OK);
        cr_assert_arr_eq(y, z, (size_t)c.y_entries * sizeof *y);
        cr_assert_eq(y[0], operation == CASE_LOGSIG_TO_SIG);
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, c.g, x_bar, 1), SIGAD_OK);
        cr_assert_eq(x_bar[0], 0.0);
        for (int64_t i = 1; i < c.x_entries; i++) cr_assert(isfinite(x_bar[i]));
        free(y);
        free(z);
        free(x_bar);
        case_destroy(&c);
    }
}

/* ---- the same bits
 * ---------------------------------------------------------------------------------- */

/* Values and then cotangents of a batch whose items stand in the order given. */
static void call_in_order(const signature_case *c, const int *order, const int64_t *lengths,
                          int threads, double *out)
{
    int64_t n = c->x_entries, m = c->y_entries, length[600];
    double *x = numbers(c->batch * n), *g = numbers(c->batch * m);
    for (int i = 0; i < c->batch; i++) {
        memcpy(x + i * n, c->x + order[i] * n, (size_t)n * sizeof *x);
        memcpy(g + i * m, c->g + order[i] * m, (size_t)m * sizeof *g);
        length[i] = lengths[order[i]];
    }
    double *y = numbers(c->batch * (n + m)), *x_bar = y + c->batch * m;
    const int64_t *given = c->operation <= CASE_LOG_SIG ? length : NULL;
    cr_assert_eq(case_call(c, SG_F64, given, x, NULL, y, threads), SIGAD_OK);
    cr_assert_eq(case_call(c, SG_F64, given, x, g, x_bar, threads), SIGAD_OK);
    for (int i = 0; i < c->batch; i++) {
        memcpy(out + order[i] * m, y + i * m, (size_t)m * sizeof *y);
        memcpy(out + c->batch * m + order[i] * n, x_bar + i * n, (size_t)n * sizeof *y);
    }
    free(x);
    free(g);
    free(y);
}

/* For any number of threads, and for any place in a batch; lengths differ, and some are equal. */
static void compare_orders(int operation, const sigad_sig_spec *spec)
{
    enum { BATCH = 600, LENGTH = 20 }; /* enough work for threads to be used */
    const int threads[] = {1, 2, 3, 8, -1, -2}, step[] = {599, 7, 11, 13, 17, 19};
    int order[BATCH];
    int64_t lengths[BATCH];
    signature_case c = case_create(operation, spec, BATCH, LENGTH, 3);
    int64_t n = c.x_entries, m = c.y_entries;
    double *want = numbers(BATCH * (n + m)), *got = numbers(BATCH * (n + m));
    for (int i = 0; i < BATCH; i++) {
        order[i] = i;
        lengths[i] = i % 3 ? LENGTH - i / 2 % LENGTH : LENGTH;
    }
    call_in_order(&c, order, lengths, 1, want);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        for (int i = 0; i < BATCH; i++) order[i] = (i * step[t] + (int)t) % BATCH;
        call_in_order(&c, order, lengths, threads[t], got);
        cr_assert_arr_eq(got, want, (size_t)(BATCH * (n + m)) * sizeof *got, "%d threads, %s",
                         threads[t], case_text(&c));
    }
    free(want);
    free(got);
    case_destroy(&c);
}

Test(signature_arrays, bits_do_not_depend_on_threads_or_place)
{
    const sigad_sig_spec areas = {SIGAD_SIG_SPEC_INIT, .dimension = 4, .degree = 2, .method = 2};
    for (int operation = 0; operation < CASE_OPERATIONS; operation++) {
        compare_orders(operation, &full);
        compare_orders(operation, &areas);
    }
}

/* ---- arguments
 * ---------------------------------------------------------------------------------------- */

#define CALLS(status, plan, batch, length, lengths, x, g, y, x_bar, n_jobs)                     \
    do {                                                                                        \
        cr_assert_eq(sigad_sig_f64(plan, batch, length, lengths, x, y, n_jobs), status);        \
        cr_assert_eq(                                                                           \
            sigad_log_sig_f32(plan, batch, length, lengths, (void *)(x), (void *)(y), n_jobs),  \
            status);                                                                            \
        cr_assert_eq(sigad_sig_backprop_f64(plan, batch, length, lengths, x, g, x_bar, n_jobs), \
                     status);                                                                   \
        cr_assert_eq(sigad_log_sig_backprop_f32(plan, batch, length, lengths, (void *)(x),      \
                                                (void *)(g), (void *)(x_bar), n_jobs),          \
                     status);                                                                   \
    } while (0)

Test(signature_arrays, bad_arguments)
{
    signature_case c = case_create(CASE_SIG, &full, 2, 4, 4);
    double *x = c.x, *g = c.g, *y = numbers(2 * c.y_entries), *x_bar = numbers(2 * c.x_entries);
    const sigad_plan *p = c.plan;
    CALLS(SIGAD_OK, p, 2, 4, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_EINVAL, NULL, 2, 4, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_EINVAL, p, -1, 4, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_EINVAL, p, 2, -1, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_EINVAL, p, 2, 4, NULL, x, g, y, x_bar, 0);
    CALLS(SIGAD_EINVAL, p, 2, 4, NULL, NULL, g, y, x_bar, 1);
    CALLS(SIGAD_EINVAL, p, 2, 4, NULL, x, NULL, NULL, NULL, 1);
    CALLS(SIGAD_ERANGE, p, INT64_MAX / 2, 4, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_ERANGE, p, 2, INT64_MAX / 2, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_ERANGE, p, 2, INT64_MAX / 8, NULL, x, g, y, x_bar, 1);
    CALLS(SIGAD_OK, p, 0, 4, NULL, NULL, NULL, NULL, NULL, 1);
    cr_assert_eq(sigad_sig_backprop_f64(p, 2, 4, NULL, x, g, NULL, 1), SIGAD_EINVAL);
    cr_assert_eq(sigad_sig_backprop_f64(p, 2, 0, NULL, NULL, NULL, NULL, 1), SIGAD_EINVAL,
                 "the cotangent has elements");
    cr_assert_eq(sigad_sig_backprop_f64(p, 2, 0, NULL, NULL, g, NULL, 1), SIGAD_OK);
    cr_assert_eq(sigad_sig_to_log_sig_f64(p, 1, NULL, y, 1), SIGAD_EINVAL);
    cr_assert_eq(sigad_sig_to_log_sig_f64(p, -1, g, y, 1), SIGAD_EINVAL);
    cr_assert_eq(sigad_logsig_to_sig_f64(NULL, 1, g, y, 1), SIGAD_EINVAL);
    cr_assert_eq(sigad_logsig_to_sig_backprop_f64(p, 1, y, g, NULL, 1), SIGAD_EINVAL);
    cr_assert_eq(sigad_sig_to_log_sig_backprop_f64(p, INT64_MAX / 4, g, g, y, 1), SIGAD_ERANGE);
    cr_assert_eq(sigad_logsig_to_sig_f64(p, 0, NULL, NULL, 1), SIGAD_OK);
    free(y);
    free(x_bar);
    case_destroy(&c);
}

/* Bad lengths are found before anything is written. */
Test(signature_arrays, bad_lengths)
{
    signature_case c = case_create(CASE_SIG, &full, 2, 4, 4);
    const int64_t bad[][2] = {{4, 5}, {-1, 4}, {INT64_MIN, 0}, {0, INT64_MAX}};
    double *y = numbers(2 * c.y_entries), *x_bar = numbers(2 * c.x_entries);
    for (int i = 0; i < 4; i++) {
        CALLS(SIGAD_ESHAPE, c.plan, 2, 4, bad[i], c.x, c.g, y, x_bar, 1);
        for (int64_t j = 0; j < 2 * c.y_entries; j++) cr_assert(isnan(y[j]));
        for (int64_t j = 0; j < 2 * c.x_entries; j++) cr_assert(isnan(x_bar[j]));
    }
    free(y);
    free(x_bar);
    case_destroy(&c);
}

/* ---- memory
 * --------------------------------------------------------------------------------------------- */

Test(signature_arrays, scratch_comes_from_the_plan_and_may_fail)
{
    failing_allocator memory = {0};
    sigad_allocator hook = failing_allocator_hook(&memory);
    for (int operation = 0; operation < CASE_OPERATIONS; operation++) {
        signature_case c = case_create(operation, &full, 3, 5, 5);
        double *out = numbers(3 * (c.x_entries + c.y_entries));
        sigad_plan_destroy(c.plan);
        failing_allocator_arm(&memory, 0, false);
        cr_assert_eq(sigad_plan_create_with(&full, &hook, &c.plan), SIGAD_OK);
        int64_t before = memory.live;
        for (int backward = 0; backward < 2; backward++) {
            failing_allocator_arm(&memory, 1, false);
            cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, backward ? c.g : NULL, out, 1),
                         SIGAD_ENOMEM);
            cr_assert_eq(memory.live, before);
            cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, backward ? c.g : NULL, out, 1), SIGAD_OK);
            cr_assert_eq(memory.live, before);
            cr_assert_eq(memory.made, 2, "one allocation for each call");
        }
        case_destroy(&c);
        cr_assert_eq(memory.live, 0);
        free(out);
    }
}

/* No kernel writes beside the workspace that it asked for. */
Test(signature_arrays, workspace_suffices)
{
    for (int operation = 0; operation < CASE_OPERATIONS; operation++)
        for (int32_t i = 0; i < 24; i++) {
            sigad_sig_spec spec = {.dimension = 1 + i % 3,
                                   .degree = 1 + i % 4,
                                   .method = i % 3,
                                   .lead_lag = i / 3 % 2,
                                   .time_aug = i / 6 % 2,
                                   .scalar_term = i / 12};
            int64_t batch = i % 4 ? 1 : 19; /* one at a time, and in groups */
            signature_case c = case_create(operation, &spec, batch, i % 2 ? 40 : 3, (uint64_t)i);
            double *out = numbers(batch * (c.x_entries + c.y_entries));
            for (int what = SG_BATCH_FWD; what <= SG_BATCH_SOC; what++) {
                bool forward = what == SG_BATCH_FWD || what == SG_BATCH_JVP;
                int64_t entries = batch * (forward ? c.y_entries : c.x_entries);
                sg_signature_batch call = {.kernels = case_kernels[operation],
                                           .plan = c.plan,
                                           .scalar = SG_F64,
                                           .batch = batch,
                                           .length = c.length,
                                           .x = c.x,
                                           .y_bar = c.g,
                                           .x_dot = c.v,
                                           .out = out,
                                           .threads = 1};
                size_t bytes = (size_t)sg_signature_work_bytes(&call, what);
                cr_assert_eq(bytes % 64, 0, "the next thread's would not be aligned");
                char *work = aligned_alloc(64, bytes + 64);
                memset(work, 0x7f, bytes + 64);
                memset(out, 0, (size_t)entries * sizeof *out);
                call.work = work;
                sg_signature_run(&call, what);
                for (int j = 0; j < 64; j++)
                    cr_assert_eq(work[bytes + (size_t)j], 0x7f, "%s, %d", case_text(&c), what);
                for (int64_t j = 0; j < entries; j++)
                    cr_assert(isfinite(out[j]) && fabs(out[j]) < 1e100);
                free(work);
            }
            free(out);
            case_destroy(&c);
        }
}

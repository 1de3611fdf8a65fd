/* Specs and plans: sizes, refusals, the tables against dense brackets, failing allocations. */
#include "algebra/plan.h"
#include "ops/cpu/signature_ref.h"
#include "support/failing_allocator.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const sigad_sig_spec good = {SIGAD_SIG_SPEC_INIT, .dimension = 3, .degree = 4, .method = 2};

/* ---- specs --------------------------------------------------------------------------------------
 */

static sigad_status length_of(const sigad_sig_spec *spec)
{
    int64_t sig, log_sig;
    sigad_plan *plan = (sigad_plan *)&sig;
    sigad_status status = sigad_sig_length(spec, &sig);
    cr_assert_eq(sigad_log_sig_length(spec, &log_sig), status);
    cr_assert_eq(sigad_plan_create(spec, &plan), status);
    cr_assert_eq(plan == NULL, status != SIGAD_OK);
    sigad_plan_destroy(plan);
    return status;
}

Test(plan, bad_fields_are_refused)
{
    cr_assert_eq(length_of(&good), SIGAD_OK);
    cr_assert_eq(length_of(NULL), SIGAD_EINVAL);
#define REFUSES(field, bad)                                              \
    do {                                                                 \
        sigad_sig_spec spec = good;                                      \
        spec.field = bad;                                                \
        cr_assert_eq(length_of(&spec), SIGAD_EINVAL, #field " = " #bad); \
    } while (0)
    REFUSES(size, 0);
    REFUSES(size, 3);
    REFUSES(dimension, 0);
    REFUSES(dimension, -1);
    REFUSES(degree, 0);
    REFUSES(degree, -1);
    REFUSES(time_aug, 2);
    REFUSES(time_aug, -1);
    REFUSES(lead_lag, 2);
    REFUSES(scalar_term, -1);
    REFUSES(scalar_term, 7);
    REFUSES(method, 3);
    REFUSES(method, -1);
    REFUSES(kernel, 3);
    REFUSES(kernel, -1);
    REFUSES(end_time, NAN);
    REFUSES(end_time, INFINITY);
#undef REFUSES
    int64_t n;
    sigad_plan *plan;
    cr_assert_eq(sigad_sig_length(&good, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_log_sig_length(&good, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_plan_create(&good, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_plan_create_with(NULL, NULL, &plan), SIGAD_EINVAL);
    cr_assert_eq(sigad_sig_length(NULL, &n), SIGAD_EINVAL);
    sigad_plan_destroy(NULL);
}

Test(plan, other_sizes)
{
    struct {
        sigad_sig_spec spec;
        char tail[8];
    } future = {{SIGAD_SIG_SPEC_INIT, .dimension = 3, .degree = 4}, {0}};
    future.spec.size = sizeof future;
    cr_assert_eq(length_of(&future.spec), SIGAD_OK);
    future.tail[7] = 1;
    cr_assert_eq(length_of(&future.spec), SIGAD_ENOTSUP);
    sigad_sig_spec past = {
        .size = offsetof(sigad_sig_spec, time_aug), .dimension = 3, .degree = 4, .time_aug = 99};
    cr_assert_eq(length_of(&past), SIGAD_OK, "fields behind the caller's size count as 0");
}

static int64_t sig_length(sigad_sig_spec spec)
{
    int64_t n = -1;
    spec.size = sizeof spec;
    cr_assert_eq(sigad_sig_length(&spec, &n), SIGAD_OK);
    return n;
}

static int64_t log_sig_length(sigad_sig_spec spec)
{
    int64_t n = -1;
    spec.size = sizeof spec;
    cr_assert_eq(sigad_log_sig_length(&spec, &n), SIGAD_OK);
    return n;
}

Test(plan, lengths)
{
    cr_assert_eq(sig_length((sigad_sig_spec){.dimension = 9, .degree = 9}), 435848049);
    cr_assert_eq(sig_length((sigad_sig_spec){.dimension = 10, .degree = 10}), 11111111110);
    cr_assert_eq(sig_length((sigad_sig_spec){.dimension = 400, .degree = 5}), 10265664160400);
    cr_assert_eq(sig_length((sigad_sig_spec){.dimension = 2, .degree = 3, .scalar_term = 1}), 15);
    cr_assert_eq(
        sig_length((sigad_sig_spec){.dimension = 2, .degree = 2, .lead_lag = 1, .time_aug = 1}),
        30);
    cr_assert_eq(sig_length((sigad_sig_spec){
                     .dimension = INT32_MAX, .degree = 1, .lead_lag = 1, .time_aug = 1}),
                 2 * (int64_t)INT32_MAX + 1);
    cr_assert_eq(log_sig_length((sigad_sig_spec){.dimension = 3, .degree = 4, .method = 1}), 32);
    cr_assert_eq(log_sig_length(
                     (sigad_sig_spec){.dimension = 3, .degree = 4, .method = 2, .scalar_term = 1}),
                 32);
    cr_assert_eq(log_sig_length((sigad_sig_spec){.dimension = 3, .degree = 4, .scalar_term = 1}),
                 121);
    cr_assert_eq(log_sig_length((sigad_sig_spec){.dimension = 5, .degree = 12, .method = 1}),
                 26039187);
    cr_assert_eq(log_sig_length((sigad_sig_spec){.dimension = 7, .degree = 4, .method = 2}), 728);
    cr_assert_eq(log_sig_length((sigad_sig_spec){.dimension = 10, .degree = 10, .method = 1}),
                 1125217654);
    int64_t n;
    sigad_sig_spec huge = {SIGAD_SIG_SPEC_INIT, .dimension = 10, .degree = 40, .method = 1};
    cr_assert_eq(sigad_sig_length(&huge, &n), SIGAD_ERANGE);
    cr_assert_eq(sigad_log_sig_length(&huge, &n), SIGAD_ERANGE);
    huge.degree = INT32_MAX;
    cr_assert_eq(sigad_sig_length(&huge, &n), SIGAD_ERANGE);
}

Test(plan, what_does_not_fit_is_refused)
{
    const sigad_sig_spec spec[] = {
        {SIGAD_SIG_SPEC_INIT, .dimension = 10, .degree = 40},
        {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 31,
         .method = 1}, /* 2^31 words of one length */
        {SIGAD_SIG_SPEC_INIT, .dimension = 50000, .degree = 2, .method = 2},
        {SIGAD_SIG_SPEC_INIT, .dimension = 1, .degree = SG_MOST_DEGREE + 1},
        {SIGAD_SIG_SPEC_INIT, .dimension = INT32_MAX, .degree = 1, .lead_lag = 1}};
    for (size_t i = 0; i < sizeof spec / sizeof *spec; i++) {
        sigad_plan *plan = (sigad_plan *)(uintptr_t)&good;
        cr_assert_eq(sigad_plan_create(&spec[i], &plan), SIGAD_ERANGE, "spec %zu", i);
        cr_assert_null(plan);
    }
}

/* ---- tables -------------------------------------------------------------------------------------
 */

/* Dense expansion of one column of `bracket` against the definition. */
static void check_brackets(const sigad_plan *plan)
{
    sg_ref_shape shape = {plan->letters, plan->degree};
    sg_ref_basis basis;
    int64_t entries = sg_ref_entries(shape);
    cr_assert(sg_ref_basis_create(shape, &basis));
    cr_assert_eq(plan->log_sig_length, basis.count);
    double *row = malloc((size_t)entries * sizeof *row);
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t r = plan->lyndon_first[k]; r < plan->lyndon_first[k + 1]; r++) {
            int64_t level = sg_ref_level(shape, k);
            cr_assert_eq(level + plan->lyndon[r], basis.place[r]);
            memset(row, 0, (size_t)entries * sizeof *row);
            for (int64_t e = plan->bracket.start[r]; e < plan->bracket.start[r + 1]; e++) {
                row[level + plan->bracket.entry[e].row] = plan->bracket.entry[e].value;
                if (e > plan->bracket.start[r])
                    cr_assert_gt(plan->bracket.entry[e].row, plan->bracket.entry[e - 1].row);
            }
            for (int64_t i = 0; i < entries; i++)
                cr_assert_eq(row[i], basis.expansion[r * entries + i], "rank %ld, entry %ld",
                             (long)r, (long)i);
        }
    free(row);
    sg_ref_basis_destroy(&basis);
}

/* The triangle is the bracket table at Lyndon words, strictly below a unit diagonal. */
static void check_triangle(const sigad_plan *plan)
{
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t v = plan->lyndon_first[k]; v < plan->lyndon_first[k + 1]; v++) {
            int64_t t = plan->triangle.start[v];
            for (int64_t e = plan->bracket.start[v]; e < plan->bracket.start[v + 1]; e++) {
                sg_entry entry = plan->bracket.entry[e];
                int64_t w = plan->lyndon_first[k];
                while (w < plan->lyndon_first[k + 1] && plan->lyndon[w] != entry.row) w++;
                if (w == plan->lyndon_first[k + 1]) continue;
                cr_assert_geq(w, v);
                if (w == v) {
                    cr_assert_eq(entry.value, 1);
                    continue;
                }
                cr_assert_lt(t, plan->triangle.start[v + 1]);
                cr_assert_eq(plan->triangle.entry[t].row, w);
                cr_assert_eq(plan->triangle.entry[t++].value, entry.value);
            }
            cr_assert_eq(t, plan->triangle.start[v + 1]);
        }
}

/* The runs spell the same words as the list. */
static void check_runs(const sigad_plan *plan)
{
    int64_t rank = 0;
    for (int32_t k = 1; k <= plan->degree; k++) {
        for (int64_t r = plan->run_first[k]; r < plan->run_first[k + 1]; r++)
            for (int32_t letter = plan->run[r].letter; letter < plan->letters; letter++)
                cr_assert_eq(plan->lyndon[rank++], plan->run[r].prefix * plan->letters + letter);
        cr_assert_eq(rank, plan->lyndon_first[k + 1]);
    }
}

Test(plan, tables_are_the_brackets_written_out)
{
    const int32_t size[][2] = {{1, 1}, {1, 4}, {2, 1}, {2, 7}, {3, 5}, {4, 4}, {5, 3}, {9, 2}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = size[i][0], .degree = size[i][1],
                               .method = 2};
        sigad_plan *plan;
        cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
        check_brackets(plan);
        check_triangle(plan);
        check_runs(plan);
        sigad_plan_destroy(plan);
    }
}

Test(plan, method_0_has_no_tables)
{
    sigad_sig_spec spec = good;
    sigad_plan *plan;
    spec.method = SIGAD_EXPANDED;
    spec.dimension = 2;
    spec.degree = 40; /* tables of 2^40 words could not be */
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    sigad_plan_destroy(plan);
}

/* ---- allocations
 * ---------------------------------------------------------------------------------- */

Test(plan, every_failing_allocation_is_reported_and_leaks_nothing)
{
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        failing_allocator memory = {0};
        sigad_allocator hook = failing_allocator_hook(&memory);
        sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 5, .degree = 5, .method = 2};
        int64_t k = 0;
        sigad_plan *plan = NULL;
        do {
            cr_assert_lt(++k, 200);
            failing_allocator_arm(&memory, k, for_ever);
            sigad_status status = sigad_plan_create_with(&spec, &hook, &plan);
            cr_assert_eq(status, memory.failed ? SIGAD_ENOMEM : SIGAD_OK, "allocation %ld",
                         (long)k);
            cr_assert_eq(plan == NULL, memory.failed > 0);
            sigad_plan_destroy(plan);
            cr_assert_eq(memory.live, 0, "allocation %ld leaks", (long)k);
        } while (memory.failed);
        cr_assert_gt(k, 5);
    }
}

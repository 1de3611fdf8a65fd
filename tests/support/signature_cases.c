#include "support/signature_cases.h"
#include "core/random.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *const case_operation_name[CASE_OPERATIONS] = {"sig", "log_sig", "sig_to_log_sig",
                                                          "logsig_to_sig"};
const sg_signature_kernels *const case_kernels[CASE_OPERATIONS] = {
    &sg_sig_kernels, &sg_log_sig_kernels, &sg_sig_to_log_sig_kernels, &sg_logsig_to_sig_kernels};

double case_normal(uint64_t seed, int64_t i)
{
    return sg_random_normal(sg_random_key(seed, 1), (uint64_t)i);
}

static double *draw(int64_t n, uint64_t seed)
{
    double *x = malloc((size_t)n * sizeof *x + 1);
    for (int64_t i = 0; i < n; i++) x[i] = 0.7 * case_normal(seed, i);
    return x;
}

signature_case case_create(int operation, const sigad_sig_spec *spec, int64_t batch, int64_t length,
                           uint64_t seed)
{
    signature_case c = {.operation = operation, .spec = *spec, .batch = batch, .length = length};
    c.spec.size = sizeof c.spec;
    if (c.spec.end_time == 0) c.spec.end_time = 1;
    cr_assert_eq(sigad_plan_create(&c.spec, &c.plan), SIGAD_OK);
    c.x_entries = sg_signature_x_entries(case_kernels[operation], c.plan, length);
    c.y_entries = sg_signature_y_entries(case_kernels[operation], c.plan);
    c.x = draw(batch * c.x_entries, 3 * seed);
    c.g = draw(batch * c.y_entries, 3 * seed + 1);
    c.v = draw(batch * c.x_entries, 3 * seed + 2);
    return c;
}

void case_destroy(signature_case *c)
{
    sigad_plan_destroy(c->plan);
    free(c->x);
    free(c->g);
    free(c->v);
}

const char *case_text(const signature_case *c)
{
    static char text[200];
    snprintf(
        text, sizeof text,
        "%s: dimension %d, degree %d, time_aug %d, lead_lag %d, scalar_term %d, method %d, end_time %g, batch %d, length %d",
        case_operation_name[c->operation], c->spec.dimension, c->spec.degree, c->spec.time_aug,
        c->spec.lead_lag, c->spec.scalar_term, c->spec.method, c->spec.end_time, (int)c->batch,
        (int)c->length);
    return text;
}

#define CALL(S)                                                                                    \
    static sigad_status call_##S(const signature_case *c, const int64_t *lengths, const void *x,   \
                                 const void *y_bar, void *out, int n_jobs)                         \
    {                                                                                              \
        switch (c->operation) {                                                                    \
        case CASE_SIG:                                                                             \
            return y_bar ? sigad_sig_backprop_##S(c->plan, c->batch, c->length, lengths, x, y_bar, \
                                                  out, n_jobs)                                     \
                         : sigad_sig_##S(c->plan, c->batch, c->length, lengths, x, out, n_jobs);   \
        case CASE_LOG_SIG:                                                                         \
            return y_bar                                                                           \
                       ? sigad_log_sig_backprop_##S(c->plan, c->batch, c->length, lengths, x,      \
                                                    y_bar, out, n_jobs)                            \
                       : sigad_log_sig_##S(c->plan, c->batch, c->length, lengths, x, out, n_jobs); \
        case CASE_SIG_TO_LOG_SIG:                                                                  \
            return y_bar ? sigad_sig_to_log_sig_backprop_##S(c->plan, c->batch, x, y_bar, out,     \
                                                             n_jobs)                               \
                         : sigad_sig_to_log_sig_##S(c->plan, c->batch, x, out, n_jobs);            \
        default:                                                                                   \
            return y_bar ? sigad_logsig_to_sig_backprop_##S(c->plan, c->batch, x, y_bar, out,      \
                                                            n_jobs)                                \
                         : sigad_logsig_to_sig_##S(c->plan, c->batch, x, out, n_jobs);             \
        }                                                                                          \
    }
CALL(f32)
CALL(f64)

sigad_status case_call(const signature_case *c, int scalar, const int64_t *lengths, const void *x,
                       const void *y_bar, void *out, int n_jobs)
{
    return (scalar == SG_F32 ? call_f32 : call_f64)(c, lengths, x, y_bar, out, n_jobs);
}

double case_distance(int64_t n, const double *a, const double *b)
{
    double worst = 0, largest = 1;
    for (int64_t i = 0; i < n; i++) {
        double error = fabs(a[i] - b[i]);
        if (isnan(error)) return INFINITY;
        if (error > worst) worst = error;
        if (fabs(b[i]) > largest) largest = fabs(b[i]);
    }
    return worst / largest;
}

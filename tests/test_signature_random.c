/* Random problems: kernels against the textbook reference, derivatives against two oracles, float
 * against double. */
#include "core/random.h"
#include "ops/cpu/signature_ref.h"
#include "support/signature_cases.h"
#include <complex.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Draws a spec with at most `most` words, all flags among them. */
static sigad_sig_spec draw_spec(uint64_t seed, int64_t most)
{
    for (uint64_t i = 0;; i++) {
        uint64_t bits = sg_philox(seed, 0, i).word[0];
        sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,
                               .dimension = (int32_t)(1 + bits % 5),
                               .degree = (int32_t)(1 + (bits >> 4) % 7),
                               .time_aug = bits >> 8 & 1,
                               .lead_lag = bits >> 9 & 1,
                               .scalar_term = bits >> 10 & 1,
                               .method = (int32_t)((bits >> 11) % 3),
                               .end_time = bits >> 16 & 1 ? 0.5 : 2};
        int64_t words;
        if (!sigad_sig_length(&spec, &words) && words <= most) return spec;
    }
}

static double *reference(const signature_case *c, const double *x, int64_t *entries)
{
    switch (c->operation) {
    case CASE_SIG:
        return sg_sig_ref(&c->spec, c->length, x, entries);
    case CASE_LOG_SIG:
        return sg_log_sig_ref(&c->spec, c->length, x, entries);
    case CASE_SIG_TO_LOG_SIG:
        return sg_sig_to_log_sig_ref(&c->spec, x, entries);
    default:
        return sg_logsig_to_sig_ref(&c->spec, x, entries);
    }
}

/* Every operation, sizes and flags at random; 0, 1 and 2 points among the lengths. */
Test(signature_random, values_are_those_of_the_reference)
{
    for (uint64_t i = 0; i < 400; i++) {
        sigad_sig_spec spec = draw_spec(i, 300);
        signature_case c = case_create((int)(i % CASE_OPERATIONS), &spec, 1 + (int64_t)(i % 3),
                                       (int64_t)(i / 4 % 6), i);
        double *y = malloc((size_t)(c.batch * c.y_entries) * sizeof *y);
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, NULL, y, 1), SIGAD_OK);
        for (int64_t b = 0; b < c.batch; b++) {
            int64_t entries;
            double *want = reference(&c, c.x + b * c.x_entries, &entries);
            cr_assert_not_null(want);
            cr_assert_eq(entries, c.y_entries);
            double error = case_distance(entries, y + b * entries, want);
            cr_assert_lt(error, 1e-12, "%g in %s", error, case_text(&c));
            free(want);
        }
        free(y);
        case_destroy(&c);
    }
}

/* x + i h v with h = 1e-100 */
static void step_into(const signature_case *c, double _Complex *x)
{
    for (int64_t j = 0; j < c->x_entries; j++) {
        ((double *)x)[2 * j] = c->x[j];
        ((double *)x)[2 * j + 1] = 1e-100 * c->v[j];
    }
}

/* The complex step: Im f(x + i h v) / h is J v to rounding, so <g, J v> = <J^T g, v> to rounding.
 */
Test(signature_random, vjp_is_the_transpose_of_the_complex_step)
{
    for (uint64_t i = 0; i < 300; i++) {
        sigad_sig_spec spec = draw_spec(1000 + i, 400);
        signature_case c =
            case_create((int)(i % CASE_OPERATIONS), &spec, 1, (int64_t)(i / 4 % 7) * 9, i);
        const sg_signature_kernels *kernels = case_kernels[c.operation];
        double _Complex *x = calloc((size_t)c.x_entries + 1, sizeof *x),
                        *y = calloc((size_t)c.y_entries, sizeof *y);
        void *work =
            aligned_alloc(64, (size_t)kernels->fwd_work[SG_C64](c.plan, c.length) * sizeof *x + 64);
        double *x_bar = malloc((size_t)c.x_entries * sizeof *x_bar + 1), left = 0, right = 0,
               size = 1;
        step_into(&c, x);
        kernels->fwd[SG_C64](c.plan, c.length, x, y, work);
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, c.g, x_bar, 1), SIGAD_OK);
        for (int64_t j = 0; j < c.y_entries; j++) {
            left += c.g[j] * cimag(y[j]) * 1e100;
            size += fabs(c.g[j] * cimag(y[j]) * 1e100);
        }
        for (int64_t j = 0; j < c.x_entries; j++) right += x_bar[j] * c.v[j];
        cr_assert_lt(fabs(left - right), 1e-11 * size, "%g and %g in %s", left, right,
                     case_text(&c));
        free(x);
        free(y);
        free(work);
        free(x_bar);
        case_destroy(&c);
    }
}

/* <g, f(x + t v)> at t = step. */
static double along(const signature_case *c, double step, double *x, double *y)
{
    double sum = 0;
    for (int64_t j = 0; j < c->x_entries; j++) x[j] = c->x[j] + step * c->v[j];
    cr_assert_eq(case_call(c, SG_F64, NULL, x, NULL, y, 1), SIGAD_OK);
    for (int64_t j = 0; j < c->y_entries; j++) sum += c->g[j] * y[j];
    return sum;
}

/* Central differences: polynomials of degree up to 7, differentiated to h^4 by one extrapolation.
 */
Test(signature_random, vjp_is_what_differences_say)
{
    for (uint64_t i = 0; i < 120; i++) {
        sigad_sig_spec spec = draw_spec(2000 + i, 400);
        signature_case c = case_create((int)(i % CASE_OPERATIONS), &spec, 1, 5, i);
        double *x = malloc((size_t)c.x_entries * sizeof *x),
               *y = malloc((size_t)c.y_entries * sizeof *y), inner = 0;
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, c.g, x, 1), SIGAD_OK);
        for (int64_t j = 0; j < c.x_entries; j++) inner += x[j] * c.v[j];
        const double h = 1e-3;
        double coarse = (along(&c, h, x, y) - along(&c, -h, x, y)) / (2 * h);
        double fine = (along(&c, h / 2, x, y) - along(&c, -h / 2, x, y)) / h;
        double slope = (4 * fine - coarse) / 3, scale = fabs(along(&c, 0, x, y)) + fabs(slope) + 1;
        cr_assert_lt(fabs(slope - inner), 1e-7 * scale, "%.12g and %.12g in %s", inner, slope,
                     case_text(&c));
        free(x);
        free(y);
        case_destroy(&c);
    }
}

/* Paths that are cut into many blocks, and into several spans: each cut must be exact. */
Test(signature_random, vjp_of_long_paths)
{
    const int64_t length[] = {16, 17, 18, 33, 513, 514, 1100, 20000};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int32_t lead_lag = 0; lead_lag < 2; lead_lag++) {
            sigad_sig_spec spec = {.dimension = 2, .degree = 3, .lead_lag = lead_lag};
            signature_case c = case_create(CASE_SIG, &spec, 1, length[i], 5 * i);
            for (int64_t j = 0; j < c.x_entries; j++) c.x[j] /= sqrt((double)length[i]);
            double *x_bar = malloc((size_t)c.x_entries * sizeof *x_bar), left = 0, right = 0,
                   size = 1;
            double _Complex *x = calloc((size_t)c.x_entries, sizeof *x),
                            *y = calloc((size_t)c.y_entries, sizeof *y);
            void *work = aligned_alloc(64, (size_t)sg_sig_work_c64(c.plan, c.length) * sizeof *x);
            step_into(&c, x);
            sg_sig_c64(c.plan, c.length, x, y, work);
            cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, c.g, x_bar, 1), SIGAD_OK);
            for (int64_t j = 0; j < c.y_entries; j++) left += c.g[j] * cimag(y[j]) * 1e100;
            for (int64_t j = 0; j < c.x_entries; j++) {
                right += x_bar[j] * c.v[j];
                size += fabs(x_bar[j] * c.v[j]);
            }
            cr_assert_lt(fabs(left - right), 1e-12 * size, "%g and %g in %s", left, right,
                         case_text(&c));
            free(x);
            free(y);
            free(work);
            free(x_bar);
            case_destroy(&c);
        }
}

/* float32 keeps to its own rounding, also where a whole path undone step by step would have drifted
 * away. */
Test(signature_random, float_agrees_with_double)
{
    for (uint64_t i = 0; i < 200; i++) {
        sigad_sig_spec spec = draw_spec(3000 + i, 300);
        int64_t length = i % 40 == 0 ? 3000 : 4 + (int64_t)(i % 9);
        signature_case c = case_create((int)(i % CASE_OPERATIONS), &spec, 1, length, i);
        int64_t n = c.x_entries, m = c.y_entries;
        float *x = malloc((size_t)n * sizeof *x), *g = malloc((size_t)m * sizeof *g),
              *out = malloc((size_t)(n + m) * sizeof *out);
        double *want = malloc((size_t)(n + m) * sizeof *want),
               *got = malloc((size_t)(n + m) * sizeof *got);
        for (int64_t j = 0; j < n; j++) {
            if (c.operation < CASE_SIG_TO_LOG_SIG) c.x[j] /= sqrt((double)length);
            x[j] = (float)c.x[j];
            c.x[j] = x[j];
        }
        for (int64_t j = 0; j < m; j++) c.g[j] = g[j] = (float)c.g[j];
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, NULL, want, 1), SIGAD_OK);
        cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, c.g, want + m, 1), SIGAD_OK);
        cr_assert_eq(case_call(&c, SG_F32, NULL, x, NULL, out, 1), SIGAD_OK);
        cr_assert_eq(case_call(&c, SG_F32, NULL, x, g, out + m, 1), SIGAD_OK);
        for (int64_t j = 0; j < n + m; j++) got[j] = (double)out[j];
        cr_assert_lt(case_distance(m, got, want), 5e-5, "%s", case_text(&c));
        cr_assert_lt(case_distance(n, got + m, want + m), 5e-5, "%s", case_text(&c));
        free(x);
        free(g);
        free(out);
        free(want);
        free(got);
        case_destroy(&c);
    }
}

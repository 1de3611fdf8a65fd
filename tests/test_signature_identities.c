/* What holds for the signature of every path. */
#include "ops/cpu/signature_ref.h"
#include "support/signature_cases.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 3, N = 4, L = 9, WORDS = 3 + 9 + 27 + 81 };
static const sg_ref_shape shape = {D, N};

static sigad_plan *plan_of(int32_t method)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = D, .degree = N, .method = method,
                           .scalar_term = 1};
    sigad_plan *plan = NULL;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    return plan;
}

static void draw_path(uint64_t seed, double *path)
{
    for (int i = 0; i < L * D; i++) path[i] = case_normal(seed, i);
}

static void sig_of(int64_t length, const double *path, double *s)
{
    sigad_plan *plan = plan_of(0);
    cr_assert_eq(sigad_sig_f64(plan, 1, length, NULL, path, s, 1), SIGAD_OK);
    sigad_plan_destroy(plan);
}

static void same(const double *a, const double *b)
{
    cr_assert_lt(case_distance(WORDS + 1, a, b), 1e-13);
}

/* Chen (1954): the signature of two paths one after another is the product of theirs. */
Test(signature_identities, chen)
{
    double path[L * D], whole[WORDS + 1], a[WORDS + 1], b[WORDS + 1], product[WORDS + 1];
    draw_path(1, path);
    sig_of(L, path, whole);
    for (int cut = 0; cut < L; cut++) {
        sig_of(cut + 1, path, a);
        sig_of(L - cut, path + cut * D, b);
        sg_ref_multiply(shape, a, b, product);
        same(product, whole);
    }
}

Test(signature_identities, the_reversed_path_has_the_inverse)
{
    double path[L * D], back[L * D], a[WORDS + 1], b[WORDS + 1], product[WORDS + 1],
        one[WORDS + 1] = {1};
    draw_path(2, path);
    for (int i = 0; i < L; i++) memcpy(back + i * D, path + (L - 1 - i) * D, D * sizeof *back);
    sig_of(L, path, a);
    sig_of(L, back, b);
    sg_ref_multiply(shape, a, b, product);
    same(product, one);
}

/* Entry of S at the shuffle of words u and v, summed over all interleavings. */
static double shuffle(const double *s, int m, const int *u, int n, const int *v, int length,
                      int64_t word)
{
    if (!m && !n) return s[sg_ref_level(shape, length) + word];
    double sum = 0;
    if (m) sum += shuffle(s, m - 1, u + 1, n, v, length + 1, word * D + u[0]);
    if (n) sum += shuffle(s, m, u, n - 1, v + 1, length + 1, word * D + v[0]);
    return sum;
}

/* Ree (1958): S(u) S(v) = sum of S over the shuffle of u and v. */
Test(signature_identities, shuffle)
{
    double path[L * D], s[WORDS + 1];
    draw_path(3, path);
    sig_of(L, path, s);
    for (int word = 0; word < 81; word++)
        for (int m = 0; m <= N; m++) {
            int letter[N] = {word / 27, word / 9 % 3, word / 3 % 3, word % 3};
            int64_t u = 0, v = 0;
            for (int i = 0; i < N; i++) *(i < m ? &u : &v) = *(i < m ? &u : &v) * D + letter[i];
            double product = s[sg_ref_level(shape, m) + u] * s[sg_ref_level(shape, N - m) + v];
            double sum = shuffle(s, m, letter, N - m, letter + m, 0, 0);
            cr_assert_float_eq(product, sum, 1e-11, "word %d cut at %d: %g, %g", word, m, product,
                               sum);
        }
}

Test(signature_identities, a_point_on_the_way_changes_nothing)
{
    double path[L * D], more[(L + 1) * D], a[WORDS + 1], b[WORDS + 1];
    draw_path(4, path);
    sig_of(L, path, a);
    for (int at = 1; at < L; at++) {
        memcpy(more, path, (size_t)at * D * sizeof *more);
        memcpy(more + (at + 1) * D, path + at * D, (size_t)(L - at) * D * sizeof *more);
        for (int i = 0; i < D; i++)
            more[at * D + i] = 0.7 * path[(at - 1) * D + i] + 0.3 * path[at * D + i];
        sig_of(L + 1, more, b);
        same(b, a);
    }
}

/* S(c x)_k = c^k S(x)_k; so, by Euler, J x = sum of k S_k. */
Test(signature_identities, scaling)
{
    double path[L * D], scaled[L * D], a[WORDS + 1], b[WORDS + 1];
    draw_path(5, path);
    sig_of(L, path, a);
    for (int i = 0; i < L * D; i++) scaled[i] = -1.5 * path[i];
    sig_of(L, scaled, b);
    double factor = 1;
    for (int k = 0; k <= N; k++, factor *= -1.5)
        for (int64_t i = sg_ref_level(shape, k); i < sg_ref_level(shape, k + 1); i++)
            a[i] *= factor;
    same(b, a);
}

Test(signature_identities, euler)
{
    sigad_sig_spec spec = {.dimension = D, .degree = N};
    signature_case c = case_create(CASE_SIG, &spec, 1, L, 6);
    double s[WORDS], gradient[L * D], inner = 0, want = 0;
    cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, NULL, s, 1), SIGAD_OK);
    cr_assert_eq(case_call(&c, SG_F64, NULL, c.x, c.g, gradient, 1), SIGAD_OK);
    for (int i = 0; i < L * D; i++) inner += gradient[i] * c.x[i];
    for (int k = 1; k <= N; k++)
        for (int64_t i = c.plan->offset[k]; i < c.plan->offset[k + 1]; i++)
            want += k * c.g[i] * s[i];
    cr_assert_float_eq(inner, want, 1e-12 * (1 + fabs(want)));
    case_destroy(&c);
}

/* exp(log(s)) = s on the group in every method; log(exp(l)) = l for all coordinates. */
Test(signature_identities, exp_and_log)
{
    double path[L * D], s[WORDS + 1], back[WORDS + 1], l[WORDS + 1], again[WORDS + 1];
    draw_path(7, path);
    sig_of(L, path, s);
    for (int32_t method = 0; method < 3; method++) {
        sigad_plan *plan = plan_of(method);
        cr_assert_eq(sigad_sig_to_log_sig_f64(plan, 1, s, l, 1), SIGAD_OK);
        cr_assert_eq(sigad_logsig_to_sig_f64(plan, 1, l, back, 1), SIGAD_OK);
        same(back, s);
        cr_assert_eq(sigad_log_sig_f64(plan, 1, L, NULL, path, again, 1), SIGAD_OK);
        cr_assert_lt(case_distance(plan->log_sig_length, again, l), 1e-15);
        for (int64_t i = method == 0; i < plan->log_sig_length; i++) l[i] = case_normal(8, i);
        cr_assert_eq(sigad_logsig_to_sig_f64(plan, 1, l, s, 1), SIGAD_OK);
        cr_assert_eq(sigad_sig_to_log_sig_f64(plan, 1, s, again, 1), SIGAD_OK);
        cr_assert_lt(case_distance(plan->log_sig_length, again, l), 1e-12);
        sig_of(L, path, s);
        sigad_plan_destroy(plan);
    }
}

/* Lead-lag and time by hand on a longer path give what the flags give. */
Test(signature_identities, augmentation)
{
    double path[L * D], aug[(2 * L - 1) * (2 * D + 1)];
    draw_path(9, path);
    for (int i = 0; i < 2 * L - 1; i++) {
        double *p = aug + i * (2 * D + 1);
        for (int j = 0; j < D; j++) {
            p[j] = path[i / 2 * D + j];
            p[D + j] = path[(i + 1) / 2 * D + j];
        }
        p[2 * D] = 2.5 * i / (2 * L - 2);
    }
    sigad_sig_spec flags = {SIGAD_SIG_SPEC_INIT, .dimension = D, .degree = 3,
                            .time_aug = 1,       .lead_lag = 1,  .end_time = 2.5};
    sigad_sig_spec plain = {SIGAD_SIG_SPEC_INIT, .dimension = 2 * D + 1, .degree = 3};
    double a[7 + 49 + 343], b[7 + 49 + 343];
    sigad_plan *one, *two;
    cr_assert(!sigad_plan_create(&flags, &one) && !sigad_plan_create(&plain, &two));
    cr_assert_eq(sigad_sig_f64(one, 1, L, NULL, path, a, 1), SIGAD_OK);
    cr_assert_eq(sigad_sig_f64(two, 1, 2 * L - 1, NULL, aug, b, 1), SIGAD_OK);
    cr_assert_lt(case_distance(399, a, b), 1e-14);
    sigad_plan_destroy(one);
    sigad_plan_destroy(two);
}

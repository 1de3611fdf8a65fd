/* Signatures and log-signatures that are known exactly. Letters are written 1 .. d in comments. */
#include "support/signature_cases.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (int64_t)(sizeof(array) / sizeof *(array))

static sigad_plan *plan_of(int32_t dimension, int32_t degree, int32_t method)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = dimension, .degree = degree,
                           .method = method};
    sigad_plan *plan = NULL;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    return plan;
}

static void same(int64_t n, const double *got, const double *want, double tolerance)
{
    for (int64_t i = 0; i < n; i++)
        cr_assert(fabs(got[i] - want[i]) <= tolerance, "entry %ld: %.17g, not %.17g", (long)i,
                  got[i], want[i]);
}

static void check_sig(int32_t dimension, int32_t degree, int64_t length, const double *path,
                      int64_t n, const double *want)
{
    sigad_plan *plan = plan_of(dimension, degree, 0);
    double got[256];
    cr_assert_eq(plan->sig_length, n);
    cr_assert_eq(sigad_sig_f64(plan, 1, length, NULL, path, got, 1), SIGAD_OK);
    same(n, got, want, 1e-14 * 32);
    sigad_plan_destroy(plan);
}

static void check_log_sig(int32_t dimension, int32_t degree, int32_t method, int64_t length,
                          const double *path, int64_t n, const double *want)
{
    sigad_plan *plan = plan_of(dimension, degree, method);
    double got[256];
    cr_assert_eq(plan->log_sig_length, n);
    cr_assert_eq(sigad_log_sig_f64(plan, 1, length, NULL, path, got, 1), SIGAD_OK);
    same(n, got, want, 1e-14 * 32);
    sigad_plan_destroy(plan);
}

/* ---- paths
 * --------------------------------------------------------------------------------------- */

Test(signature, line)
{
    const double path[] = {0, 0, 1, 2};
    double want[30] = {1,      2,      1. / 2, 1,      1,      2,      1. / 6,
                       1. / 3, 1. / 3, 2. / 3, 1. / 3, 2. / 3, 2. / 3, 4. / 3};
    for (int word = 0; word < 16; word++) { /* level 4: product of the increments over 4! */
        want[14 + word] = 1. / 24;
        for (int bit = 0; bit < 4; bit++)
            if (word >> bit & 1) want[14 + word] *= 2;
    }
    check_sig(2, 4, 2, path, 30, want);
    const double log_words[8] = {1, 2}, log_tensor[30] = {1, 2};
    check_log_sig(2, 4, 0, 2, path, 30, log_tensor);
    check_log_sig(2, 4, 1, 2, path, 8, log_words);
    check_log_sig(2, 4, 2, 2, path, 8, log_words);
}

/* S(1^a 2^b) = 1 / (a! b!), every other word 0; the logarithm is the Baker-Campbell-Hausdorff
 * series. Here words and brackets differ: 11212 and 12122. */
Test(signature, corner)
{
    const double path[] = {0, 0, 1, 0, 1, 1};
    double want[62];
    for (int k = 1, at = 0; k <= 5; k++)
        for (int word = 0; word < 1 << k; word++, at++) {
            int twos = 0;
            while (word >> twos & 1) twos++;
            want[at] = word == (1 << twos) - 1 ? 1 / (tgamma(twos + 1) * tgamma(k - twos + 1)) : 0;
        }
    check_sig(2, 5, 3, path, 62, want);
    const double words[] = {1, 1,         1. / 2,   1. / 12,   1. / 12,  0,         1. / 24,
                            0, -1. / 720, 1. / 180, -1. / 120, 1. / 180, -1. / 120, -1. / 720};
    const double brackets[] = {1, 1,         1. / 2,   1. / 12,  1. / 12,  0,        1. / 24,
                               0, -1. / 720, 1. / 180, 1. / 360, 1. / 180, 1. / 120, -1. / 720};
    check_log_sig(2, 5, 1, 3, path, COUNT(words), words);
    check_log_sig(2, 5, 2, 3, path, COUNT(brackets), brackets);
}

Test(signature, square)
{
    const double path[] = {0, 0, 1, 0, 1, 1, 0, 1, 0, 0};
    const double sig[] = {0, 0, 0, 1, -1, 0, 0, 1. / 2, -1, -1. / 2, 1. / 2, 1, -1. / 2, 0};
    const double words[] = {0, 0, 1, 1. / 2, -1. / 2, 1. / 6, -1. / 4, 1. / 6};
    check_sig(2, 3, 5, path, COUNT(sig), sig);
    check_log_sig(2, 4, 1, 5, path, COUNT(words), words);
}

Test(signature, three_dimensions)
{
    const double path[] = {0, 0, 0, 1, 2, -1, 3, 1, 1, 2, 2, 4};
    const double sig[] = {2,       2,      4,        2,       3. / 2, 11,      5. / 2,  2,
                          13. / 2, -3,     3. / 2,   8,       4. / 3, 4. / 3,  41. / 3, 1. / 3,
                          5. / 6,  1,      -16. / 3, 6,       25,     7. / 3,  4. / 3,  15,
                          11. / 6, 4. / 3, 31. / 6,  -3,      8. / 3, 41. / 3, -1. / 3, -1,
                          -6,      -2,     1. / 6,   -4. / 3, -3,     11. / 3, 32. / 3};
    double words[] = {2, 2, 4,        -1. / 2, 7,       5. / 2, 1. / 2,
                      4, 0, -19. / 6, -7. / 6, 17. / 3, 0,      10. / 3};
    check_sig(3, 3, 4, path, COUNT(sig), sig);
    check_log_sig(3, 3, 1, 4, path, COUNT(words), words);
    words[10] = -13. / 3; /* [[1,3],2] */
    check_log_sig(3, 3, 2, 4, path, COUNT(words), words);
}

Test(signature, gradients)
{
    const double path[] = {0, 0, 1, 2, 3, 1, 2, 2};
    const double want[] = {-183. / 2, -241. / 2, -25. / 6, 55. / 6,
                           1. / 6,    17. / 6,   191. / 2, 217. / 2};
    const double log_want[] = {-4. / 3, -11. / 12, -7. / 6, -7. / 3,
                               2. / 3,  -8. / 3,   11. / 6, 71. / 12};
    const double log_sig[] = {2, 2, -1. / 2, 1. / 2, 0};
    double weight[14], gradient[8], sig[14], loss = 0;
    for (int i = 0; i < 14; i++) weight[i] = i + 1;
    sigad_plan *plan = plan_of(2, 3, 1);
    sigad_sig_f64(plan, 1, 4, NULL, path, sig, 1);
    for (int i = 0; i < 14; i++) loss += weight[i] * sig[i];
    cr_assert_float_eq(loss, 158, 1e-12);
    cr_assert_eq(sigad_sig_backprop_f64(plan, 1, 4, NULL, path, weight, gradient, 1), SIGAD_OK);
    same(8, gradient, want, 1e-12);
    cr_assert_eq(sigad_log_sig_backprop_f64(plan, 1, 4, NULL, path, weight, gradient, 1), SIGAD_OK);
    same(8, gradient, log_want, 1e-12);
    sigad_plan_destroy(plan);
    check_log_sig(2, 3, 1, 4, path, 5, log_sig);
}

/* The Hessian of the same loss times v. */
Test(signature, hessian)
{
    const double path[] = {0, 0, 1, 2, 3, 1, 2, 2}, v[] = {1, 0, 0, 1, 1, 1, 0, 0};
    const double want[] = {30, 45, -8. / 3, -4, 7. / 3, -4. / 3, -89. / 3, -119. / 3};
    double weight[14], out[8] = {0};
    for (int i = 0; i < 14; i++) weight[i] = i + 1;
    sigad_plan *plan = plan_of(2, 3, 0);
    sg_signature_batch batch = {.kernels = &sg_sig_kernels,
                                .plan = plan,
                                .scalar = SG_F64,
                                .batch = 1,
                                .length = 4,
                                .x = path,
                                .y_bar = weight,
                                .x_dot = v,
                                .out = out,
                                .threads = 1};
    batch.work = aligned_alloc(64, (size_t)sg_signature_work_bytes(&batch, SG_BATCH_SOC));
    sg_signature_run(&batch, SG_BATCH_SOC);
    same(8, out, want, 1e-11);
    free(batch.work);
    sigad_plan_destroy(plan);
}

/* ---- integers: k! S_k is one
 * -------------------------------------------------------------------------- */

__extension__ typedef __int128 wide;
enum { WIDE_WORDS = 400 };

/* k! S_k for a path of integer increments, by k! exp(z)_k = z ... z and Chen with binomial
 * coefficients. */
static void integer_sig(int letters, int degree, int64_t steps, const int *z, wide *s)
{
    static wide next[WIDE_WORDS];
    int64_t size[8] = {1}, offset[9] = {0, 1};
    for (int k = 1; k <= degree; k++) {
        size[k] = size[k - 1] * letters;
        offset[k + 1] = offset[k] + size[k];
    }
    memset(s, 0, WIDE_WORDS * sizeof *s);
    s[0] = 1;
    for (int64_t t = 0; t < steps; t++, z += letters) {
        for (int k = 0; k <= degree; k++)
            for (int64_t w = 0; w < size[k]; w++) {
                wide sum = 0, binomial = 1, product = 1;
                int64_t prefix = w;
                for (int j = 0; j <= k; j++) { /* the last j letters come from this increment */
                    sum += binomial * product * s[offset[k - j] + prefix];
                    if (j == k) break;
                    binomial = binomial * (k - j) / (j + 1);
                    product *= z[prefix % letters];
                    prefix /= letters;
                }
                next[offset[k] + w] = sum;
            }
        memcpy(s, next, sizeof next);
    }
}

/* Rounding: each of the steps adds terms of the exponential of the path's length, (sum of |z|)^k /
 * k!, in at most degree operations each. */
Test(signature, integer_increments)
{
    const int size[][2] = {{1, 6}, {2, 6}, {3, 5}, {4, 3}, {7, 2}};
    enum { STEPS = 11 };
    static wide want[WIDE_WORDS];
    for (int i = 0; i < 5; i++) {
        int d = size[i][0], n = size[i][1], z[STEPS * 7];
        double path[(STEPS + 1) * 7] = {0}, got[WIDE_WORDS], variation = 0;
        for (int j = 0; j < STEPS * d; j++) {
            z[j] = (int)(7 * case_normal((uint64_t)i, j)) % 4;
            path[j + d] = path[j] + z[j];
            variation += abs(z[j]);
        }
        integer_sig(d, n, STEPS, z, want);
        sigad_plan *plan = plan_of(d, n, 0);
        cr_assert_eq(sigad_sig_f64(plan, 1, STEPS + 1, NULL, path, got, 1), SIGAD_OK);
        double factorial = 1;
        for (int k = 1; k <= n; k++) {
            factorial *= k;
            double bound = STEPS * n * DBL_EPSILON * pow(variation, k) / factorial;
            for (int64_t w = 0; w < plan->size[k]; w++) {
                double exact = (double)want[1 + plan->offset[k] + w] / factorial;
                double error = fabs(got[plan->offset[k] + w] - exact);
                cr_assert(error <= bound, "d %d, level %d, word %ld: error %g, bound %g", d, k,
                          (long)w, error, bound);
            }
        }
        sigad_plan_destroy(plan);
    }
}

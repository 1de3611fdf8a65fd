/* Dense operations where plain formulas lose their digits, at ties, at NaN and infinity, and at
 * random. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <sigad/sigad.h>
#include <stdlib.h>
#include <string.h>

static sigad_context *context;
static sigad_tape *tape;

/* For all threads: draws of many numbers are shared out among them. */
static void create(void)
{
    sigad_context_create(NULL, &context);
    sigad_tape_create(context, &tape);
}

static void destroy(void)
{
    cr_expect_eq(sigad_context_status(context), SIGAD_OK, "%s", sigad_context_message(context));
    sigad_context_destroy(context);
}

TestSuite(dense_values, .init = create, .fini = destroy);

static sigad_tensor vector(int64_t n, const double *entries)
{
    return sigad_watch(tape, sigad_constant(tape, SIGAD_F64, 1, &n, entries));
}

static void expect(const char *what, sigad_tensor x, int64_t n, const double *expected)
{
    const double *got = sigad_data(tape, x);
    cr_assert_not_null(got, "%s: %s", what, sigad_context_message(context));
    for (int64_t i = 0; i < n; i++) {
        bool same = got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i])) ||
                    fabs(got[i] - expected[i]) <= 8 * DBL_EPSILON * fabs(expected[i]);
        cr_expect(same, "%s: entry %d is %.17g, expected %.17g", what, (int)i, got[i], expected[i]);
    }
}
#define EXPECT(what, x, ...) \
    expect(what, x, sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})

static void backward(sigad_tensor y)
{
    sigad_backward_with(tape, y, sigad_scalar(tape, SIGAD_F64, 1));
}

/* Relative precision far from 0, where the plain formulas give 0, infinity or noise. */
Test(dense_values, tails)
{
    sigad_tensor x = vector(4, (double[]){-700, -30, 30, 700});
    EXPECT("sigmoid", sigad_sigmoid(tape, x), exp(-700), exp(-30) / (1 + exp(-30)),
           1 / (1 + exp(-30)), 1);
    EXPECT("softplus", sigad_softplus(tape, x), exp(-700), log1p(exp(-30)), 30 + log1p(exp(-30)),
           700);
    EXPECT("silu", sigad_silu(tape, x), -700 * exp(-700), -30 * exp(-30) / (1 + exp(-30)),
           30 / (1 + exp(-30)), 700);
    EXPECT("tanh", sigad_tanh(tape, x), -1, -1, 1, 1);
    EXPECT("logsumexp", sigad_logsumexp(tape, x, 0, 0), 700);
    x = vector(2, (double[]){1e-20, -1e-20});
    EXPECT("expm1", sigad_expm1(tape, x), 1e-20, -1e-20);
    EXPECT("log1p", sigad_log1p(tape, x), 1e-20, -1e-20);
    x = vector(3, (double[]){1e4 + 1, 1e4 + 2, 1e4 + 3});
    EXPECT("variance", sigad_variance(tape, x, 0, 1, 0), 1);
}

/* The rounding of erfc's argument z grows by 2 z^2, 64 here. */
Test(dense_values, gelu_in_the_tails)
{
    sigad_tensor y = sigad_gelu(tape, vector(3, (double[]){-700, -8, 700}));
    const double *got = sigad_data(tape, y), expected = -4 * erfc(8 / sqrt(2));
    cr_expect(got[0] == 0 && got[2] == 700);
    cr_expect(fabs(got[1] - expected) < 130 * DBL_EPSILON * fabs(expected));
}

Test(dense_values, slopes_in_the_tails)
{
    sigad_tensor x = vector(2, (double[]){-700, 700});
    backward(sigad_softplus(tape, x));
    EXPECT("softplus", sigad_gradient(tape, x), exp(-700), 1);
    x = vector(2, (double[]){-700, 700});
    backward(sigad_elu(tape, x, 1));
    EXPECT("elu", sigad_gradient(tape, x), exp(-700), 1);
    x = vector(3, (double[]){-800, 1024, 1024});
    backward(sigad_logsumexp(tape, x, 0, 0));
    EXPECT("logsumexp", sigad_gradient(tape, x), 0, 0.5, 0.5);
}

Test(dense_values, power_at_0)
{
    static const double exponents[] = {0, 1, 2, 3, -1, 0.5};
    static const double value[] = {1, 0, 0, 0, INFINITY, 0};
    static const double slope[] = {0, 1, 0, 0, -INFINITY, INFINITY};
    static const double bend[] = {0, 0, 2, 0};
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        sigad_tensor x = vector(1, (double[]){0}),
                     one = sigad_constant(tape, SIGAD_F64, 1, (int64_t[]){1}, (double[]){1});
        sigad_tensor y = sigad_power(tape, x, exponents[i]), hv;
        EXPECT("value", y, value[i]);
        backward(y);
        EXPECT("slope", sigad_gradient(tape, x), slope[i]);
        if (isfinite(slope[i])) sigad_hvp(tape, y, 1, &x, &one, &hv);
        if (isfinite(slope[i])) EXPECT("bend", hv, bend[i]);
    }
}

Test(dense_values, not_a_number_stays)
{
    sigad_tensor x = vector(3, (double[]){NAN, 1, NAN}), zero = sigad_scalar(tape, SIGAD_F64, 0);
    EXPECT("relu", sigad_relu(tape, x), NAN, 1, NAN);
    EXPECT("leaky_relu", sigad_leaky_relu(tape, x, 0.1), NAN, 1, NAN);
    EXPECT("elu", sigad_elu(tape, x, 0.1), NAN, 1, NAN);
    EXPECT("abs", sigad_abs(tape, x), NAN, 1, NAN);
    EXPECT("clip", sigad_clip(tape, x, -2, 2), NAN, 1, NAN);
    EXPECT("softplus", sigad_softplus(tape, sigad_mul(tape, x, zero)), NAN, log(2), NAN);
    EXPECT("maximum", sigad_maximum(tape, x, zero), NAN, 1, NAN);
    EXPECT("maximum, second", sigad_maximum(tape, zero, x), NAN, 1, NAN);
    EXPECT("minimum", sigad_minimum(tape, x, zero), NAN, 0, NAN);
    EXPECT("minimum, second", sigad_minimum(tape, zero, x), NAN, 0, NAN);
    EXPECT("max", sigad_max(tape, x, 0, 0), NAN);
    EXPECT("min", sigad_min(tape, x, 0, 0), NAN);
    EXPECT("logsumexp", sigad_logsumexp(tape, x, 0, 0), NAN);
    cr_expect_eq(*(const int64_t *)sigad_data(tape, sigad_argmax(tape, x, 0)), 0);
    x = vector(3, (double[]){-INFINITY, -INFINITY, -INFINITY});
    EXPECT("logsumexp of nothing", sigad_logsumexp(tape, x, 0, 0), -INFINITY);
    x = vector(2, (double[]){INFINITY, 0});
    EXPECT("logsumexp of everything", sigad_logsumexp(tape, x, 0, 0), INFINITY);
}

/* Equal candidates: the first one counts. At a kink: as the header says. */
Test(dense_values, ties)
{
    sigad_tensor x = vector(4, (double[]){1, 3, 3, 1}), y = vector(4, (double[]){1, 3, 4, 0});
    backward(sigad_max(tape, x, 0, 0));
    EXPECT("max", sigad_gradient(tape, x), 0, 1, 0, 0);
    cr_expect_eq(*(const int64_t *)sigad_data(tape, sigad_argmax(tape, x, 0)), 1);
    cr_expect_eq(*(const int64_t *)sigad_data(tape, sigad_argmin(tape, x, 0)), 0);
    x = vector(4, (double[]){1, 3, 3, 1});
    backward(sigad_maximum(tape, x, y));
    EXPECT("maximum", sigad_gradient(tape, x), 1, 1, 0, 1);
    EXPECT("maximum, second", sigad_gradient(tape, y), 0, 0, 1, 0);
    x = vector(3, (double[]){-1, 0, 1});
    backward(sigad_relu(tape, x));
    EXPECT("relu", sigad_gradient(tape, x), 0, 0, 1);
    x = vector(3, (double[]){-1, 0, 1});
    backward(sigad_abs(tape, x));
    EXPECT("abs", sigad_gradient(tape, x), -1, 0, 1);
    x = vector(4, (double[]){-1.5, -1, 1, 1.5});
    backward(sigad_clip(tape, x, -1, 1));
    EXPECT("clip", sigad_gradient(tape, x), 0, 1, 1, 0);
    x = vector(2, (double[]){0, 0});
    backward(sigad_norm(tape, x, 0, 0));
    EXPECT("norm", sigad_gradient(tape, x), 0, 0);
}

Test(dense_values, detach_stops_derivatives)
{
    sigad_tensor x = vector(2, (double[]){2, 3});
    sigad_tensor y = sigad_mul(tape, x, sigad_detach(tape, sigad_square(tape, x)));
    EXPECT("value", y, 8, 27);
    backward(y);
    EXPECT("gradient", sigad_gradient(tape, x), 4, 9);
}

/* A gradient through a tensor that shares its bytes with another, and with a parameter. */
Test(dense_values, aliases)
{
    sigad_tensor x = vector(4, (double[]){1, 2, 3, 4});
    sigad_tensor p =
        sigad_parameter(context, "p", SIGAD_F64, SIGAD_SHAPE(4), SIGAD_INIT_CONSTANT(2));
    sigad_tensor square = sigad_square(tape, x);
    sigad_tensor matrix = sigad_reshape(tape, square, SIGAD_SHAPE(2, 2));
    sigad_tensor row = sigad_unsqueeze(tape, sigad_reshape(tape, p, SIGAD_SHAPE(2, 2)), 0);
    cr_expect_eq(sigad_data(tape, square), sigad_data(tape, matrix));
    backward(sigad_add(tape, sigad_mul(tape, matrix, sigad_squeeze(tape, row, 0)), matrix));
    EXPECT("x", sigad_gradient(tape, x), 6, 12, 18, 24);
    EXPECT("p", sigad_gradient(tape, p), 1, 4, 9, 16);
}

Test(dense_values, cast_rounds_to_zero)
{
    sigad_tensor x = vector(4, (double[]){-1.9, 1.9, -0x1p63, 0x1.fffffffffffffp62});
    const int64_t *y = sigad_data(tape, sigad_cast(tape, x, SIGAD_I64));
    cr_expect(y[0] == -1 && y[1] == 1 && y[2] == INT64_MIN && y[3] == INT64_MAX - 1023);
}

/* ---- random --------------------------------------------------------------------------------- */

enum { DRAWS = 40000 };

static double moment(const double *x, int order)
{
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) sum += pow(x[i], order);
    return sum / DRAWS;
}

/* Sample moments lie within five standard errors. */
static void expect_moment(const char *what, double got, double expected, double variance)
{
    cr_expect(fabs(got - expected) < 5 * sqrt(variance / DRAWS), "%s is %g, expected %g", what, got,
              expected);
}

Test(dense_values, random_moments)
{
    const double *u = sigad_data(tape, sigad_uniform(tape, SIGAD_F64, SIGAD_SHAPE(DRAWS), -1, 3));
    expect_moment("mean of uniform", moment(u, 1), 1, 4.0 / 3);
    expect_moment("square of uniform", moment(u, 2), 7.0 / 3, 256.0 / 45 + 64.0 / 9);
    for (int i = 0; i < DRAWS; i++) cr_assert(u[i] >= -1 && u[i] < 3);
    const double *g =
        sigad_data(tape, sigad_normal(tape, SIGAD_F64, SIGAD_SHAPE(200, DRAWS / 200)));
    expect_moment("mean of normal", moment(g, 1), 0, 1);
    expect_moment("square of normal", moment(g, 2), 1, 2);
    expect_moment("fourth power of normal", moment(g, 4), 3, 96);
}

Test(dense_values, dropout)
{
    int64_t n = DRAWS;
    double *ones = malloc(DRAWS * sizeof *ones);
    for (int i = 0; i < DRAWS; i++) ones[i] = 1;
    sigad_tensor x = vector(n, ones), y = sigad_dropout(tape, x, 0.2);
    expect_moment("mean", moment(sigad_data(tape, y), 1), 1, 0.25);
    memcpy(ones, sigad_data(tape, y), DRAWS * sizeof *ones);
    for (int i = 0; i < DRAWS; i++) cr_assert(ones[i] == 0 || ones[i] == 1.25);
    backward(y);
    expect("the gradient drops the same", sigad_gradient(tape, x), n, ones);
    sigad_replay(tape);
    expect("so does a replay", y, n, ones);
    cr_expect(memcmp(ones, sigad_data(tape, sigad_dropout(tape, x, 0.2)), DRAWS * sizeof *ones),
              "another node draws the same");
    free(ones);
}

static void draw(double *three)
{
    memcpy(three, sigad_data(tape, sigad_normal(tape, SIGAD_F64, SIGAD_SHAPE(3))),
           3 * sizeof *three);
}

/* Draws follow the step: a reset goes on to the next, and a step that is set comes again. */
Test(dense_values, draws_follow_the_step)
{
    double first[3], second[3], again[3];
    draw(first);
    sigad_tape_reset(tape);
    draw(second);
    sigad_tape_reset(tape);
    sigad_tape_set_step(tape, 0);
    draw(again);
    cr_expect(memcmp(first, second, sizeof first));
    cr_expect_eq(memcmp(first, again, sizeof first), 0);
}

Test(dense_values, dropout_is_the_identity_in_evaluation)
{
    sigad_tape_evaluate(tape, 1);
    sigad_tensor x = sigad_scalar(tape, SIGAD_F64, 3), y = sigad_dropout(tape, x, 0.9);
    cr_expect(y.id == x.id && y.generation == x.generation);
    cr_expect_eq(sigad_dropout(tape, x, 1.5).generation, 0);
    cr_expect_eq(sigad_context_clear(context), SIGAD_EINVAL);
}

#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <string.h>

static sigad_context *create(uint64_t seed, int threads)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .seed = seed, .threads = threads};
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    return context;
}

/* A fresh float64 parameter's entries. */
static void draw(sigad_context *context, const char *name, sigad_init init, int rank,
                 const int64_t *shape, double *entries)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)shape[i];
    sigad_tensor p = sigad_parameter(context, name, SIGAD_F64, rank, shape, init);
    cr_assert_eq(sigad_parameter_read(context, p, entries, count * sizeof *entries), SIGAD_OK, "%s",
                 sigad_context_message(context));
}

static void moments(const double *entries, int n, double *mean, double *variance)
{
    *mean = *variance = 0.0;
    for (int i = 0; i < n; i++) *mean += entries[i] / n;
    for (int i = 0; i < n; i++) *variance += (entries[i] - *mean) * (entries[i] - *mean) / n;
}

Test(init, constant_is_that_constant)
{
    sigad_context *context = create(0, 1);
    double entries[6];
    draw(context, "c", SIGAD_INIT_CONSTANT(-2.5), SIGAD_SHAPE(2, 3), entries);
    for (int i = 0; i < 6; i++) cr_assert_eq(entries[i], -2.5);
    draw(context, "z", SIGAD_INIT_ZERO, SIGAD_SHAPE(6), entries);
    for (int i = 0; i < 6; i++) cr_assert_eq(entries[i], 0.0);
    draw(context, "scalar", SIGAD_INIT_CONSTANT(1.5), 0, NULL, entries);
    cr_assert_eq(entries[0], 1.5);
    sigad_context_destroy(context);
}

/* Mean and variance of n draws are within five deviations of theirs: of the mean sqrt(variance /
 * n), of the variance sqrt((fourth moment - variance^2) / n), which is variance * sqrt(2 / n) for
 * normal and variance * sqrt(0.8 / n) for uniform draws. */
static void check_moments(sigad_init init, int rank, const int64_t *shape, double mean,
                          double variance)
{
    enum { N = 30000 };
    static double entries[N];
    sigad_context *context = create(11, 1);
    double m, v;
    draw(context, "w", init, rank, shape, entries);
    moments(entries, N, &m, &v);
    cr_expect_float_eq(m, mean, 5.0 * sqrt(variance / N), "mean %g, expected %g", m, mean);
    cr_expect_float_eq(v, variance, 5.0 * variance * sqrt(2.0 / N), "variance %g, expected %g", v,
                       variance);
    sigad_context_destroy(context);
}

Test(init, moments_are_those_promised)
{
    check_moments(SIGAD_INIT_UNIFORM(-1.0, 3.0), SIGAD_SHAPE(30000), 1.0, 16.0 / 12.0);
    check_moments(SIGAD_INIT_NORMAL(0.5, 0.1), SIGAD_SHAPE(30000), 0.5, 0.01);
    check_moments(SIGAD_INIT_HE, SIGAD_SHAPE(300, 100), 0.0, 2.0 / 300.0);
    check_moments(SIGAD_INIT_HE, SIGAD_SHAPE(3, 50, 200), 0.0, 2.0 / 150.0);
    check_moments(SIGAD_INIT_XAVIER, SIGAD_SHAPE(300, 100), 0.0, 2.0 / 400.0);
    check_moments(SIGAD_INIT_XAVIER, SIGAD_SHAPE(3, 50, 200), 0.0, 2.0 / (150.0 + 600.0));
    sigad_init twice = sigad_init_of(SIGAD_INIT_KIND_XAVIER, 2.0, 0.0);
    check_moments(twice, SIGAD_SHAPE(300, 100), 0.0, 8.0 / 400.0);
}

Test(init, uniform_and_xavier_stay_in_their_range)
{
    static double entries[10000];
    sigad_context *context = create(3, 1);
    draw(context, "u", SIGAD_INIT_UNIFORM(2.0, 2.5), SIGAD_SHAPE(10000), entries);
    for (int i = 0; i < 10000; i++) cr_assert(entries[i] >= 2.0 && entries[i] < 2.5);
    draw(context, "x", SIGAD_INIT_XAVIER, SIGAD_SHAPE(100, 100), entries);
    double bound = sqrt(6.0 / 200.0), largest = 0.0;
    for (int i = 0; i < 10000; i++) largest = fmax(largest, fabs(entries[i]));
    cr_assert(largest <= bound && largest > 0.99 * bound);
    sigad_context_destroy(context);
}

/* Rows (or, of a tall matrix, columns) have norm `gain` and right angles. */
static void check_orthogonal(int rank, const int64_t *shape, double gain)
{
    static double w[80 * 80];
    sigad_context *context = create(5, 2);
    draw(context, "o", sigad_init_of(SIGAD_INIT_KIND_ORTHOGONAL, gain, 0.0), rank, shape, w);
    int64_t columns = shape[rank - 1], rows = 1;
    for (int i = 0; i < rank - 1; i++) rows *= shape[i];
    int64_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    int64_t step = rows < columns ? columns : 1, stride = rows < columns ? 1 : columns;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < length; k++)
                sum += w[i * step + k * stride] * w[j * step + k * stride];
            cr_assert_float_eq(sum, i == j ? gain * gain : 0.0, 4e-15 * gain * gain,
                               "<%d, %d> = %g", (int)i, (int)j, sum);
        }
    sigad_context_destroy(context);
}

Test(init, orthogonal_is_orthogonal)
{
    check_orthogonal(SIGAD_SHAPE(80, 80), 1.0);
    check_orthogonal(SIGAD_SHAPE(7, 40), 1.0);
    check_orthogonal(SIGAD_SHAPE(40, 7), 2.0);
    check_orthogonal(SIGAD_SHAPE(3, 5, 4), 1.0);
    check_orthogonal(SIGAD_SHAPE(1, 1), 1.0);
}

/* The Haar measure has no preferred sign: the trace of many small matrices has mean 0, variance 1.
 */
Test(init, orthogonal_is_uniformly_distributed)
{
    enum { N = 400 };
    sigad_context *context = create(6, 1);
    double trace[N], mean, variance;
    for (int i = 0; i < N; i++) {
        char name[16];
        double w[9];
        snprintf(name, sizeof name, "w%d", i);
        draw(context, name, SIGAD_INIT_ORTHOGONAL, SIGAD_SHAPE(3, 3), w);
        trace[i] = w[0] + w[4] + w[8];
    }
    moments(trace, N, &mean, &variance);
    cr_expect_float_eq(mean, 0.0, 5.0 / sqrt(N), "%g", mean);
    cr_expect_float_eq(variance, 1.0, 5.0 * sqrt(2.0 / N), "%g", variance);
    sigad_context_destroy(context);
}

static const struct {
    const char *what;
    sigad_init init;
} drawn[] = {{"uniform", {SIGAD_INIT_KIND_UNIFORM, 0, -1.0, 1.0}},
             {"normal", {SIGAD_INIT_KIND_NORMAL, 0, 0.0, 1.0}},
             {"He", {SIGAD_INIT_KIND_HE, 0, 1.0, 0.0}},
             {"Xavier", {SIGAD_INIT_KIND_XAVIER, 0, 1.0, 0.0}},
             {"orthogonal", {SIGAD_INIT_KIND_ORTHOGONAL, 0, 1.0, 0.0}}};
enum { DRAWN = sizeof drawn / sizeof *drawn, ROWS = 260, COLUMNS = 256, ENTRIES = ROWS * COLUMNS };
static double first[ENTRIES], second[ENTRIES];

Test(init, depends_on_seed_and_name_only)
{
    for (int i = 0; i < DRAWN; i++) {
        sigad_context *a = create(1, 1), *b = create(1, 1), *c = create(2, 1);
        draw(a, "w", drawn[i].init, SIGAD_SHAPE(6, 4), first);
        draw(b, "new layer", drawn[i].init, SIGAD_SHAPE(5, 5), second);
        draw(b, "w", drawn[i].init, SIGAD_SHAPE(6, 4), second);
        cr_expect_arr_eq(first, second, 24 * sizeof *first, "%s: order matters", drawn[i].what);
        draw(b, "v", drawn[i].init, SIGAD_SHAPE(6, 4), second);
        cr_expect_arr_neq(first, second, 24 * sizeof *first, "%s: no name", drawn[i].what);
        draw(c, "w", drawn[i].init, SIGAD_SHAPE(6, 4), second);
        cr_expect_arr_neq(first, second, 24 * sizeof *first, "%s: no seed", drawn[i].what);
        sigad_context_destroy(a);
        sigad_context_destroy(b);
        sigad_context_destroy(c);
    }
}

Test(init, same_bits_for_any_thread_count)
{
    for (int i = 0; i < DRAWN; i++)
        for (int threads = 2; threads <= 3; threads++) {
            sigad_context *a = create(1, 1), *b = create(1, threads);
            draw(a, "w", drawn[i].init, SIGAD_SHAPE(ROWS, COLUMNS), first);
            draw(b, "w", drawn[i].init, SIGAD_SHAPE(ROWS, COLUMNS), second);
            cr_expect_arr_eq(first, second, sizeof first, "%s: %d threads", drawn[i].what, threads);
            sigad_context_destroy(a);
            sigad_context_destroy(b);
        }
}

Test(init, float32_is_rounded_float64)
{
    for (int i = 0; i < DRAWN; i++) {
        sigad_context *a = create(1, 1), *b = create(1, 1);
        double wide[24];
        float narrow[24];
        draw(a, "w", drawn[i].init, SIGAD_SHAPE(6, 4), wide);
        sigad_tensor p = sigad_parameter(b, "w", SIGAD_F32, SIGAD_SHAPE(6, 4), drawn[i].init);
        cr_assert_eq(sigad_parameter_read(b, p, narrow, sizeof narrow), SIGAD_OK);
        for (int k = 0; k < 24; k++) cr_expect_eq(narrow[k], (float)wide[k], "%s", drawn[i].what);
        sigad_context_destroy(a);
        sigad_context_destroy(b);
    }
}

Test(init, nothing_to_fill)
{
    sigad_context *context = create(0, 1);
    double none;
    for (int i = 0; i < DRAWN; i++)
        draw(context, drawn[i].what, drawn[i].init, SIGAD_SHAPE(3, 0), &none);
    sigad_context_destroy(context);
}

static void refuses(sigad_init init, int rank, const int64_t *shape, sigad_status status,
                    const char *message)
{
    sigad_context *context = create(0, 1);
    sigad_tensor p = sigad_parameter(context, "w", SIGAD_F32, rank, shape, init);
    cr_expect_eq(p.generation, 0u);
    cr_expect_eq(sigad_context_status(context), status);
    cr_expect_str_eq(sigad_context_message(context), message);
    cr_expect_eq(sigad_parameter_count(context), 0);
    sigad_context_destroy(context);
}

Test(init, refuses_what_makes_no_sense)
{
    refuses(sigad_init_of(6, 0.0, 0.0), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': unknown start (kind 6, reserved 0); use SIGAD_INIT_...");
    refuses(sigad_init_of(-1, 0.0, 0.0), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': unknown start (kind -1, reserved 0); use SIGAD_INIT_...");
    refuses(SIGAD_INIT_CONSTANT(NAN), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': constant start of nan, 0: both must be finite in float32");
    refuses(SIGAD_INIT_CONSTANT(1e39), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': constant start of 1e+39, 0: both must be finite in float32");
    refuses(SIGAD_INIT_UNIFORM(2.0, 1.0), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': uniform start from 2 to 1: low must not exceed high");
    refuses(SIGAD_INIT_NORMAL(0.0, -1.0), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': normal start: stddev is -1, it must not be negative");
    refuses(sigad_init_of(SIGAD_INIT_KIND_HE, 0.0, 0.0), SIGAD_SHAPE(2), SIGAD_EINVAL,
            "sigad_parameter 'w': He start: gain is 0, it must be positive");
    refuses(SIGAD_INIT_ORTHOGONAL, SIGAD_SHAPE(2), SIGAD_ESHAPE,
            "sigad_parameter 'w': an orthogonal start needs rank 2 or more, not 1");
}

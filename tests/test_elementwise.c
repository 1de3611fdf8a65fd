/* Elementary functions in lanes, for every instruction set: errors in units of the last place
 * against a longer type, limits and special values, and the same bits at every place of an array.
 * The bounds are those that docs/elementwise.md promises. */
#include "ops/cpu/dense/dense.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef SIGAD_FEW_TILES
enum { THIN = 16 }; /* sanitizers: fewer points */
#else
enum { THIN = 1 };
#endif

/* ---- the functions ------------------------------------------------------------------------- */

typedef long double real;

static real sigmoid(real x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static real softplus(real x)
{
    return (x < 0 ? 0 : x) + log1pl(expl(-fabsl(x)));
}

/* x times a probability that goes to 0 with x going to -infinity: the limit is 0, not 0 times that.
 */
static real silu(real x)
{
    return isinf(x) && x < 0 ? 0 : x * sigmoid(x);
}

static real gelu(real x)
{
    return isinf(x) && x < 0 ? 0 : x * 0.5L * erfcl(-0.707106781186547524400844362104849039L * x);
}

static const struct function {
    const char *name;
    int kind;
    real (*exact)(real);
    double bound32, bound64; /* in units of the last place */
} functions[] = {{"exp", SG_UNARY_exp, expl, 1, 1},
                 {"expm1", SG_UNARY_expm1, expm1l, 1.5, 1.5},
                 {"log", SG_UNARY_log, logl, 1, 1},
                 {"log1p", SG_UNARY_log1p, log1pl, 1, 1},
                 {"tanh", SG_UNARY_tanh, tanhl, 1.5, 1.5},
                 {"sigmoid", SG_UNARY_sigmoid, sigmoid, 2, 2},
                 {"softplus", SG_UNARY_softplus, softplus, 1.5, 2},
                 {"silu", SG_UNARY_silu, silu, 3, 3},
                 {"gelu", SG_UNARY_gelu, gelu, 1, 4},
                 {"sin", SG_UNARY_sin, sinl, 1, 1},
                 {"cos", SG_UNARY_cos, cosl, 1, 1},
                 {"tan", SG_UNARY_tan, tanl, 1, 2.5},
                 {"sqrt", SG_UNARY_sqrt, sqrtl, 0.5, 0.5}};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static void evaluate(const sg_dense *dense, int kind, int64_t n, const void *x, void *y)
{
    const sg_unary_arrays arrays = {.x = x, .out = y};
    dense->unary[kind][SG_UNARY_VALUE](n, 0, 0, &arrays);
}

/* ---- errors -------------------------------------------------------------------------------- */

/* |y - exact| in units of the last place of a type with so many digits and this least exponent.
 * Infinity is right where the exact value rounds to it. */
static double error_of(real y, real exact, int digits, int least, real most)
{
    int exponent;
    if (isnan(y) || isnan(exact)) return isnan(y) && isnan(exact) ? 0 : INFINITY;
    real unit = ldexpl(1, least > -9999 ? least - digits : 0);
    frexpl(exact, &exponent);
    if (exponent > least) unit = ldexpl(1, exponent - digits);
    if (isinf(y)) return (y > 0) == (exact > 0) && fabsl(exact) > most - unit ? 0 : INFINITY;
    return isinf(exact) ? INFINITY : (double)(fabsl(y - exact) / unit);
}

enum { BLOCK = 1000 };

static void check_f32(sg_isa isa, const struct function *f, int n, const float *x)
{
    float y[BLOCK];
    evaluate(sg_dense_f32[isa], f->kind, n, x, y);
    for (int i = 0; i < n; i++) {
        double error =
            error_of(y[i], f->exact((real)x[i]), FLT_MANT_DIG, FLT_MIN_EXP, (real)FLT_MAX);
        cr_assert(error <= f->bound32, "%s, %s(%a) = %a: off by %g units", sg_isa_name(isa),
                  f->name, (double)x[i], (double)y[i], error);
    }
}

static void check_f64(sg_isa isa, const struct function *f, int n, const double *x)
{
    double y[BLOCK];
    evaluate(sg_dense_f64[isa], f->kind, n, x, y);
    for (int i = 0; i < n; i++) {
        double error =
            error_of(y[i], f->exact((real)x[i]), DBL_MANT_DIG, DBL_MIN_EXP, (real)DBL_MAX);
        cr_assert(error <= f->bound64, "%s, %s(%a) = %a: off by %g units", sg_isa_name(isa),
                  f->name, x[i], y[i], error);
    }
}

/* Bit patterns from end to end: all exponents, both signs, infinities, NaNs. */
Test(elementwise, float32_from_end_to_end)
{
    const uint32_t step = 10007 * THIN;
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int f = 0; f < FUNCTIONS; f++) {
            float x[BLOCK];
            int n = 0;
            for (uint64_t bits = (uint64_t)isa; bits <= UINT32_MAX; bits += step) {
                const uint32_t pattern = (uint32_t)bits;
                memcpy(&x[n], &pattern, sizeof pattern);
                if (++n == BLOCK || bits + step > UINT32_MAX) {
                    check_f32((sg_isa)isa, &functions[f], n, x);
                    n = 0;
                }
            }
        }
}

static uint64_t state;
static double uniform(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53 - 0.5;
}

/* Where the functions bend, where they reach their limits, and anywhere. */
static double random_argument(int i)
{
    const double width[] = {2, 20, 100, 1600};
    if (i % 5 < 4) return width[i % 5] * uniform();
    double x = ldexp(1 + uniform(), (int)(2100 * uniform()));
    return uniform() < 0 ? -x : x;
}

Test(elementwise, float64_at_random)
{
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int f = 0; f < FUNCTIONS; f++)
            for (int block = 0; block < 100 / THIN; block++) {
                double x[BLOCK];
                for (int i = 0; i < BLOCK; i++) x[i] = random_argument(i);
                check_f64((sg_isa)isa, &functions[f], BLOCK, x);
            }
}

/* ---- special values ------------------------------------------------------------------------ */

static const struct corner {
    int kind;
    double x, y;
} corners[] = {{SG_UNARY_exp, INFINITY, INFINITY},
               {SG_UNARY_exp, -INFINITY, 0},
               {SG_UNARY_exp, 0, 1},
               {SG_UNARY_expm1, -INFINITY, -1},
               {SG_UNARY_expm1, INFINITY, INFINITY},
               {SG_UNARY_expm1, -0.0, -0.0},
               {SG_UNARY_log, 0, -INFINITY},
               {SG_UNARY_log, -0.0, -INFINITY},
               {SG_UNARY_log, 1, 0},
               {SG_UNARY_log, -1, NAN},
               {SG_UNARY_log, -INFINITY, NAN},
               {SG_UNARY_log, INFINITY, INFINITY},
               {SG_UNARY_log1p, -1, -INFINITY},
               {SG_UNARY_log1p, -2, NAN},
               {SG_UNARY_log1p, -0.0, -0.0},
               {SG_UNARY_log1p, INFINITY, INFINITY},
               {SG_UNARY_tanh, INFINITY, 1},
               {SG_UNARY_tanh, -INFINITY, -1},
               {SG_UNARY_tanh, -0.0, -0.0},
               {SG_UNARY_sigmoid, INFINITY, 1},
               {SG_UNARY_sigmoid, -INFINITY, 0},
               {SG_UNARY_sigmoid, 0, 0.5},
               {SG_UNARY_softplus, INFINITY, INFINITY},
               {SG_UNARY_softplus, -INFINITY, 0},
               {SG_UNARY_silu, INFINITY, INFINITY},
               {SG_UNARY_silu, -INFINITY, -0.0},
               {SG_UNARY_gelu, INFINITY, INFINITY},
               {SG_UNARY_gelu, -INFINITY, 0},
               {SG_UNARY_sin, -0.0, -0.0},
               {SG_UNARY_sin, INFINITY, NAN},
               {SG_UNARY_cos, 0, 1},
               {SG_UNARY_cos, -INFINITY, NAN},
               {SG_UNARY_tan, -0.0, -0.0},
               {SG_UNARY_sqrt, -0.0, -0.0},
               {SG_UNARY_sqrt, -1, NAN},
               {SG_UNARY_abs, -0.0, 0.0},
               {SG_UNARY_abs, -INFINITY, INFINITY},
               {SG_UNARY_relu, -INFINITY, 0},
               {SG_UNARY_reciprocal, -0.0, -INFINITY}};

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

Test(elementwise, special_values)
{
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (size_t i = 0; i < sizeof corners / sizeof *corners; i++) {
            const struct corner *c = &corners[i];
            const float x = (float)c->x;
            float y32;
            double y64;
            evaluate(sg_dense_f32[isa], c->kind, 1, &x, &y32);
            evaluate(sg_dense_f64[isa], c->kind, 1, &c->x, &y64);
            cr_assert(same(y64, c->y) && same((double)y32, c->y), "%s, row %zu: f(%g) = %g, %g",
                      sg_isa_name((sg_isa)isa), i, c->x, y64, (double)y32);
        }
}

Test(elementwise, a_nan_stays_one_in_every_row)
{
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int kind = 0; kind < SG_UNARY_COUNT; kind++) {
            const float x = NAN;
            float y = 0;
            const sg_unary_arrays arrays = {.x = &x, .out = &y};
            sg_dense_f32[isa]->unary[kind][SG_UNARY_VALUE](1, 1.5, 2, &arrays);
            cr_assert(isnan(y), "%s, row %d", sg_isa_name((sg_isa)isa), kind);
        }
}

/* ---- places -------------------------------------------------------------------------------- */

enum { MOST = 70 };

/* All rows and orders, for each length and start: the bits of each entry alone. */
Test(elementwise, bits_do_not_depend_on_the_place)
{
    float x[MOST], y[MOST], p[MOST], q[MOST], out[MOST + 1], alone[MOST];
    state = 1;
    for (int i = 0; i < MOST; i++) {
        x[i] = (float)(5 * uniform() + 2.6), y[i] = (float)uniform();
        p[i] = (float)uniform(), q[i] = (float)uniform();
    }
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int row = 0; row < SG_UNARY_COUNT * SG_UNARY_ORDERS; row++) {
            sg_unary_loop loop = sg_dense_f32[isa]->unary[row / 3][row % 3];
            memset(alone, 0, sizeof alone);
            for (int i = 0; i < MOST; i++)
                loop(1, 1.7, 2.1, &(sg_unary_arrays){x + i, y + i, p + i, q + i, alone + i, false});
            for (int first = 0; first < 3; first++)
                for (int n = 0; first + n <= MOST; n++) {
                    memset(out, 0, sizeof out);
                    loop(
                        n, 1.7, 2.1,
                        &(sg_unary_arrays){x + first, y + first, p + first, q + first, out, false});
                    cr_assert(!memcmp(out, alone + first, (size_t)n * sizeof *out) && out[n] == 0,
                              "%s, row %d, order %d, %d entries from %d", sg_isa_name((sg_isa)isa),
                              row / 3, row % 3, n, first);
                }
        }
}

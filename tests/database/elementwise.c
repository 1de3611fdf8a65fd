/* Elementwise operations. References are written with the functions of <math.h> in long double
 * where the library's formula differs from the plain one. */
#include "support/database.h"
#include <math.h>

/* ---- one operand ---------------------------------------------------------------------------- */

#define UNARY(name, call, expression)                                         \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                         \
        return call;                                                          \
    }                                                                         \
    static void reference_##name(const db_array *xs, db_array *y)             \
    {                                                                         \
        if (!db_like(y, &xs[0])) return;                                      \
        for (int64_t i = 0; i < y->elements; i++) {                           \
            const double x = xs[0].data[i];                                   \
            (void)x;                                                          \
            y->data[i] = (double)(expression);                                \
        }                                                                     \
    }
UNARY(affine, sigad_affine(tape, x[0], 2.5, -0.75), 2.5 * x - 0.75)
UNARY(power_0, sigad_power(tape, x[0], 0), 1)
UNARY(power_1, sigad_power(tape, x[0], 1), x)
UNARY(power_2, sigad_power(tape, x[0], 2), x *x)
UNARY(power_3, sigad_power(tape, x[0], 3), x *x *x)
UNARY(power_minus_2, sigad_power(tape, x[0], -2), 1 / (x * x))
UNARY(power_half, sigad_power(tape, x[0], 0.5), sqrt(x))
UNARY(negate, sigad_negate(tape, x[0]), -x)
UNARY(reciprocal, sigad_reciprocal(tape, x[0]), 1 / x)
UNARY(exp, sigad_exp(tape, x[0]), exp(x))
UNARY(expm1, sigad_expm1(tape, x[0]), expl(x) - 1)
UNARY(log, sigad_log(tape, x[0]), log(x))
UNARY(log1p, sigad_log1p(tape, x[0]), logl(1.0L + x))
UNARY(sqrt, sigad_sqrt(tape, x[0]), sqrt(x))
UNARY(square, sigad_square(tape, x[0]), x *x)
UNARY(abs, sigad_abs(tape, x[0]), x < 0 ? -x : x)
UNARY(sin, sigad_sin(tape, x[0]), sin(x))
UNARY(cos, sigad_cos(tape, x[0]), cos(x))
UNARY(tan, sigad_tan(tape, x[0]), sin(x) / cos(x))
UNARY(tanh, sigad_tanh(tape, x[0]), 1 - 2 / (expl(2.0L * x) + 1))
UNARY(sigmoid, sigad_sigmoid(tape, x[0]), expl(x) / (1 + expl(x)))
UNARY(relu, sigad_relu(tape, x[0]), x > 0 ? x : 0)
UNARY(leaky_relu, sigad_leaky_relu(tape, x[0], 0.125), x > 0 ? x : 0.125 * x)
UNARY(elu, sigad_elu(tape, x[0], 0.75), x > 0 ? x : 0.75 * (expl(x) - 1))
UNARY(silu, sigad_silu(tape, x[0]), x / (1 + exp(-x)))
UNARY(gelu, sigad_gelu(tape, x[0]), x *(1 + erfl(x / sqrtl(2))) / 2)
UNARY(softplus, sigad_softplus(tape, x[0]), logl(1 + expl(x)))
UNARY(clip, sigad_clip(tape, x[0], -0.4, 0.6), x<-0.4 ? -0.4 : x> 0.6 ? 0.6 : x)
UNARY(cast, sigad_cast(tape, sigad_cast(tape, x[0], SIGAD_F64), SIGAD_F64), x)
UNARY(cast_narrow, sigad_cast(tape, sigad_cast(tape, x[0], SIGAD_F32), SIGAD_F64), x)
UNARY(cast_to_integer, sigad_cast(tape, x[0], SIGAD_I64), trunc(x))
UNARY(cast_from_integer, sigad_cast(tape, x[0], SIGAD_F64), x)

/* ---- two and three operands ----------------------------------------------------------------- */

#define BINARY(name, expression)                                              \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                         \
        return sigad_##name(tape, x[0], x[1]);                                \
    }                                                                         \
    static void reference_##name(const db_array *x, db_array *y)              \
    {                                                                         \
        if (!db_broadcast(y, 2, x)) return;                                   \
        for (int64_t i = 0; i < y->elements; i++) {                           \
            const double a = *db_at(&x[0], y, i), b = *db_at(&x[1], y, i);    \
            y->data[i] = expression;                                          \
        }                                                                     \
    }
BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(div, a / b)
BINARY(maximum, a > b ? a : b)
BINARY(minimum, a < b ? a : b)
BINARY(equal, a == b)
BINARY(less, a < b)

static sigad_tensor apply_where(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_where(tape, x[0], x[1], x[2]);
}

static void reference_where(const db_array *x, db_array *y)
{
    if (!db_broadcast(y, 3, x)) return;
    for (int64_t i = 0; i < y->elements; i++)
        y->data[i] = *db_at(&x[0], y, i) != 0 ? *db_at(&x[1], y, i) : *db_at(&x[2], y, i);
}

static sigad_tensor apply_dropout(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_dropout(tape, x[0], 0.375);
}

/* ---- rows ----------------------------------------------------------------------------------- */

#define OF(name) apply_##name, reference_##name
#define ON(name, low_end, high_end, ...)                                                    \
    {                                                                                       \
#        name, 1, {{DB_F(3, 4), .low = low_end, .high = high_end } }, OF(name), __VA_ARGS__ \
    }
#define SHAPED(name, suffix, shape, ...)                              \
    {                                                                 \
#        name ": " suffix, 1, {{DB_F shape } }, OF(name), __VA_ARGS__ \
    }

/* All kinds of shapes that two operands may have together. */
#define PAIRS(ROW)                                                                          \
    ROW("equal shapes", (3, 4), (3, 4)), ROW("a scalar", (3, 4), ()),                       \
        ROW("a scalar first", (), (3, 4)), ROW("a row vector", (3, 4), (4)),                \
        ROW("a row vector first", (4), (3, 4)), ROW("a column", (3, 4), (3, 1)),            \
        ROW("a row and a column", (1, 4), (3, 1)), ROW("a middle axis", (2, 3, 4), (3, 1)), \
        ROW("axes of both", (2, 1, 4, 1), (3, 1, 5)), ROW("size 1", (1, 1), (1)),           \
        ROW("scalars", (), ()), ROW("no entries", (0, 4), (4)),                             \
        ROW("no entries from one", (1), (0)), ROW("no columns for a column", (3, 0), (3, 1))
/* Several blocks of work. */
#define LONG_PAIRS(ROW)                                                         \
    ROW("long", (70000), (70000)), ROW("a long row vector", (200, 300), (300)), \
        ROW("long columns", (1, 300), (200, 1)), ROW("a long scalar", (70000), ())

#define BOOLEAN(shape)                            \
    {                                             \
        .dtype = SIGAD_I64, .high = 1, DB_F shape \
    }
#define ADD(suffix, a, b)                                               \
    {                                                                   \
        "add: " suffix, 2, {{DB_F a}, {DB_F b}}, OF(add), DB_POLYNOMIAL \
    }
#define SUB(suffix, a, b)                                               \
    {                                                                   \
        "sub: " suffix, 2, {{DB_F a}, {DB_F b}}, OF(sub), DB_POLYNOMIAL \
    }
#define MUL(suffix, a, b)                                               \
    {                                                                   \
        "mul: " suffix, 2, {{DB_F a}, {DB_F b}}, OF(mul), DB_POLYNOMIAL \
    }
#define DIV(suffix, a, b)                                                       \
    {                                                                           \
        "div: " suffix, 2, {{DB_F a}, {DB_F b, .low = 0.5, .high = 2}}, OF(div) \
    }
#define MAXIMUM(suffix, a, b)                                              \
    {                                                                      \
        "maximum: " suffix, 2, {{DB_F a}, {DB_F b}}, OF(maximum), DB_KINKS \
    }
#define MINIMUM(suffix, a, b)                                              \
    {                                                                      \
        "minimum: " suffix, 2, {{DB_F a}, {DB_F b}}, OF(minimum), DB_KINKS \
    }
#define EQUAL(suffix, a, b)                                                             \
    {                                                                                   \
        "equal: " suffix, 2, {BOOLEAN(a), BOOLEAN(b)}, OF(equal), DB_NOT_DIFFERENTIABLE \
    }
#define LESS(suffix, a, b)                                                        \
    {                                                                             \
        "less: " suffix, 2, {{DB_F a}, {DB_F b}}, OF(less), DB_NOT_DIFFERENTIABLE \
    }
#define WHERE(suffix, a, b)                                                             \
    {                                                                                   \
        "where: " suffix, 3, {BOOLEAN(a), {DB_F a}, {DB_F b}}, OF(where), DB_POLYNOMIAL \
    }

static const db_row rows[] = {
    SHAPED(affine, "matrix", (3, 4), DB_POLYNOMIAL),
    SHAPED(affine, "scalar", (), DB_POLYNOMIAL),
    SHAPED(affine, "size 1", (1, 1), DB_POLYNOMIAL),
    SHAPED(affine, "no entries", (2, 0, 3), DB_POLYNOMIAL),
    SHAPED(affine, "long", (70000), DB_POLYNOMIAL),
    SHAPED(exp, "scalar", (), 0),
    SHAPED(exp, "no entries", (0), 0),
    SHAPED(exp, "long", (5, 14000), 0),
    ON(power_0, -2, 2, 0),
    ON(power_1, -2, 2, DB_POLYNOMIAL),
    ON(power_2, -2, 2, DB_POLYNOMIAL),
    ON(power_3, -2, 2, 0),
    ON(power_minus_2, -2, -0.5, 0),
    ON(power_half, 0.25, 2, 0),
    ON(negate, -2, 2, DB_POLYNOMIAL),
    ON(reciprocal, -2, -0.5, 0),
    ON(exp, -3, 3, 0),
    ON(expm1, -3, 3, 0),
    ON(log, 0.25, 4, 0),
    ON(log1p, -0.75, 4, 0),
    ON(sqrt, 0.25, 4, 0),
    ON(square, -2, 2, DB_POLYNOMIAL),
    ON(abs, 0, 0, DB_KINKS),
    ON(sin, -4, 4, 0),
    ON(cos, -4, 4, 0),
    ON(tan, -1, 1, 0),
    ON(tanh, -3, 3, 0),
    ON(sigmoid, -6, 6, 0),
    ON(relu, 0, 0, DB_KINKS),
    ON(leaky_relu, 0, 0, DB_KINKS),
    ON(elu, 0, 0, DB_KINKS),
    ON(silu, -6, 6, 0),
    ON(gelu, -4, 4, 0),
    ON(softplus, -6, 6, 0),
    ON(clip, 0, 0, DB_KINKS),
    ON(cast, -2, 2, DB_POLYNOMIAL),
    ON(cast_narrow, -2, 2, DB_POLYNOMIAL, 1e-6),
    ON(cast_to_integer, -9, 9, DB_NOT_DIFFERENTIABLE),
    {"cast_from_integer", 1, {{DB_I(9, 3, 4)}}, OF(cast_from_integer), DB_NOT_DIFFERENTIABLE},
    {"dropout", 1, {{DB_F(5, 9)}}, apply_dropout, NULL, DB_POLYNOMIAL | DB_UNSTABLE},
    {"dropout: long", 1, {{DB_F(30001)}}, apply_dropout, NULL, DB_POLYNOMIAL | DB_UNSTABLE},
    {"dropout: no entries", 1, {{DB_F(0)}}, apply_dropout, NULL, DB_POLYNOMIAL | DB_UNSTABLE},
    PAIRS(ADD),
    LONG_PAIRS(ADD),
    PAIRS(SUB),
    PAIRS(MUL),
    LONG_PAIRS(MUL),
    PAIRS(DIV),
    PAIRS(MAXIMUM),
    PAIRS(MINIMUM),
    PAIRS(EQUAL),
    PAIRS(LESS),
    PAIRS(WHERE),
    LONG_PAIRS(WHERE),
    {"where: a condition that broadcasts",
     3,
     {{DB_I(1, 4)}, {DB_F(3, 1)}, {DB_SCALAR}},
     OF(where),
     DB_POLYNOMIAL},
};
DB_ROWS(elementwise, rows)

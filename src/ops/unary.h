/* The elementwise operations of one operand, one row each:
 *
 *     X(name, bend, y, dy/dx, d2y/dx2)
 *
 * in terms of x, of y (in the derivatives), and of the parameters a and b; REAL, K and the
 * functions are those of ops/cpu/both_reals.h. Every list of these operations is made from this
 * one: tables, public functions, kernels.
 * bend: LINEAR and PIECEWISE operations have no second derivative, CURVED ones do. */
#ifndef SG_UNARY_H
#define SG_UNARY_H

/* clang-format off */
#define SG_SIGMOID(x)  (K(1) / (K(1) + EXP(-(x))))
#define SG_NORMAL_DENSITY(x)      (K(0.39894228040143267794) * EXP(K(-0.5) * (x) * (x)))
/* By erfc, which keeps its digits where the probability is small. */
#define SG_NORMAL_PROBABILITY(x)  (K(0.5) * ERFC(K(-0.70710678118654752440) * (x)))

/* The exponents that programs use most, without a call of pow. */
#define SG_POWER(x, e)                                                                                              \
    ((e) == K(2) ? (x) * (x) : (e) == K(1) ? (x) : (e) == K(0) ? K(1) : (e) == K(-1) ? K(1) / (x)                   \
                 : (e) == K(0.5) ? SQRT(x) : POW(x, e))

/* sigad_NAME(tape, x). A NaN stays a NaN: comparisons are written so that it takes x's branch. */
#define SG_UNARY_PLAIN(X)                                                                                           \
    X(negate,     LINEAR,    -x,                       K(-1),                          K(0))                        \
    X(reciprocal, CURVED,    K(1) / x,                 -y * y,                         K(2) * y * y * y)            \
    X(exp,        CURVED,    EXP(x),                   y,                              y)                           \
    X(expm1,      CURVED,    EXPM1(x),                 EXP(x),                         EXP(x))                      \
    X(log,        CURVED,    LOG(x),                   K(1) / x,                       K(-1) / (x * x))             \
    X(log1p,      CURVED,    LOG1P(x),                 K(1) / (K(1) + x),              K(-1) / ((K(1) + x) * (K(1) + x))) \
    X(sqrt,       CURVED,    SQRT(x),                  K(0.5) / y,                     K(-0.25) / (x * y))          \
    X(square,     CURVED,    x * x,                    K(2) * x,                       K(2))                        \
    X(abs,        PIECEWISE, ABS(x),                   (REAL)(x > K(0)) - (REAL)(x < K(0)), K(0))                   \
    X(sin,        CURVED,    SIN(x),                   COS(x),                         -y)                          \
    X(cos,        CURVED,    COS(x),                   -SIN(x),                        -y)                          \
    X(tan,        CURVED,    TAN(x),                   K(1) + y * y,                   K(2) * y * (K(1) + y * y))   \
    X(tanh,       CURVED,    TANH(x),                  K(1) - y * y,                   K(-2) * y * (K(1) - y * y))  \
    X(sigmoid,    CURVED,    SG_SIGMOID(x),            y * (K(1) - y),                 y * (K(1) - y) * (K(1) - K(2) * y)) \
    X(relu,       PIECEWISE, x < K(0) ? K(0) : x,      x > K(0) ? K(1) : K(0),         K(0))                        \
    X(gelu,       CURVED,    x * SG_NORMAL_PROBABILITY(x), SG_NORMAL_PROBABILITY(x) + x * SG_NORMAL_DENSITY(x),     \
                             SG_NORMAL_DENSITY(x) * (K(2) - x * x))                                                 \
    X(softplus,   CURVED,    (x < K(0) ? K(0) : x) + LOG1P(EXP(-ABS(x))), SG_SIGMOID(x), SG_SIGMOID(x) * SG_SIGMOID(-x)) \
    X(silu,       CURVED,    x * SG_SIGMOID(x),        SG_SIGMOID(x) * (K(1) + x * SG_SIGMOID(-x)),                 \
                             SG_SIGMOID(x) * SG_SIGMOID(-x) * (K(2) + x * (SG_SIGMOID(-x) - SG_SIGMOID(x))))

/* Those with parameters; their public functions are written out in ops/unary.c. */
#define SG_UNARY_PARAMETRIC(X)                                                                                      \
    X(affine,     LINEAR,    a * x + b,                a,                              K(0))                        \
    X(power,      CURVED,    SG_POWER(x, a),           a == K(0) ? K(0) : a * SG_POWER(x, a - K(1)),                   \
                             a == K(0) || a == K(1) ? K(0) : a * (a - K(1)) * SG_POWER(x, a - K(2)))                   \
    X(leaky_relu, PIECEWISE, x < K(0) ? a * x : x,     x > K(0) ? K(1) : a,            K(0))                        \
    X(elu,        CURVED,    x < K(0) ? a * EXPM1(x) : x, x > K(0) ? K(1) : a * EXP(x), x > K(0) ? K(0) : a * EXP(x)) \
    X(clip,       PIECEWISE, x < a ? a : x > b ? b : x, x < a || x > b ? K(0) : K(1),  K(0))

#define SG_UNARY(X) SG_UNARY_PLAIN(X) SG_UNARY_PARAMETRIC(X)

#define SG_UNARY_NAME(name, bend, value, first, second) SG_UNARY_##name,
enum { SG_UNARY(SG_UNARY_NAME) SG_UNARY_COUNT };
#undef SG_UNARY_NAME
/* clang-format on */
#endif

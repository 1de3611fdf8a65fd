/* The elementwise operations of one operand, one row each:
 *
 *     X(name, bend, y, dy/dx, d2y/dx2)
 *
 * in terms of x, of y (in the derivatives), and of the parameters a and b. x and y are vectors, a,
 * b and the constants K(..) scalars; SELECT(condition, p, q) and the functions are those of
 * ops/cpu/dense. Every list of these operations is made from this one: tables, public functions,
 * kernels. A NaN stays a NaN: conditions are written so that it takes x's branch.
 * bend: LINEAR and PIECEWISE operations have no second derivative, CURVED ones do. */
#ifndef SG_UNARY_H
#define SG_UNARY_H

/* clang-format off */
#define SG_NORMAL_DENSITY(x) (K(0.39894228040143267794) * EXP(K(-0.5) * (x) * (x)))

/* sigad_NAME(tape, x) */
#define SG_UNARY_PLAIN(X)                                                                                           \
    X(negate,     LINEAR,    -x,                       K(-1),                          K(0))                        \
    X(reciprocal, CURVED,    K(1) / x,                 -y * y,                         K(2) * y * y * y)            \
    X(exp,        CURVED,    EXP(x),                   y,                              y)                           \
    X(expm1,      CURVED,    EXPM1(x),                 EXP(x),                         EXP(x))                      \
    X(log,        CURVED,    LOG(x),                   K(1) / x,                       K(-1) / (x * x))             \
    X(log1p,      CURVED,    LOG1P(x),                 K(1) / (K(1) + x),              K(-1) / ((K(1) + x) * (K(1) + x))) \
    X(sqrt,       CURVED,    SQRT(x),                  K(0.5) / y,                     K(-0.25) / (x * y))          \
    X(square,     CURVED,    x * x,                    K(2) * x,                       K(2))                        \
    X(abs,        PIECEWISE, ABS(x),                   SELECT(x > K(0), K(1), SELECT(x < K(0), K(-1), K(0))), K(0)) \
    X(sin,        CURVED,    SIN(x),                   COS(x),                         -y)                          \
    X(cos,        CURVED,    COS(x),                   -SIN(x),                        -y)                          \
    X(tan,        CURVED,    TAN(x),                   K(1) + y * y,                   K(2) * y * (K(1) + y * y))   \
    X(tanh,       CURVED,    TANH(x),                  K(1) - y * y,                   K(-2) * y * (K(1) - y * y))  \
    X(sigmoid,    CURVED,    SIGMOID(x),               y * (K(1) - y),                 y * (K(1) - y) * (K(1) - K(2) * y)) \
    X(relu,       PIECEWISE, SELECT(x < K(0), K(0), x), SELECT(x > K(0), K(1), K(0)),  K(0))                        \
    X(gelu,       CURVED,    GELU(x),                 NORMAL_PROBABILITY(x) + x * SG_NORMAL_DENSITY(x),           \
                             SG_NORMAL_DENSITY(x) * (K(2) - x * x))                                                 \
    X(softplus,   CURVED,    SOFTPLUS(x),              SIGMOID(x),                     SIGMOID(x) * SIGMOID(-x))    \
    X(silu,       CURVED,    SILU(x),                  SIGMOID(x) * (K(1) + x * SIGMOID(-x)),                       \
                             SIGMOID(x) * SIGMOID(-x) * (K(2) + x * (SIGMOID(-x) - SIGMOID(x))))

/* Those with parameters; their public functions are written out in ops/unary.c. */
#define SG_UNARY_PARAMETRIC(X)                                                                                      \
    X(affine,     LINEAR,    a * x + b,                a,                              K(0))                        \
    X(power,      CURVED,    POWER(x, a),              a == K(0) ? ALL(K(0)) : a * POWER(x, a - K(1)),              \
                             a == K(0) || a == K(1) ? ALL(K(0)) : a * (a - K(1)) * POWER(x, a - K(2)))              \
    X(leaky_relu, PIECEWISE, SELECT(x < K(0), a * x, x), SELECT(x > K(0), K(1), a),    K(0))                        \
    X(elu,        CURVED,    SELECT(x < K(0), a * EXPM1(x), x), SELECT(x > K(0), K(1), a * EXP(x)), SELECT(x > K(0), K(0), a * EXP(x))) \
    X(clip,       PIECEWISE, SELECT(x < a, a, SELECT(x > b, b, x)), SELECT((x < a) | (x > b), K(0), K(1)), K(0))

#define SG_UNARY(X) SG_UNARY_PLAIN(X) SG_UNARY_PARAMETRIC(X)

#define SG_UNARY_NAME(name, bend, value, first, second) SG_UNARY_##name,
enum { SG_UNARY(SG_UNARY_NAME) SG_UNARY_COUNT };
#undef SG_UNARY_NAME
/* clang-format on */
#endif

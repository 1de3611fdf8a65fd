/* The elementwise operations of two operands that broadcast, one row each:
 *
 *     X(name, bend, y, dy/da, dy/db, d2y/dadb, d2y/db2)
 *
 * in terms of a, b and, in the derivatives, y; REAL and K are those of ops/cpu/both_reals.h.
 * bend: LINEAR and PIECEWISE operations have no second derivatives. MIXED ones have d2y/dadb, and
 * TWICE_IN_B ones d2y/db2 too; none has d2y/da2. */
#ifndef SG_BINARY_H
#define SG_BINARY_H

/* clang-format off */
/* A NaN wins; a is taken where both are equal. Without branches, for vectors. */
#define SG_LARGER_IS_A  ((a >= b) | (a != a))
#define SG_SMALLER_IS_A ((a <= b) | (a != a))

#define SG_BINARY(X)                                                                              \
    X(add,     LINEAR,     a + b, K(1), K(1), K(0), K(0))                                         \
    X(sub,     LINEAR,     a - b, K(1), K(-1), K(0), K(0))                                        \
    X(mul,     MIXED,      a * b, b, a, K(1), K(0))                                               \
    X(div,     TWICE_IN_B, a / b, K(1) / b, -y / b, K(-1) / (b * b), K(2) * y / (b * b))          \
    X(maximum, PIECEWISE,  SG_LARGER_IS_A ? a : b, (REAL)SG_LARGER_IS_A, (REAL)!SG_LARGER_IS_A, K(0), K(0)) \
    X(minimum, PIECEWISE,  SG_SMALLER_IS_A ? a : b, (REAL)SG_SMALLER_IS_A, (REAL)!SG_SMALLER_IS_A, K(0), K(0))

#define SG_BINARY_NAME(name, bend, value, da, db, dab, dbb) SG_BINARY_##name,
enum { SG_BINARY(SG_BINARY_NAME) SG_BINARY_COUNT };
#undef SG_BINARY_NAME
/* clang-format on */
#endif

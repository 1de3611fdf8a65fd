/* Compiles the kernels in the file SG_KERNELS for double and for float:
 *
 *     #define SG_KERNELS "ops/cpu/NAME.inc"
 *     #include "ops/cpu/both_reals.h"
 *
 * In there REAL is the scalar, K(0.5) a constant of its type, NAME(f) is f_f64 or f_f32, and EXP(x)
 * and the like are the functions of <math.h> for it. SG_BY_DTYPE(dtype, f) picks one of the two
 * afterwards. No include guard: each kernel file includes this once. */
#include <math.h>
#include <stdint.h>

#define K(value)  ((REAL)(value))
#define EXP(x)    MATH(exp)(x)
#define EXPM1(x)  MATH(expm1)(x)
#define LOG(x)    MATH(log)(x)
#define LOG1P(x)  MATH(log1p)(x)
#define SQRT(x)   MATH(sqrt)(x)
#define POW(x, a) MATH(pow)(x, a)
#define SIN(x)    MATH(sin)(x)
#define COS(x)    MATH(cos)(x)
#define TAN(x)    MATH(tan)(x)
#define TANH(x)   MATH(tanh)(x)
#define ERFC(x)   MATH(erfc)(x)
#define ABS(x)    MATH(fabs)(x)

#define REAL       double
#define NAME(f)    f##_f64
#define MATH(name) name
#include SG_KERNELS
#undef REAL
#undef NAME
#undef MATH

#define REAL       float
#define NAME(f)    f##_f32
#define MATH(name) name##f
#include SG_KERNELS
#undef REAL
#undef NAME
#undef MATH

#undef SG_KERNELS
#define SG_BY_DTYPE(dtype, f) ((dtype) == SIGAD_F64 ? f##_f64 : f##_f32)

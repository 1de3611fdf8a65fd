/* Compiles the file RULE_BODY for float and for double. It is included once by each rule, and gives
 * the body REAL, NAME(name) and SQRT. No include guard: it is a template, not a declaration. */
#define REAL       float
#define SQRT       sqrtf
#define NAME(name) name##_f32
#include "train/gradient.inc"
#include RULE_BODY
#undef REAL
#undef SQRT
#undef NAME

#define REAL       double
#define SQRT       sqrt
#define NAME(name) name##_f64
#include "train/gradient.inc"
#include RULE_BODY
#undef REAL
#undef SQRT
#undef NAME

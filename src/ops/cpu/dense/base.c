#define ISA(name)    name##_base
#define VECTOR_BYTES 16
#include "ops/cpu/dense/isa.inc"

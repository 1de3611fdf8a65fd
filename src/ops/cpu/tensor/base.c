#define ISA(name)    name##_base
#define VECTOR_BYTES 16
#define REGISTERS    16
#include "ops/cpu/tensor/isa.inc"

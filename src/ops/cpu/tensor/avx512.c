#if defined(__x86_64__)
#    define ISA(name)    name##_avx512
#    define VECTOR_BYTES 64
#    define REGISTERS    32
#    include "ops/cpu/tensor/isa.inc"
#endif

#if defined(__x86_64__)
#    define ISA(name)    name##_avx2
#    define VECTOR_BYTES 32
#    define REGISTERS    16
#    include "ops/cpu/tensor/isa.inc"
#endif

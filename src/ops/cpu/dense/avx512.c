#if defined(__x86_64__)
#    define ISA(name)    name##_avx512
#    define VECTOR_BYTES 64
#    include "ops/cpu/dense/isa.inc"
#endif

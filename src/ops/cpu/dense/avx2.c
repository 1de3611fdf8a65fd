#if defined(__x86_64__)
#    define ISA(name)    name##_avx2
#    define VECTOR_BYTES 32
#    include "ops/cpu/dense/isa.inc"
#endif

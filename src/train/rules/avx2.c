#if defined(__x86_64__)
#    define ISA(name) name##_avx2
#    include "train/rules/isa.inc"
#endif

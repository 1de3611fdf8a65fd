/* Half as many lanes as avx512.c, but all of its registers and its tiles: what happens to a path is
 * the same, to the bit. For groups that would leave half of the lanes empty, and for threads that
 * would have no group. */
#if defined(__x86_64__)
#    define ISA(name)    name##_avx512_half
#    define VECTOR_BYTES 32
#    define CUT_BYTES    64
#    define REGISTERS    32
#    include "ops/cpu/lanes/isa.inc"
#endif

/* For kernels written in GCC's vector extension, so that one source serves every instruction set:
 * names pasted from macros, loops that must be unrolled, lists of lanes. The file that includes
 * this one defines VECTOR_BYTES. */
#ifndef SG_CPU_VECTOR_H
#define SG_CPU_VECTOR_H
#include <stdint.h>
#include <string.h>
#if VECTOR_BYTES > 16
#    include <immintrin.h>
#endif

#define PASTE(a, b)  PASTE_(a, b)
#define PASTE_(a, b) a##b
#ifdef __clang__
#    define UNROLL _Pragma("clang loop unroll(full)")
#    define PIN(v)
#else
#    define UNROLL _Pragma("GCC unroll 64")
/* Keeps a value in a register: gcc would otherwise load it again for each product. */
#    if defined(__x86_64__)
#        define PIN(v) __asm__("" : "+x"(v))
#    else
#        define PIN(v) __asm__("" : "+w"(v))
#    endif
#endif

/* Lanes of a vector of doubles and of floats. */
#if VECTOR_BYTES == 64
#    define LANES_F64 8
#    define LANES_F32 16
#elif VECTOR_BYTES == 32
#    define LANES_F64 4
#    define LANES_F32 8
#else
#    define LANES_F64 2
#    define LANES_F32 4
#endif

/* f(0, h), f(1, h) .. for each lane; LANES expands to a number. */
#define LANES_2(f, h) f(0, h), f(1, h)
#define LANES_4(f, h) LANES_2(f, h), f(2, h), f(3, h)
#define LANES_8(f, h) LANES_4(f, h), f(4, h), f(5, h), f(6, h), f(7, h)
#define LANES_16(f, h) \
    LANES_8(f, h), f(8, h), f(9, h), f(10, h), f(11, h), f(12, h), f(13, h), f(14, h), f(15, h)
#define EACH_LANE(f, h) PASTE(LANES_, LANES)(f, h)
#endif

/* Philox 4x32-10 as inline functions, for kernels on the processor and on a device alike. */
#ifndef SG_PHILOX_H
#define SG_PHILOX_H
#include "core/random.h"
#include <math.h>

#ifdef __CUDACC__
#    define SG_RANDOM static __host__ __device__ __forceinline__
#else
#    define SG_RANDOM static inline
#endif

SG_RANDOM sg_random_block sg_philox_block(uint64_t key, uint64_t high, uint64_t low)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)low, c1 = (uint32_t)(low >> 32), c2 = (uint32_t)high,
             c3 = (uint32_t)(high >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    sg_random_block block;
    block.word[0] = c0;
    block.word[1] = c1;
    block.word[2] = c2;
    block.word[3] = c3;
    return block;
}

/* In [0, 1), 53 bits. */
SG_RANDOM double sg_random_unit(uint32_t low, uint32_t high)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 1.1102230246251565404e-16; /* 2^-53 */
}

/* What one block of words gives for an index; see core/random.h. */
SG_RANDOM double sg_uniform_at(uint64_t key, uint64_t index)
{
    sg_random_block block = sg_philox_block(key, 0, index);
    return sg_random_unit(block.word[0], block.word[1]);
}

SG_RANDOM double sg_normal_at(uint64_t key, uint64_t index)
{
    sg_random_block block = sg_philox_block(key, 1, index >> 1);
    double radius = sqrt(-2.0 * log1p(-sg_random_unit(block.word[0], block.word[1])));
    double angle = 6.283185307179586476925 * sg_random_unit(block.word[2], block.word[3]);
    return index & 1 ? radius * sin(angle) : radius * cos(angle);
}
#endif

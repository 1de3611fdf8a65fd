#include "core/random.h"
#include <math.h>

sg_random_block sg_philox(uint64_t key, uint64_t high, uint64_t low)
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
    return (sg_random_block){{c0, c1, c2, c3}};
}

static uint64_t word64(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

uint64_t sg_random_key(uint64_t key, uint64_t value)
{
    sg_random_block block = sg_philox(key, 0x5163A1D, value);
    return word64(block.word[0], block.word[1]);
}

uint64_t sg_random_key_text(uint64_t key, const char *text)
{
    for (; *text; text++) key = sg_random_key(key, (unsigned char)*text);
    return key;
}

static double unit(uint32_t low, uint32_t high)
{
    return (double)(word64(low, high) >> 11) * 0x1p-53;
}

double sg_random_uniform(uint64_t key, uint64_t index)
{
    sg_random_block block = sg_philox(key, 0, index);
    return unit(block.word[0], block.word[1]);
}

double sg_random_normal(uint64_t key, uint64_t index)
{
    sg_random_block block = sg_philox(key, 1, index >> 1);
    double radius = sqrt(-2.0 * log1p(-unit(block.word[0], block.word[1])));
    double angle = 6.283185307179586476925 * unit(block.word[2], block.word[3]);
    return index & 1 ? radius * sin(angle) : radius * cos(angle);
}

/* Fisher and Yates, with Lemire's unbiased-enough multiply: n is far below 2^32 in practice, the
 * bias below 2^-32. */
void sg_random_permutation(uint64_t key, int64_t n, int64_t *index)
{
    for (int64_t i = 0; i < n; i++) index[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        sg_random_block block = sg_philox(key, 2, (uint64_t)i);
        unsigned __int128 wide =
            (unsigned __int128)word64(block.word[0], block.word[1]) * (uint64_t)(i + 1);
        int64_t j = (int64_t)(wide >> 64), held = index[i];
        index[i] = index[j];
        index[j] = held;
    }
}

#include "core/philox.h"

sg_random_block sg_philox(uint64_t key, uint64_t high, uint64_t low)
{
    return sg_philox_block(key, high, low);
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

double sg_random_uniform(uint64_t key, uint64_t index)
{
    return sg_uniform_at(key, index);
}

double sg_random_normal(uint64_t key, uint64_t index)
{
    return sg_normal_at(key, index);
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

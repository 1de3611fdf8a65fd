/* Random numbers that are a function of a key and a position: Philox 4x32-10 (Salmon, Moraes, Dror,
 * Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3). No state, the same on
 * every machine and for any order of drawing. */
#ifndef SG_RANDOM_H
#define SG_RANDOM_H
#include <stdint.h>

typedef struct {
    uint32_t word[4];
} sg_random_block;

sg_random_block sg_philox(uint64_t key, uint64_t high, uint64_t low);

/* A key made of another and a value, well mixed. */
uint64_t sg_random_key(uint64_t key, uint64_t value);
uint64_t sg_random_key_text(uint64_t key, const char *text);

double sg_random_uniform(uint64_t key, uint64_t index); /* in [0, 1), 53 bits */
double sg_random_normal(uint64_t key,
                        uint64_t index); /* mean 0, variance 1: Box and Muller (1958) */
/* The same for whole arrays: entries 0 .. n-1 of the stream `key`. */
void sg_random_permutation(uint64_t key, int64_t n, int64_t *index);
#endif

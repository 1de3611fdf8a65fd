/* Words over the letters 0 .. letters-1. A word of length k is named by its index inside level k,
 * the number that it spells in base `letters`. */
#ifndef SG_WORDS_H
#define SG_WORDS_H
#include <stdbool.h>
#include <stdint.h>

/* Words of length 1 .. degree; false if the number does not fit. */
bool sg_words_total(int64_t letters, int32_t degree, int64_t *total);

/* Lyndon words of length `degree`, and of length 1 .. degree; false if the number does not fit. */
bool sg_lyndon_count(int64_t letters, int32_t degree, int64_t *count);
bool sg_lyndon_total(int64_t letters, int32_t degree, int64_t *total);

/* Calls visit(user, length, index) for every Lyndon word of length 1 .. degree in lexicographic
 * order. `word` is scratch for `degree` letters. */
void sg_lyndon_each(int32_t letters, int32_t degree, int32_t *word,
                    void (*visit)(void *user, int32_t length, int64_t index), void *user);

#endif

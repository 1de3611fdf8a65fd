/* The core: the words whose coefficients a signature kernel accumulates, about a quarter of all;
 * the others follow by shuffle relations (docs/kernels.md).
 *
 * A word of two letters or more is in the core if its last letter a is its smallest and the letter
 * before it is greater than a; all words of one letter are. A lane state for the core has these
 * parts, words stored reversed (first letter fastest) in each:
 *
 *   dense[m]       level m of the whole tensor, radix letters; of the top level only words that end
 *                  in a letter that is not their smallest are filled in
 *   minimal[a][m]  F_a: the words t a of length m, t over the n = letters - a letters from a on, by
 *                  t in radix n. Its core are the indices n^(m-2) .. n^(m-1) - 1: a tree of n
 *                  letters under a, less the child a a
 *   mixed[a][m][j] H_j: sums over the words of (v sh u) a, |u| = j, u without a: u in radix n - 1,
 *                  then v in radix n, 1 <= j <= m - 2; the tables of the top level share their
 * place
 */
#ifndef SG_CORE_H
#define SG_CORE_H
#include "core/arena.h"

enum { SG_CORE_LETTERS = 16, SG_CORE_DEGREE = 12, SG_CORE_WORDS = 1 << 17 };

typedef struct {
    int32_t letters, degree;
    int64_t entries;     /* of a state */
    int64_t accumulated; /* where minimal[.][m] of the levels below the top begin */
    int64_t kept;        /* entries that a join needs of the later part: level 1, all minimal */
    int64_t late;        /* entries from here on are used only to complete the top level */
    int64_t power[SG_CORE_LETTERS + 1][SG_CORE_DEGREE + 1];
    int64_t dense[SG_CORE_DEGREE + 1];
    int64_t minimal[SG_CORE_LETTERS][SG_CORE_DEGREE + 1];
    int64_t mixed[SG_CORE_LETTERS][SG_CORE_DEGREE + 1][SG_CORE_DEGREE];
    int32_t *place; /* [words] entry of each word of the tensor, once completed */
    /* row[a][i]: [n^i] index in radix letters of the i letters with index y in radix n */
    int32_t *row[SG_CORE_LETTERS][SG_CORE_DEGREE];
    /* rule[a][m][k]: how to complete the words v a u of length m, |u| = k, u without a: for each u
     * the entry of v = first word, those of k + 1 rows over v, and of k coefficients */
    int32_t *rule[SG_CORE_LETTERS][SG_CORE_DEGREE + 1][SG_CORE_DEGREE];
    /* The forward adds the last two terms of the top level's tables only when it looks at them.
     * table[a][j] are what it needs then, in an array of `tables` entries of its own; last[a][k]
     * has for each u: the place of v a u among words that begin with the same letter, and where
     * rows of the two terms begin, in tables or, for |v| = 1 and k = 1, in the state */
    int64_t tables, table[SG_CORE_LETTERS][SG_CORE_DEGREE];
    int32_t *last[SG_CORE_LETTERS][SG_CORE_DEGREE];
} sg_core;

/* Whether a core is worth tables: 2 .. 12 letters, 3 .. 12 levels, at most SG_CORE_WORDS words. */
bool sg_core_exists(int32_t letters, int32_t degree, int64_t words);

/* NULL where memory is short. */
const sg_core *sg_core_build(sg_arena *arena, int32_t letters, int32_t degree);

#endif

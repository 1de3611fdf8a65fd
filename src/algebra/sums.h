/* Iterated sums: what the signature of a lead-lag path is made of (docs/kernels.md).
 *
 * One increment x of a path moves the lead by x, then the lag: exp(x on the lead) exp(x on the
 * lag). So a word's coefficient is a sum, over the ways to cut the word into blocks, of the
 * iterated sums
 *
 *     Q(m_1 .. m_r) = sum over t_1 < .. < t_r of x_(t_1)^m_1 .. x_(t_r)^m_r,
 *
 * m_i the monomial of a block's channels, times a number for each block that depends on nothing but
 * which of its letters lead, lag, or are time (Diehl, Ebrahimi-Fard, Tapia 2020, "Time-warping
 * invariants of multidimensional time series"; Flint, Hambly, Lyons 2016, "Discretely sampled
 * signals and the rough Hoff process"). There are far fewer monomials than words: channels commute
 * in them, and lead and lag are one.
 *
 * Letters of Q are the monomials of each weight, sorted by their channels, and in weight 1 last of
 * all time, whose increment is the same at each step: a block of it and channels is a multiple of
 * the block of the channels alone. Words of Q have the sum of their letters' weights for weight; a
 * weight's words stand in order of the first letter's weight, then of what follows it, then of the
 * first letter. */
#ifndef SG_SUMS_H
#define SG_SUMS_H
#include "core/arena.h"

enum { SG_SUM_DEGREE = 5, SG_SUM_CHANNELS = 8, SG_SUM_WORDS = 1 << 15 };

/* What sums are taken times: a number, and a power of the increment of time. */
typedef struct {
    double coefficient;
    int32_t power;
} sg_sum_factor;

/* A way to cut a pattern: where the sums of its shape begin in `spread`, and which factor. */
typedef struct {
    int32_t from, factor;
} sg_sum_term;

/* The words of the signature with the same letters leading, lagging, and time: one for each choice
 * of channels, the first one fastest. */
typedef struct {
    int32_t words, place; /* how many; of each its place in a tensor of words stored reversed */
    int32_t first, terms;
} sg_sum_pattern;

typedef struct {
    int32_t channels, degree;
    int32_t letters; /* of weight 1 */
    int32_t monomials[SG_SUM_DEGREE + 1];
    /* [w][k]: of weight w, the first without the channels before k: those from it on, times k, are
     * the monomials of weight w + 1 that begin with k */
    int32_t first[SG_SUM_DEGREE + 1][SG_SUM_CHANNELS + 1];
    int32_t level[SG_SUM_DEGREE + 2]; /* where each weight's words begin; of degree + 1: all */
    int32_t block[SG_SUM_DEGREE + 1][SG_SUM_DEGREE + 1]; /* by weight, first letter's weight */
    /* [monomial of weight degree - 1][channel]: their product among those of weight degree; from
     * degree 3 on, see sg_sums_in_pairs */
    int32_t *product;
    /* Sums by shape: for each choice of channels in all places, the sum's place. */
    int32_t *spread, spreads;
    sg_sum_pattern *pattern; /* those with as many steps of time are neighbours */
    sg_sum_term *term;
    sg_sum_factor *factor;
    int32_t *place, patterns, factors;
} sg_sums;

static inline int32_t sg_sum_words(const sg_sums *sums)
{
    return sums->level[sums->degree + 1];
}

/* A product of sums is the sum over all ways to shuffle and to merge, so the words q m of a letter
 * and a monomial of all other weight are Q(q m) = Q(q) Q(m) - Q(m q) - Q([q m]). */
static inline bool sg_sums_in_pairs(const sg_sums *sums)
{
    return sums->degree > 2;
}

bool sg_sums_exist(int32_t channels, bool time, int32_t degree, int64_t words);

/* NULL where memory is short. */
const sg_sums *sg_sums_build(sg_arena *arena, int32_t channels, bool time, int32_t degree);

#endif

/* The reference recursion (recursion.inc) in float, double and long double, forward and backward,
 * on paths with or without lead-lag and time. */
#ifndef BENCH_RECURSION_H
#define BENCH_RECURSION_H
#include <stdint.h>

enum { RECURSION_DEGREE = 12 };

typedef struct {
    int dimension, lead_lag, time_aug, degree; /* as in sigad_sig_spec */
    int letters;
    int64_t words;
    int64_t size[RECURSION_DEGREE + 2], offset[RECURSION_DEGREE + 2]; /* offset[1] is 0 */
    int64_t *mirror; /* [words] where the mirror image of a word is */
} recursion;

/* 0, or else memory is short. Needs the first line of *r. */
int recursion_open(recursion *r);
void recursion_close(recursion *r);

/* path [length, dimension], whose numbers are exact in the dtype; sig and sig_bar [words]; path_bar
 * [length, dimension], all 0 before. 0, or else memory is short.
 * Mirrored, increments come in the other order and words are read backwards: an identity, so that
 * the same sums are summed the other way round. */
typedef int recursion_run(const recursion *r, int mirrored, int64_t length, const double *path,
                          const double *sig_bar, long double *sig, long double *path_bar);
recursion_run recursion_f32, recursion_f64, recursion_long;
#endif

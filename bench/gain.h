/* What threads gain. */
#ifndef BENCH_GAIN_H
#define BENCH_GAIN_H

/* The median of a call's seconds on several threads; how many times faster it is than on one; and
 * how many times as much as one thread gets done alone as many threads get done that each make
 * calls of their own: what the machine allows, as threads share its memory and its power. */
typedef struct {
    double seconds, gain, limit;
} bench_gain;

enum { BENCH_MOST_THREADS = 64 };

/* Calls with `shared` use `threads` threads, those with own[0 .. threads - 1] one each. The three
 * are timed in turn, so that a clock that drifts does not matter, and quotients are medians of
 * neighbours'. Each takes about `seconds`; with seconds = 0 there is one call of each. False if a
 * call failed. */
int bench_measure_gain(int (*call)(void *user), void *shared, int threads, void *const *own,
                       double seconds, bench_gain *gain);

#endif

/* Clock and yardstick of the benchmarks. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

/* Seconds from some fixed moment. */
double bench_now(void);

/* The call. A simulator that counts instructions knows by this name what to count. */
int bench_once(int (*call)(void *user), void *user);

/* Median of the seconds that a call takes, over samples that together last `seconds`, but at least
 * three; a sample repeats a short call. With seconds = 0 one call is made, which shows that it
 * works. Negative as soon as a call returns other than 0. */
double bench_median(int (*call)(void *user), void *user, double seconds);

/* The same of one call with each of some users, in turn: their quotients do not suffer from a clock
 * that drifts. Each takes about `seconds`. False if a call failed. */
enum { BENCH_IN_TURN = 16 };
int bench_medians(int (*call)(void *user), int count, void *const *users, double seconds,
                  double *medians);

/* The middle one of some values, which are sorted. */
double bench_middle(double *values, int count);

/* Instructions of one call: what the processor counted in user mode on this thread, the least of
 * three; negative where there is no such counter, or the call fails. */
double bench_instructions(int (*call)(void *user), void *user);

/* Floating-point operations a second of BLAS in a product of 512 x 512 matrices on one thread, of
 * floats if f32, else of doubles: the best of what `seconds` allow. 0 if memory is short. */
double bench_product_rate(int f32, double seconds);

/* Bytes a second, read and written, when one mebibyte is copied to another over and over: the best
 * of what `seconds` allow. 0 if memory is short. */
double bench_copy_rate(double seconds);

#endif

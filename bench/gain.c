#include "gain.h"
#include "timing.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* Seconds of one of `repeats` calls in a row, after half as many for threads to wake and for caches
 * that were full of something else. Negative if one fails. */
static double sample(int (*call)(void *), void *user, int repeats)
{
    double start = 0;
    for (int i = -(repeats + 1) / 2; i < repeats; i++) {
        if (i == 0) start = bench_now();
        if (bench_once(call, user)) return -1.0;
    }
    return (bench_now() - start) / repeats;
}

/* ---- each on its own ---------------------------------------------------------------------------
 */

typedef struct {
    int (*call)(void *);
    void *user;
    int threads, repeats;
    atomic_int *here;
    double seconds;
} share;

/* Begins when all are there. */
static void *work(void *argument)
{
    share *s = argument;
    atomic_fetch_add(s->here, 1);
    while (atomic_load(s->here) < s->threads) sched_yield();
    s->seconds = sample(s->call, s->user, s->repeats);
    return NULL;
}

/* Calls a second, of all; negative if one fails, or a thread cannot be had. */
static double rate_apart(int (*call)(void *), int threads, void *const *own, int repeats)
{
    share shares[BENCH_MOST_THREADS];
    pthread_t thread[BENCH_MOST_THREADS];
    atomic_int here = 0;
    double rate = 0;
    int started = 1;
    for (int k = 0; k < threads; k++)
        shares[k] = (share){call, own[k], threads, repeats, &here, -1.0};
    for (; started < threads; started++)
        if (pthread_create(&thread[started], NULL, work, &shares[started])) break;
    atomic_fetch_add(&here, threads - started); /* so that nobody waits for the others */
    work(&shares[0]);
    for (int k = 1; k < started; k++) pthread_join(thread[k], NULL);
    for (int k = 0; k < threads; k++) {
        if (shares[k].seconds <= 0) return -1.0;
        rate += 1 / shares[k].seconds;
    }
    return rate;
}

/* ---- in turn -----------------------------------------------------------------------------------
 */

enum { MOST = 1001, LEAST = 3 };

static int repeats_of(double seconds)
{
    const double least = 500e-6;
    return seconds < least ? (int)(least / (seconds > 20e-9 ? seconds : 20e-9)) + 1 : 1;
}

int bench_measure_gain(int (*call)(void *), void *shared, int threads, void *const *own,
                       double seconds, bench_gain *gain)
{
    double took[MOST], gains[MOST], limits[MOST], once = sample(call, own[0], 1);
    int count = 0, repeats = seconds > 0 ? repeats_of(once) : 1;
    double end = bench_now() + 3 * seconds;
    while (count < MOST && (count < (seconds > 0 ? LEAST : 1) || bench_now() < end)) {
        double together = sample(call, shared, repeats), alone = sample(call, own[0], repeats);
        double rate = rate_apart(call, threads, own, repeats);
        if (together <= 0 || alone <= 0 || rate <= 0) return 0;
        took[count] = together;
        gains[count] = alone / together;
        limits[count++] = alone * rate;
    }
    gain->seconds = bench_middle(took, count);
    gain->gain = bench_middle(gains, count);
    gain->limit = bench_middle(limits, count);
    return 1;
}

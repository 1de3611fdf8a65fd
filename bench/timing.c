#define _GNU_SOURCE /* syscall */
#include "timing.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#ifdef __linux__
#    include <linux/perf_event.h>
#    include <sys/ioctl.h>
#    include <sys/syscall.h>
#    include <unistd.h>
#endif

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

__attribute__((noinline)) int bench_once(int (*call)(void *), void *user)
{
    return call(user);
}

/* Seconds of one of `repeats` calls in a row. */
static double sample(int (*call)(void *), void *user, int repeats)
{
    double start = bench_now();
    for (int i = 0; i < repeats; i++)
        if (bench_once(call, user)) return -1.0;
    return (bench_now() - start) / repeats;
}

enum { MOST = 1001, LEAST = 3 };

typedef struct {
    void *user;
    int count, repeats; /* samples, calls in one of them */
    double times[MOST];
} series;

/* What a call takes, and how often a sample repeats it to last `least` seconds. Negative if it
 * fails. */
static double begin(series *s, int (*call)(void *), void *user, double seconds, double least)
{
    double once = sample(call, user, 1); /* a first call finds cold caches */
    *s = (series){.user = user, .repeats = 1};
    if (seconds <= 0 || once < 0) return once;
    once = sample(call, user, 1);
    if (once < least) s->repeats = (int)(least / fmax(once, 20e-9)) + 1;
    return once;
}

double bench_middle(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

static int in_turn(int n, int (*call)(void *), void *const *users, double seconds, double *medians)
{
    const double least = n > 1 ? 500e-6 : 20e-6;
    series all[BENCH_IN_TURN];
    for (int k = 0; k < n; k++)
        if ((medians[k] = begin(&all[k], call, users[k], seconds, least)) < 0) return 0;
    if (seconds <= 0) return 1;
    double end = bench_now() + n * seconds;
    for (int i = 0; i < MOST && (i < LEAST || bench_now() < end); i++)
        for (int k = 0; k < n; k++) {
            if (n > 1 && bench_once(call, users[k])) return 0; /* its caches held the other's */
            const double time = sample(call, users[k], all[k].repeats);
            if (time < 0) return 0;
            all[k].times[all[k].count++] = time;
        }
    for (int k = 0; k < n; k++) medians[k] = bench_middle(all[k].times, all[k].count);
    return 1;
}

double bench_median(int (*call)(void *), void *user, double seconds)
{
    double time;
    return in_turn(1, call, &user, seconds, &time) ? time : -1.0;
}

int bench_medians(int (*call)(void *), int count, void *const *users, double seconds,
                  double *medians)
{
    return count <= BENCH_IN_TURN && in_turn(count, call, users, seconds, medians);
}

#ifdef __linux__
double bench_instructions(int (*call)(void *), void *user)
{
    struct perf_event_attr what = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof what,
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .disabled = 1,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    int counter = (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, 0);
    double least = -1.0;
    for (int i = 0; counter >= 0 && i < 3; i++) {
        uint64_t count;
        ioctl(counter, PERF_EVENT_IOC_RESET, 0);
        ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
        int failed = call(user);
        ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
        if (failed || read(counter, &count, sizeof count) != sizeof count) {
            least = -1.0;
            break;
        }
        if (least < 0 || (double)count < least) least = (double)count;
    }
    if (counter >= 0) close(counter);
    return least;
}
#else
double bench_instructions(int (*call)(void *), void *user)
{
    (void)call;
    (void)user;
    return -1.0;
}
#endif

#include "device_time.h"
#include "device_call.h"
#include "device_memory.h"
#include <stdio.h>
#include <stdlib.h>

static const struct {
    int32_t dimension, degree;
    int64_t batch, length;
} problem[] = {{2, 5, 128, 1000},  {3, 4, 1024, 1000}, {3, 5, 256, 1000},  {4, 4, 256, 1000},
               {5, 4, 256, 1000},  {8, 3, 256, 1000},  {8, 4, 256, 1000},  {16, 3, 256, 1000},
               {2, 2, 256, 10000}, {2, 3, 256, 10000}, {4, 3, 256, 10000}, {16, 3, 256, 10000},
               {8, 3, 32, 2000},   {3, 6, 1, 100000},  {3, 4, 32, 20}};
enum { PROBLEMS = sizeof problem / sizeof *problem, RUNS = 15, QUEUED = 8 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of a call: the medians of RUNS times, of calls one by one, each waited for, and of QUEUED
 * calls at once; negative after a failure. */
typedef struct {
    double alone, queued;
} timing;

static double seconds_of(const device_call *c, const device_job *job, int calls)
{
    double seconds[RUNS];
    int good = 1;
    for (int run = 0; good && run < RUNS; run++) {
        double before = device_seconds();
        for (int i = 0; good && i < calls; i++) good = !device_call_once(c, job);
        seconds[run] = (device_seconds() - before) / calls;
    }
    if (!good) return -1.0;
    qsort(seconds, RUNS, sizeof *seconds, by_size);
    return seconds[RUNS / 2];
}

static timing time_call(const device_call *c)
{
    timing t = {-1.0, -1.0};
    device_job job;
    if (!device_begin(c, &job) && !device_call_once(c, &job)) {
        t.alone = seconds_of(c, &job, 1);
        t.queued = seconds_of(c, &job, QUEUED);
    }
    device_end(&job);
    return t;
}

/* sum over i = 2 .. n of (n - i + 1) d^i */
static double chain_of(double d, int n)
{
    double sum = 0.0, words = d;
    for (int i = 2; i <= n; i++) {
        words *= d;
        sum += (n - i + 1) * words;
    }
    return sum;
}

/* Multiply-adds for one increment by the cheapest algorithm that is known, as tools/cuda-model has
 * them. */
static double work_of(const device_call *c)
{
    const double d = c->spec.dimension;
    const int n = c->spec.degree;
    double chain = chain_of(d, n), tensor = 0.0, words = d;
    if (!call_is_backward(c->call)) return d * (n - 1) + chain;
    for (int i = 2; i <= n; i++) tensor += words *= d;
    return 3 * chain - tensor + d * (n - 2) + chain_of(d, n - 1);
}

/* The two times, and the share of the device's arithmetic that the floor would take of the second.
 */
static int print_times(const device_call *c)
{
    const timing t = time_call(c);
    const double peak = device_products((int)call_entry_bytes(c));
    const double floor = work_of(c) * (double)c->batch * (double)(c->length - 1) / t.queued;
    printf(" %.1f | %.1f | %.0f |", 1e6 * t.alone, 1e6 * t.queued, 1e-9 * floor);
    if (peak > 0)
        printf(" %.0f %% |", 100 * floor / peak);
    else
        printf(" - |");
    return t.alone < 0 || t.queued < 0;
}

static int time_problem(device_call c)
{
    void *x = calloc((size_t)(c.batch * call_x_entries(&c)), sizeof(double));
    void *g = calloc((size_t)(c.batch * call_y_entries(&c)), sizeof(double));
    int failed = !x || !g;
    c.x = x;
    printf("| %d, %d, %d, %d | float%d |", (int)c.batch, (int)c.length, (int)c.spec.dimension,
           (int)c.spec.degree, c.dtype == SIGAD_F32 ? 32 : 64);
    if (!failed) failed = print_times(&c);
    c.call = SIGAD_CALL_SIG_BACKPROP;
    c.y_bar = g;
    if (!failed) failed = print_times(&c);
    printf("\n");
    free(x);
    free(g);
    return failed;
}

int device_time(void)
{
    int failed = 0;
    printf(
        "| batch, length, d, N | dtype | forward us | queued | 10^9 multiply-adds/s | of the floor "
        "| backward us | queued | 10^9 multiply-adds/s | of the floor |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < PROBLEMS; i++)
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)
            failed |= time_problem(
                (device_call){.call = SIGAD_CALL_SIG,
                              .dtype = (sigad_dtype)dtype,
                              .spec = {SIGAD_SIG_SPEC_INIT, .dimension = problem[i].dimension,
                                       .degree = problem[i].degree},
                              .batch = problem[i].batch,
                              .length = problem[i].length});
    return failed;
}

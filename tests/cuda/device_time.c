#include "device_time.h"
#include "device_call.h"
#include "device_memory.h"
#include <stdio.h>
#include <stdlib.h>

static const struct {
    int32_t dimension, degree;
    int64_t batch, length;
} problem[] = {{2, 5, 128, 1000},  {3, 4, 1024, 1000}, {3, 5, 256, 1000}, {4, 4, 256, 1000},
               {5, 4, 256, 1000},  {8, 3, 256, 1000},  {8, 4, 256, 1000}, {16, 3, 256, 1000},
               {2, 3, 256, 10000}, {8, 3, 32, 2000},   {3, 6, 1, 100000}, {3, 4, 32, 20}};
enum { PROBLEMS = sizeof problem / sizeof *problem, RUNS = 21 };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of RUNS calls one by one, in seconds, launches and all; negative after a failure. */
static double median_of(const device_call *c)
{
    double seconds[RUNS];
    device_job job;
    int good = !device_begin(c, &job) && !device_call_once(c, &job);
    for (int run = 0; good && run < RUNS; run++) {
        double before = device_seconds();
        good = !device_call_once(c, &job);
        seconds[run] = device_seconds() - before;
    }
    device_end(&job);
    if (!good) return -1.0;
    qsort(seconds, RUNS, sizeof *seconds, by_size);
    return seconds[RUNS / 2];
}

/* Multiply-adds of one increment: d (N-1) + sum over i = 2 .. N of (N-i+1) d^i. */
static double work_of(double d, int degree)
{
    double work = d * (degree - 1), words = d;
    for (int i = 2; i <= degree; i++) {
        words *= d;
        work += (degree - i + 1) * words;
    }
    return work;
}

static int time_problem(device_call c)
{
    void *x = calloc((size_t)(c.batch * call_x_entries(&c)), sizeof(double));
    void *g = calloc((size_t)(c.batch * call_y_entries(&c)), sizeof(double));
    double forward = -1.0, backward = -1.0;
    double products =
        work_of(c.spec.dimension, c.spec.degree) * (double)c.batch * (double)(c.length - 1);
    c.x = x;
    if (x && g) forward = median_of(&c);
    c.call = SIGAD_CALL_SIG_BACKPROP;
    c.y_bar = g;
    if (x && g) backward = median_of(&c);
    printf("| %d, %d, %d, %d | float%d | %.1f | %.0f | %.1f |\n", (int)c.batch, (int)c.length,
           (int)c.spec.dimension, (int)c.spec.degree, c.dtype == SIGAD_F32 ? 32 : 64, 1e6 * forward,
           1e-9 * products / forward, 1e6 * backward);
    free(x);
    free(g);
    return forward < 0 || backward < 0;
}

int device_time(void)
{
    int failed = 0;
    printf("| batch, length, d, N | dtype | forward us | 10^9 multiply-adds/s | backward us |\n");
    printf("|---|---|---|---|---|\n");
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

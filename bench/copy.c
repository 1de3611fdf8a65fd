#include "timing.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

double bench_copy_rate(double seconds)
{
    enum { BYTES = 1 << 20 };
    double best = INFINITY, end = bench_now() + seconds;
    char *from = calloc(1, BYTES), *to = calloc(1, BYTES);
    while (from && to) {
        double start = bench_now();
        memcpy(to, from, BYTES);
        best = fmin(best, bench_now() - start);
        from[0] = to[BYTES - 1]; /* so that copies are made */
        if (bench_now() >= end) break;
    }
    free(from);
    free(to);
    return 2.0 * BYTES / best;
}

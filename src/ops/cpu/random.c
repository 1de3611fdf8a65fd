#include "ops/cpu/random.h"
#include "core/parallel.h"
#include "core/random.h"
#include "sigad/base.h"

/* Entries that one thread takes at once; a multiple of four. */
enum { BLOCK = 8192 };

typedef struct job {
    void (*body)(const struct job *j, int64_t first, int64_t last);
    uint64_t key;
    int64_t n;
    double low, high, rate;
    const void *x;
    void *y;
    bool add;
} job;

#define SG_KERNELS "ops/cpu/random.inc"
#include "ops/cpu/both_reals.h"

static void run_block(void *user, int64_t index, int worker)
{
    const job *j = user;
    int64_t first = index * BLOCK, left = j->n - first;
    (void)worker;
    j->body(j, first, first + (left < BLOCK ? left : BLOCK));
}

static void run(int threads, job j)
{
    sg_parallel(threads, (j.n + BLOCK - 1) / BLOCK, run_block, &j);
}

void sg_cpu_uniform(int threads, uint64_t key, double low, double high, int64_t n, int32_t dtype,
                    void *y)
{
    run(threads, (job){.body = SG_BY_DTYPE(dtype, uniform),
                       .key = key,
                       .n = n,
                       .low = low,
                       .high = high,
                       .y = y});
}

void sg_cpu_normal(int threads, uint64_t key, int64_t n, int32_t dtype, void *y)
{
    run(threads, (job){.body = SG_BY_DTYPE(dtype, normal), .key = key, .n = n, .y = y});
}

void sg_cpu_dropout(int threads, uint64_t key, double rate, int64_t n, int32_t dtype, const void *x,
                    void *y, bool add)
{
    run(threads, (job){.body = SG_BY_DTYPE(dtype, dropout),
                       .key = key,
                       .n = n,
                       .rate = rate,
                       .x = x,
                       .y = y,
                       .add = add});
}

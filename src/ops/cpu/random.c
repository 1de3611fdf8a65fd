#include "ops/cpu/random.h"
#include "core/philox.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/parallel_rows.h"
#include "sigad/base.h"

typedef struct {
    const sg_dense *dense;
    uint64_t key;
    double low, high, rate;
    const void *x;
    void *y;
    bool add;
} job;

#define SG_KERNELS "ops/cpu/random.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_uniform(sg_place *place, uint64_t key, double low, double high, int64_t n,
                    int32_t dtype, void *y)
{
    job j = {.dense = sg_dense_of(dtype), .key = key, .low = low, .high = high, .y = y};
    sg_parallel_rows(place->threads, n, 1, SG_BY_DTYPE(dtype, uniform), &j);
}

void sg_cpu_normal(sg_place *place, uint64_t key, int64_t n, int32_t dtype, void *y)
{
    job j = {.dense = sg_dense_of(dtype), .key = key, .y = y};
    sg_parallel_rows(place->threads, n, 1, SG_BY_DTYPE(dtype, normal), &j);
}

void sg_cpu_dropout(sg_place *place, const uint64_t *key, double rate, int64_t n, int32_t dtype,
                    const void *x, void *y, bool add)
{
    job j = {.dense = sg_dense_of(dtype), .key = *key, .rate = rate, .x = x, .y = y, .add = add};
    sg_parallel_rows(place->threads, n, 1, SG_BY_DTYPE(dtype, dropout), &j);
}

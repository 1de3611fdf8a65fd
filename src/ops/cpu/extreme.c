#include "ops/cpu/extreme.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/parallel_rows.h"

typedef struct {
    const sg_dense *dense;
    sg_split split;
    bool largest;
    const void *x;
    int64_t *index;
} job;

#define SG_KERNELS "ops/cpu/extreme.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_extreme(sg_place *place, int32_t dtype, sg_split split, bool largest, const void *x,
                    int64_t *index)
{
    job j = {sg_dense_of(dtype), split, largest, x, index};
    sg_parallel_rows(place->threads, split.outer, split.n * split.inner,
                     SG_BY_DTYPE(dtype, extreme), &j);
}

void sg_cpu_pick(sg_place *place, int32_t dtype, sg_split split, const int64_t *index,
                 const void *x, void *y, bool add)
{
    (void)place;
    if (dtype == SIGAD_F64)
        pick_f64(split, index, x, y, add);
    else
        pick_f32(split, index, x, y, add);
}

void sg_cpu_put(sg_place *place, int32_t dtype, sg_split split, const int64_t *index, const void *y,
                void *x)
{
    (void)place;
    if (dtype == SIGAD_F64)
        put_f64(split, index, y, x);
    else
        put_f32(split, index, y, x);
}

#include "ops/cpu/cumsum.h"
#include "ops/cpu/parallel_rows.h"

typedef struct {
    sg_split split;
    const void *x;
    void *y, *workspace;
    bool backwards, add;
} job;

#define SG_KERNELS "ops/cpu/cumsum.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_cumsum(sg_place *place, int32_t dtype, sg_split split, bool backwards, const void *x,
                   void *y, bool add, void *workspace)
{
    job j = {split, x, y, workspace, backwards, add};
    sg_parallel_rows(place->threads, split.outer, split.n * split.inner, SG_BY_DTYPE(dtype, cumsum),
                     &j);
}

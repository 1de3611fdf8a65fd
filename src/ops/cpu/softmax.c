#include "ops/cpu/softmax.h"
#include "ops/cpu/dense/each_exp.h"
#include "ops/cpu/ranges.h"

typedef struct {
    sg_softmax_kernel kernel;
    sg_split split;
    const void *a, *b, *c;
    void *out;
} job;

#define SG_KERNELS "ops/cpu/softmax.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_softmax(sg_place *place, sg_softmax_kernel kernel, int32_t dtype, const sg_split *split,
                    const void *a, const void *b, const void *c, void *out)
{
    job j = {kernel, *split, a, b, c, out};
    if (split->n)
        sg_ranges(place->threads, split->outer * split->inner, split->n, SG_BY_DTYPE(dtype, runs),
                  &j);
}

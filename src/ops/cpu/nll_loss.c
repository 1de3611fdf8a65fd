#include "ops/cpu/nll_loss.h"
#include "ops/cpu/ranges.h"
#include <stddef.h>

typedef struct {
    int64_t classes;
    const int64_t *labels;
    double scale;
    const void *x;
    void *out;
} job;

#define SG_KERNELS "ops/cpu/nll_loss.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_nll_terms(sg_place *place, int32_t dtype, int64_t rows, int64_t classes, const void *x,
                      const int64_t *labels, void *terms)
{
    job j = {classes, labels, 1, x, terms};
    sg_ranges(place->threads, rows, 1, SG_BY_DTYPE(dtype, terms), &j);
}

void sg_cpu_nll_vjp(sg_place *place, int32_t dtype, int64_t rows, int64_t classes,
                    const int64_t *labels, sg_mean_share share, void *out)
{
    job j = {classes, labels, sg_cpu_mean_share(dtype, share), NULL, out};
    sg_ranges(place->threads, rows, 1, SG_BY_DTYPE(dtype, vjp), &j);
}

#include "ops/cpu/layer_norm.h"
#include "ops/cpu/ranges.h"
#include "ops/cpu/row_sum.h"
#include <stddef.h>

typedef struct {
    const sg_layer_norm *l;
    sg_factor a, b, c;
    double epsilon;
    void *out;
} job;

#define SG_KERNELS "ops/cpu/layer_norm.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_layer_norm(sg_place *place, const sg_layer_norm *l, double epsilon, const void *scale,
                       const void *shift, void *out)
{
    job j = {l, {NULL, 0}, {scale, 0}, {shift, 0}, epsilon, out};
    sg_ranges(place->threads, l->rows, l->n, SG_BY_DTYPE(l->dtype, normalise), &j);
}

void sg_cpu_layer_norm_times(sg_place *place, const sg_layer_norm *l, sg_factor a, void *out)
{
    job j = {l, a, {NULL, 0}, {NULL, 0}, 0, out};
    sg_ranges(place->threads, l->rows, l->n, SG_BY_DTYPE(l->dtype, times), &j);
}

void sg_cpu_layer_norm_project(sg_place *place, const sg_layer_norm *l, sg_factor a, sg_factor b,
                               sg_factor c, void *out)
{
    job j = {l, a, b, c, 0, out};
    sg_ranges(place->threads, l->rows, l->n, SG_BY_DTYPE(l->dtype, project), &j);
}

void sg_cpu_layer_norm_bend(sg_place *place, const sg_layer_norm *l, sg_factor b, sg_factor c,
                            const void *v, void *out)
{
    job j = {l, {v, l->n}, b, c, 0, out};
    sg_ranges(place->threads, l->rows, l->n, SG_BY_DTYPE(l->dtype, bend), &j);
}

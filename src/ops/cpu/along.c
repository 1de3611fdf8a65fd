#include "ops/cpu/along.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/walk.h"

#define SG_KERNELS "ops/cpu/along.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_along(sg_place *place, int kind, int32_t dtype, sg_split split,
                  const sg_along_arrays *arrays)
{
    const int64_t shape[] = {split.outer, split.n, split.inner};
    const int64_t stride[1][SIGAD_MAX_RANK] = {{split.inner, 0, 1}};
    sg_along_arrays copy = *arrays;
    sg_walk plan;
    sg_walk_strides(&plan, 3, shape, 1, stride);
    sg_walk_run(&plan, place->threads, sg_dense_of(dtype)->along[kind], &copy);
}

void sg_cpu_root(sg_place *place, int64_t n, int32_t dtype, void *y)
{
    (void)place;
    if (dtype == SIGAD_F64)
        root_f64(n, y);
    else
        root_f32(n, y);
}

void sg_cpu_finite(sg_place *place, int64_t n, int32_t dtype, void *y)
{
    (void)place;
    if (dtype == SIGAD_F64)
        finite_f64(n, y);
    else
        finite_f32(n, y);
}

void sg_cpu_log_plus(sg_place *place, int64_t n, int32_t dtype, void *l, const void *r, void *y)
{
    (void)place;
    if (dtype == SIGAD_F64)
        log_plus_f64(n, l, r, y);
    else
        log_plus_f32(n, l, r, y);
}

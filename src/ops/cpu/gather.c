#include "ops/cpu/gather.h"
#include "ops/cpu/parallel_rows.h"
#include "sigad/base.h"

typedef struct {
    sg_gather_shape shape;
    const int64_t *index;
    void *x, *y;
} job;

#define SG_KERNELS "ops/cpu/gather.inc"
#include "ops/cpu/both_reals.h"

int64_t sg_cpu_check_index(sg_place *place, sg_origin origin, int64_t count, int64_t size,
                           const int64_t *index)
{
    (void)place, (void)origin;
    for (int64_t k = 0; k < count; k++)
        if (index[k] < 0 || index[k] >= size) return k;
    return -1;
}

static void run(sg_place *place, void (*body)(void *, int64_t, int64_t), job j)
{
    sg_parallel_rows(place->threads, j.shape.outer, j.shape.count * j.shape.inner, body, &j);
}

/* Integers move as doubles do. */
void sg_cpu_gather(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                   const void *x, void *y)
{
    run(place, dtype == SIGAD_F32 ? gather_f32 : gather_f64, (job){shape, index, (void *)x, y});
}

void sg_cpu_gather_add(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                       const void *x, void *y)
{
    run(place, SG_BY_DTYPE(dtype, gather_add), (job){shape, index, (void *)x, y});
}

size_t sg_cpu_scatter_workspace(int64_t count)
{
    (void)count;
    return 0;
}

void sg_cpu_scatter_add(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                        const void *y, void *x, void *workspace)
{
    (void)workspace;
    run(place, SG_BY_DTYPE(dtype, scatter_add), (job){shape, index, x, (void *)y});
}

void sg_cpu_one_hot(sg_place *place, int64_t count, int64_t size, const int64_t *index,
                    int32_t dtype, void *y)
{
    (void)place;
    if (dtype == SIGAD_F64)
        one_hot_f64(count, size, index, y);
    else
        one_hot_f32(count, size, index, y);
}

/* CPU kernels of gather: x [outer, size, inner], index [count], y [outer, count, inner]. */
#ifndef SG_CPU_GATHER_H
#define SG_CPU_GATHER_H
#include "ops/place.h"
#include <stddef.h>

typedef struct {
    int64_t outer, size, inner, count;
} sg_gather_shape;

/* The position of the first index outside 0 .. size - 1, or -1. On a device: -1, and one is noted
 * in the place; kernels with such an index take 0 for it, or leave it out where they add. */
int64_t sg_cpu_check_index(sg_place *place, sg_origin origin, int64_t count, int64_t size,
                           const int64_t *index);
/* y = x at the index, for any dtype; y += x at the index; x at the index += y, in the order of y,
 * with workspace for `count` indexes. */
void sg_cpu_gather(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                   const void *x, void *y);
void sg_cpu_gather_add(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                       const void *x, void *y);
void sg_cpu_scatter_add(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                        const void *y, void *x, void *workspace);
size_t sg_cpu_scatter_workspace(int64_t count);
/* y [count, size] = 1 at the index, else 0. */
void sg_cpu_one_hot(sg_place *place, int64_t count, int64_t size, const int64_t *index,
                    int32_t dtype, void *y);
#endif

/* CPU kernels of max, min, argmax and argmin over the middle axis of [outer, n, inner]. */
#ifndef SG_CPU_EXTREME_H
#define SG_CPU_EXTREME_H
#include "ops/place.h"
#include "ops/split.h"
#include <stdbool.h>

/* index [outer, inner]: where the largest (or smallest) entry is; the first of equal ones, and the
 * first NaN if there is any. n > 0. */
void sg_cpu_extreme(sg_place *place, int32_t dtype, sg_split split, bool largest, const void *x,
                    int64_t *index);
/* y = x at the index, or y += with `add`. */
void sg_cpu_pick(sg_place *place, int32_t dtype, sg_split split, const int64_t *index,
                 const void *x, void *y, bool add);
/* x at the index += y. */
void sg_cpu_put(sg_place *place, int32_t dtype, sg_split split, const int64_t *index, const void *y,
                void *x);
#endif

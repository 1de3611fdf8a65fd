/* CPU kernel of running sums over the middle axis of [outer, n, inner]. */
#ifndef SG_CPU_CUMSUM_H
#define SG_CPU_CUMSUM_H
#include "ops/place.h"
#include "ops/split.h"
#include <stdbool.h>

/* y = x_0 + .. + x_k at position k, or with `backwards` x_k + .. + x_n-1; y += with `add`. Running
 * totals of one row each in workspace, [outer, inner]. */
void sg_cpu_cumsum(sg_place *place, int32_t dtype, sg_split split, bool backwards, const void *x,
                   void *y, bool add, void *workspace);
#endif

/* Sums over any set of axes, in an order that is fixed by the shape: runs of a few hundred entries,
 * put together pairwise (Higham, "The accuracy of floating point summation", SIAM J. Sci. Comput.
 * 14, 1993), so that the rounding error grows with the logarithm of the count. */
#ifndef SG_CPU_SUM_H
#define SG_CPU_SUM_H
#include "ops/place.h"
#include "sigad/op.h"
#include <stdbool.h>

typedef struct {
    int64_t outputs, kept; /* entries of the result; product of kept axes but an innermost one */
    int64_t columns;       /* the innermost axis if it is kept, else 1 */
    int64_t run, pieces; /* the innermost axis if it is summed, else 1; pieces a run is cut into */
    int64_t units;       /* pieces to add up for one result (or column) */
    int64_t tiles, tile; /* columns in groups of `tile` */
    int64_t chunks, units_per_chunk; /* of long sums, which go to several threads */
    int kept_axes, summed_axes;      /* the axes but the innermost, merged */
    int64_t kept_size[SIGAD_MAX_RANK], kept_stride[SIGAD_MAX_RANK];
    int64_t summed_size[SIGAD_MAX_RANK], summed_stride[SIGAD_MAX_RANK];
} sg_sum;

/* Bit i of `summed` says that axis i of the array is summed. */
void sg_sum_plan(sg_sum *plan, int rank, const int64_t *shape, unsigned summed);
/* Sums an array of y's shape down to the shape of an operand x that broadcasts to it. */
void sg_sum_plan_unbroadcast(sg_sum *plan, const sigad_array *y, const sigad_array *x);
size_t sg_sum_workspace(const sg_sum *plan, int32_t dtype);

/* y = sum(x) / divisor, or y += with `add`; an empty sum is 0. */
void sg_cpu_sum(sg_place *place, const sg_sum *plan, int32_t dtype, const void *x, double divisor,
                void *y, bool add, void *workspace);
#endif

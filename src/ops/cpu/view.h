/* CPU kernels that move entries: y is x rearranged. */
#ifndef SG_CPU_VIEW_H
#define SG_CPU_VIEW_H
#include "ops/place.h"
#include "sigad/op.h"
#include <stdbool.h>

/* A box of entries and where they stand in y and in x; strides in entries, negative or 0 allowed.
 */
typedef struct {
    int rank;
    int64_t shape[SIGAD_MAX_RANK];
    int64_t y_offset, y_stride[SIGAD_MAX_RANK];
    int64_t x_offset, x_stride[SIGAD_MAX_RANK];
} sg_view;

/* The same with x and y exchanged. */
sg_view sg_view_back(const sg_view *view);

/* y = x, for any dtype. */
void sg_cpu_copy(sg_place *place, int32_t dtype, const sg_view *view, const void *x, void *y);
/* y += factor * x, or y = factor * x if y is fresh; no entry of y may stand in the box twice. */
void sg_cpu_add_scaled(sg_place *place, int32_t dtype, const sg_view *view, double factor,
                       const void *x, void *y, bool fresh);
#endif

/* Operations that rearrange: an operation says where the entries of an input stand in y, and the
 * rest follows. All are linear. */
#ifndef SG_VIEW_H
#define SG_VIEW_H
#include "ops/cpu/view.h"

/* Where the entries of an input stand; no entry of x or y twice. */
typedef void (*sg_view_of)(const sigad_op_call *call, int input, sg_view *view);

/* Each input's entries copied to y, added back from y_cotangent, and added to y_tangent. The
 * operation's flags hold SG_OP_FRESH. */
sigad_status sg_view_fwd(sigad_op_call *call, sg_view_of view_of);
sigad_status sg_view_vjp(sigad_op_call *call, sg_view_of view_of);
sigad_status sg_view_jvp(sigad_op_call *call, sg_view_of view_of);

/* `rows` rows of `width` contiguous entries, whose starts lie y_stride and x_stride apart. */
void sg_view_rows(sg_view *view, int64_t rows, int64_t width, int64_t y_offset, int64_t y_stride,
                  int64_t x_offset, int64_t x_stride);
#endif

#include "ops/view.h"
#include "ops/shape.h"

sigad_status sg_view_fwd(sigad_op_call *call, sg_view_of view_of)
{
    for (int i = 0; i < call->n; i++) {
        sg_view view;
        view_of(call, i, &view);
        SG_RUN(call, copy, call->y->dtype, &view, call->x[i].data, call->y->data);
    }
    return SIGAD_OK;
}

sigad_status sg_view_vjp(sigad_op_call *call, sg_view_of view_of)
{
    for (int i = 0; i < call->n; i++) {
        sg_view view, back;
        if (!call->x_cotangent[i].data) continue;
        view_of(call, i, &view);
        back = sg_view_back(&view);
        const sigad_array *out = &call->x_cotangent[i];
        bool fresh = sg_call_fresh(call, i);
        if (fresh && sg_product(view.rank, view.shape) != out->elements) {
            SG_RUN(call, clear, out->data, sg_array_bytes(out));
            fresh = false;
        }
        SG_RUN(call, add_scaled, call->y->dtype, &back, 1.0, call->y_cotangent->data, out->data,
               fresh);
    }
    return SIGAD_OK;
}

sigad_status sg_view_jvp(sigad_op_call *call, sg_view_of view_of)
{
    for (int i = 0; i < call->n; i++) {
        sg_view view;
        if (!call->x_tangent[i].data) continue;
        view_of(call, i, &view);
        SG_RUN(call, add_scaled, call->y->dtype, &view, 1.0, call->x_tangent[i].data,
               call->y_tangent->data, false);
    }
    return SIGAD_OK;
}

void sg_view_rows(sg_view *view, int64_t rows, int64_t width, int64_t y_offset, int64_t y_stride,
                  int64_t x_offset, int64_t x_stride)
{
    *view = (sg_view){.rank = 2,
                      .shape = {rows, width},
                      .y_offset = y_offset,
                      .y_stride = {y_stride, 1},
                      .x_offset = x_offset,
                      .x_stride = {x_stride, 1}};
}

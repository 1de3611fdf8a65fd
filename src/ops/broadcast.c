/* x repeated along axes that it lacks, or where it has size 1; cotangents are summed over those. */
#include "ops/shape.h"
#include "ops/unbroadcast.h"

typedef struct {
    int32_t rank;
    bool has_shape;
    int64_t shape[SIGAD_MAX_RANK];
} attributes;

static bool fits(const sigad_array *x, const attributes *given)
{
    if (x->rank > given->rank) return false;
    for (int i = 0; i < x->rank; i++) {
        int64_t size = given->shape[i + given->rank - x->rank];
        if (x->shape[i] != 1 && x->shape[i] != size) return false;
    }
    return true;
}

static sigad_status infer(sigad_op_call *call)
{
    char from[SG_SHAPE_TEXT], to[SG_SHAPE_TEXT];
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    sigad_status status =
        sg_need_sizes(call, given->rank, given->has_shape ? given->shape : NULL, 0);
    if (!status) status = sg_infer_as(call, x->dtype, given->rank, given->shape);
    if (status) return status;
    if (!fits(x, given))
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s does not broadcast to %s: sizes of an axis, counted from the "
                             "last, must be equal, or 1 in the operand",
                             sg_shape_text(x, from), sg_shape_text(call->y, to));
    if (sg_is_floating(x->dtype))
        call->workspace_bytes[SIGAD_VJP] = sg_unbroadcast_workspace(call->y, x);
    return SIGAD_OK;
}

static void repeat(const sigad_op_call *call, sg_view *view)
{
    const sigad_array *x = &call->x[0], *y = call->y;
    int64_t x_step = 1, y_step = 1;
    *view = (sg_view){.rank = y->rank};
    for (int i = y->rank - 1, k = x->rank - 1; i >= 0; i--, k--) {
        int64_t size = k >= 0 ? x->shape[k] : 1;
        view->shape[i] = y->shape[i];
        view->y_stride[i] = y_step;
        view->x_stride[i] = size == 1 ? 0 : x_step;
        y_step *= y->shape[i];
        x_step *= size;
    }
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_view view;
    repeat(call, &view);
    SG_RUN(call, copy, call->y->dtype, &view, call->x[0].data, call->y->data);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    if (call->x_cotangent[0].data)
        sg_add_unbroadcast_array(call, &call->x_cotangent[0], call->y_cotangent->data,
                                 sg_call_fresh(call, 0));
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_view view;
    if (!call->x_tangent[0].data) return SIGAD_OK;
    repeat(call, &view);
    SG_RUN(call, add_scaled, call->y->dtype, &view, 1.0, call->x_tangent[0].data,
           call->y_tangent->data, false);
    return SIGAD_OK;
}

static const sigad_op op_broadcast = {SIGAD_OP_INIT, .name = "broadcast",
                                      .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = infer,
                                      SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_broadcast(sigad_tape *tape, sigad_tensor x, int rank, const int64_t *shape)
{
    attributes given = {.rank = rank, .has_shape = shape != NULL};
    for (int i = 0; shape && i < rank && i < SIGAD_MAX_RANK; i++) given.shape[i] = shape[i];
    return sigad_apply(tape, &op_broadcast, 1, &x, &given, sizeof given);
}

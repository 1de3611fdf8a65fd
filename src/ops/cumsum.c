/* Running sums: y_k = x_0 + .. + x_k along an axis. The cotangents run the other way. */
#include "ops/shape.h"

typedef struct {
    int32_t axis;
} attributes;

static sg_split split_of(const sigad_op_call *call)
{
    int axis = SG_ATTRIBUTES(attributes, call)->axis;
    return sg_split_at(&call->x[0], axis < 0 ? axis + call->x[0].rank : axis);
}

static sigad_status infer(sigad_op_call *call)
{
    int axis;
    sigad_status status = sg_need_floats(call, 1);
    if (!status)
        status = sg_need_axis(call, &call->x[0], SG_ATTRIBUTES(attributes, call)->axis, &axis);
    if (!status) status = sg_infer_like(call, &call->x[0]);
    if (status) return status;
    sg_split split = split_of(call);
    size_t rows = call->y->elements ? (size_t)(split.outer * split.inner) : 0;
    size_t bytes = rows * sg_dtype_bytes(call->y->dtype);
    for (int which = SIGAD_FWD; which <= SIGAD_JVP; which++) call->workspace_bytes[which] = bytes;
    return SIGAD_OK;
}

static sigad_status run(const sigad_op_call *call, bool backwards, const void *x, void *y, bool add)
{
    if (x && y && call->y->elements)
        SG_RUN(call, cumsum, call->y->dtype, split_of(call), backwards, x, y, add, call->workspace);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    return run(call, false, call->x[0].data, call->y->data, false);
}

static sigad_status vjp(sigad_op_call *call)
{
    return run(call, true, call->y_cotangent->data, call->x_cotangent[0].data, true);
}

static sigad_status jvp(sigad_op_call *call)
{
    return run(call, false, call->x_tangent[0].data, call->y_tangent->data, true);
}

static const sigad_op op_cumsum = {SIGAD_OP_INIT, .name = "cumsum", .flags = SIGAD_OP_LINEAR,
                                   .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_cumsum(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {axis};
    return sigad_apply(tape, &op_cumsum, 1, &x, &given, sizeof given);
}

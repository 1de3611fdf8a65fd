/* An axis in reverse order. */
#include "ops/shape.h"
#include "ops/view.h"

typedef struct {
    int32_t axis;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    int axis;
    sigad_status status =
        sg_need_axis(call, &call->x[0], SG_ATTRIBUTES(attributes, call)->axis, &axis);
    return status ? status : sg_infer_like(call, &call->x[0]);
}

static void reversed(const sigad_op_call *call, int input, sg_view *view)
{
    const sigad_array *x = &call->x[input];
    int axis = SG_ATTRIBUTES(attributes, call)->axis;
    sg_split split = sg_split_at(x, axis < 0 ? axis + x->rank : axis);
    *view = (sg_view){.rank = 3,
                      .shape = {split.outer, split.n, split.inner},
                      .y_stride = {split.n * split.inner, split.inner, 1},
                      .x_offset = split.n > 0 ? (split.n - 1) * split.inner : 0,
                      .x_stride = {split.n * split.inner, -split.inner, 1}};
}

static sigad_status fwd(sigad_op_call *call)
{
    return sg_view_fwd(call, reversed);
}

static sigad_status vjp(sigad_op_call *call)
{
    return sg_view_vjp(call, reversed);
}

static sigad_status jvp(sigad_op_call *call)
{
    return sg_view_jvp(call, reversed);
}

static const sigad_op op_flip = {SIGAD_OP_INIT, .name = "flip",
                                 .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = infer,
                                 SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_flip(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {axis};
    return sigad_apply(tape, &op_flip, 1, &x, &given, sizeof given);
}

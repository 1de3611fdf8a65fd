/* An axis made longer at both ends by entries of one value. */
#include "ops/shape.h"
#include "ops/view.h"

typedef struct {
    int32_t axis;
    int64_t before, after;
    double value;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    int64_t size;
    int axis;
    sigad_status status = sg_need_floats(call, 1);
    if (!status) status = sg_need_axis(call, x, given->axis, &axis);
    if (status) return status;
    sg_shape_text(x, text);
    if (given->before < 0 || given->after < 0)
        return sigad_op_fail(call, SIGAD_EINVAL,
                             "%s: %lld entries before and %lld after: at least 0 "
                             "are needed",
                             text, (long long)given->before, (long long)given->after);
    if (!sg_add(x->shape[axis], given->before, &size) || !sg_add(size, given->after, &size))
        return sigad_op_fail(call, SIGAD_ERANGE, "%s: the new size overflows", text);
    return sg_infer_resized(call, x, axis, size);
}

static void inside(const sigad_op_call *call, int input, sg_view *view)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[input];
    sg_split split = sg_split_at(x, given->axis < 0 ? given->axis + x->rank : given->axis);
    int64_t width = split.n * split.inner;
    sg_view_rows(view, split.outer, width, given->before * split.inner,
                 width + (given->before + given->after) * split.inner, 0, width);
}

static sigad_status fwd(sigad_op_call *call)
{
    SG_RUN(call, fill, call->y->dtype, call->y->elements, SG_ATTRIBUTES(attributes, call)->value,
           call->y->data);
    return sg_view_fwd(call, inside);
}

static sigad_status vjp(sigad_op_call *call)
{
    return sg_view_vjp(call, inside);
}

static sigad_status jvp(sigad_op_call *call)
{
    return sg_view_jvp(call, inside);
}

static const sigad_op op_pad = {SIGAD_OP_INIT, .name = "pad",
                                .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = infer,
                                SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_pad(sigad_tape *tape, sigad_tensor x, int axis, int64_t before, int64_t after,
                       double value)
{
    const attributes given = {axis, before, after, value};
    return sigad_apply(tape, &op_pad, 1, &x, &given, sizeof given);
}

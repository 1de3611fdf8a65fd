/* Entries start .. stop - 1 of an axis. */
#include "ops/shape.h"
#include "ops/view.h"

typedef struct {
    int32_t axis;
    int64_t start, stop;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    int axis;
    sigad_status status = sg_need_axis(call, x, given->axis, &axis);
    if (status) return status;
    if (given->start < 0 || given->start > given->stop || given->stop > x->shape[axis])
        return sigad_op_fail(call, SIGAD_ERANGE,
                             "%s: start %lld and stop %lld must be in order and 0 .. %lld, the "
                             "size of axis %d",
                             sg_shape_text(x, text), (long long)given->start,
                             (long long)given->stop, (long long)x->shape[axis], axis);
    return sg_infer_resized(call, x, axis, given->stop - given->start);
}

static void cut_out(const sigad_op_call *call, int input, sg_view *view)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[input];
    sg_split split = sg_split_at(x, given->axis < 0 ? given->axis + x->rank : given->axis);
    int64_t width = (given->stop - given->start) * split.inner;
    sg_view_rows(view, split.outer, width, 0, width, given->start * split.inner,
                 split.n * split.inner);
}

static sigad_status fwd(sigad_op_call *call)
{
    return sg_view_fwd(call, cut_out);
}

static sigad_status vjp(sigad_op_call *call)
{
    return sg_view_vjp(call, cut_out);
}

static sigad_status jvp(sigad_op_call *call)
{
    return sg_view_jvp(call, cut_out);
}

static const sigad_op op_slice = {SIGAD_OP_INIT, .name = "slice",
                                  .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = infer,
                                  SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_slice(sigad_tape *tape, sigad_tensor x, int axis, int64_t start, int64_t stop)
{
    const attributes given = {axis, start, stop};
    return sigad_apply(tape, &op_slice, 1, &x, &given, sizeof given);
}

/* Axes in another order: permute and transpose. */
#include "ops/shape.h"
#include "ops/view.h"

typedef struct {
    int32_t rank; /* of permute: how many axes are given */
    int32_t exchange;
    int32_t axis[SIGAD_MAX_RANK]; /* of transpose: the two to exchange */
} attributes;

static sigad_status need_permutation(const sigad_op_call *call, int count, const int *axis)
{
    char text[SG_SHAPE_TEXT];
    const sigad_array *x = &call->x[0];
    unsigned seen = 0;
    if (count != x->rank)
        return sigad_op_fail(call, SIGAD_EINVAL, "%s: %d axes are given, its %d are needed",
                             sg_shape_text(x, text), count, x->rank);
    for (int i = 0; i < count; i++) {
        if (seen >> axis[i] & 1)
            return sigad_op_fail(call, SIGAD_EINVAL, "%s: axis %d is given twice",
                                 sg_shape_text(x, text), axis[i]);
        seen |= 1u << axis[i];
    }
    return SIGAD_OK;
}

/* order[i] is the axis of x that axis i of y is. */
static sigad_status order_of(const sigad_op_call *call, int *order)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    int count = given->exchange ? 2 : given->rank, axis[SIGAD_MAX_RANK];
    for (int i = 0; i < count && i < SIGAD_MAX_RANK; i++) {
        sigad_status status = sg_need_axis(call, x, given->axis[i], &axis[i]);
        if (status) return status;
    }
    for (int i = 0; i < x->rank; i++) order[i] = i;
    if (given->exchange) {
        order[axis[0]] = axis[1];
        order[axis[1]] = axis[0];
        return SIGAD_OK;
    }
    sigad_status status = need_permutation(call, count, axis);
    for (int i = 0; i < x->rank && !status; i++) order[i] = axis[i];
    return status;
}

static sigad_status infer(sigad_op_call *call)
{
    int order[SIGAD_MAX_RANK];
    int64_t shape[SIGAD_MAX_RANK];
    const sigad_array *x = &call->x[0];
    sigad_status status = order_of(call, order);
    if (status) return status;
    for (int i = 0; i < x->rank; i++) shape[i] = x->shape[order[i]];
    return sg_infer_as(call, x->dtype, x->rank, shape);
}

static void rearranged(const sigad_op_call *call, int input, sg_view *view)
{
    const sigad_array *x = &call->x[input], *y = call->y;
    int order[SIGAD_MAX_RANK];
    int64_t step = 1;
    order_of(call, order);
    *view = (sg_view){.rank = y->rank};
    for (int i = y->rank - 1; i >= 0; step *= y->shape[i--]) {
        view->shape[i] = y->shape[i];
        view->y_stride[i] = step;
        view->x_stride[i] = sg_product(x->rank - order[i] - 1, x->shape + order[i] + 1);
    }
}

static sigad_status fwd(sigad_op_call *call)
{
    return sg_view_fwd(call, rearranged);
}

static sigad_status vjp(sigad_op_call *call)
{
    return sg_view_vjp(call, rearranged);
}

static sigad_status jvp(sigad_op_call *call)
{
    return sg_view_jvp(call, rearranged);
}

#define TABLE(op_name)                                                                          \
    {                                                                                           \
        SIGAD_OP_INIT, .name = op_name, .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = infer, \
                       SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)                                   \
    }
static const sigad_op op_permute = TABLE("permute"), op_transpose = TABLE("transpose");

sigad_tensor sigad_permute(sigad_tape *tape, sigad_tensor x, int rank, const int *axes)
{
    attributes given = {.rank = axes ? rank : 0};
    for (int i = 0; i < given.rank && i < SIGAD_MAX_RANK; i++) given.axis[i] = axes[i];
    return sigad_apply(tape, &op_permute, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_transpose(sigad_tape *tape, sigad_tensor x, int axis_a, int axis_b)
{
    const attributes given = {.exchange = 1, .axis = {axis_a, axis_b}};
    return sigad_apply(tape, &op_transpose, 1, &x, &given, sizeof given);
}

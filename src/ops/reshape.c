/* The same entries in another shape: reshape, squeeze, unsqueeze. */
#include "ops/shape.h"
#include "ops/view.h"

typedef struct {
    int32_t rank; /* of reshape */
    int32_t axis; /* of squeeze and unsqueeze */
    bool has_shape;
    int64_t shape[SIGAD_MAX_RANK];
} attributes;

/* Fills in the size that is given as -1. */
static sigad_status solve(const sigad_op_call *call, int rank, int64_t *shape)
{
    char text[SG_SHAPE_TEXT];
    const sigad_array *x = &call->x[0];
    int64_t known = 1;
    int open = -1;
    for (int i = 0; i < rank; i++) {
        if (shape[i] == -1 && open >= 0)
            return sigad_op_fail(
                call, SIGAD_EINVAL,
                "%s: sizes of axes %d and %d are -1: only one size may be left open",
                sg_shape_text(x, text), open, i);
        if (shape[i] == -1)
            open = i;
        else if (!sg_multiply(known, shape[i], &known))
            return sigad_op_fail(call, SIGAD_ERANGE, "%s: the new size overflows",
                                 sg_shape_text(x, text));
    }
    if (open < 0) return SIGAD_OK;
    if (known == 0 || x->elements % known)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s: its %lld entries do not divide by %lld, the product of the sizes "
                             "given, to find the size left open",
                             sg_shape_text(x, text), (long long)x->elements, (long long)known);
    shape[open] = x->elements / known;
    return SIGAD_OK;
}

static sigad_status infer_reshape(sigad_op_call *call)
{
    char from[SG_SHAPE_TEXT], to[SG_SHAPE_TEXT];
    attributes given = *SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    sigad_status status = sg_need_sizes(call, given.rank, given.has_shape ? given.shape : NULL, -1);
    if (!status) status = solve(call, given.rank, given.shape);
    if (!status) status = sg_infer_as(call, x->dtype, given.rank, given.shape);
    if (status || call->y->elements == x->elements) return status;
    return sigad_op_fail(call, SIGAD_ESHAPE, "%s to %s: they have %lld and %lld entries",
                         sg_shape_text(x, from), sg_shape_text(call->y, to), (long long)x->elements,
                         (long long)call->y->elements);
}

static sigad_status infer_squeeze(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    const sigad_array *x = &call->x[0];
    int axis;
    sigad_status status = sg_need_axis(call, x, SG_ATTRIBUTES(attributes, call)->axis, &axis);
    if (status) return status;
    if (x->shape[axis] != 1)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s: axis %d has size %lld, only size 1 is dropped",
                             sg_shape_text(x, text), axis, (long long)x->shape[axis]);
    return sg_infer_reduced(call, x, axis, 0, x->dtype);
}

static sigad_status infer_unsqueeze(sigad_op_call *call)
{
    int axis;
    sigad_status status = sg_need_new_axis(call, SG_ATTRIBUTES(attributes, call)->axis, &axis);
    if (status) return status;
    return sg_infer_with_axis(call, &call->x[0], axis, 1);
}

static void in_place(const sigad_op_call *call, int input, sg_view *view)
{
    sg_view_rows(view, 1, call->x[input].elements, 0, 0, 0, 0);
}

static sigad_status fwd(sigad_op_call *call)
{
    return sg_view_fwd(call, in_place);
}

static sigad_status vjp(sigad_op_call *call)
{
    return sg_view_vjp(call, in_place);
}

static sigad_status jvp(sigad_op_call *call)
{
    return sg_view_jvp(call, in_place);
}

#define TABLE(op_name, op_infer)                                                          \
    {                                                                                     \
        SIGAD_OP_INIT, .name = op_name,                                                   \
                       .flags = SIGAD_OP_LINEAR | SG_OP_ALIAS | SG_OP_FRESH | SG_OP_PASS, \
                       .infer = op_infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)          \
    }
static const sigad_op op_reshape = TABLE("reshape", infer_reshape);
static const sigad_op op_squeeze = TABLE("squeeze", infer_squeeze);
static const sigad_op op_unsqueeze = TABLE("unsqueeze", infer_unsqueeze);

sigad_tensor sigad_reshape(sigad_tape *tape, sigad_tensor x, int rank, const int64_t *shape)
{
    attributes given = {.rank = rank, .has_shape = shape != NULL};
    for (int i = 0; shape && i < rank && i < SIGAD_MAX_RANK; i++) given.shape[i] = shape[i];
    return sigad_apply(tape, &op_reshape, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_squeeze(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {.axis = axis};
    return sigad_apply(tape, &op_squeeze, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_unsqueeze(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {.axis = axis};
    return sigad_apply(tape, &op_unsqueeze, 1, &x, &given, sizeof given);
}

/* Tensors one after the other: along an axis they have (concat), or along a new one (stack). */
#include "ops/shape.h"
#include "ops/view.h"

typedef struct {
    int32_t axis;
} attributes;

/* All inputs have x[0]'s dtype, rank and sizes, except perhaps along `but`. */
static sigad_status need_alike(const sigad_op_call *call, int but)
{
    char first[SG_SHAPE_TEXT], text[SG_SHAPE_TEXT];
    if (call->n < 1)
        return sigad_op_fail(call, SIGAD_EINVAL, "%d tensors: at least 1 is needed", call->n);
    sigad_status status = sg_need_same_dtype(call, call->n);
    for (int k = 1; k < call->n && !status; k++) {
        const sigad_array *x = call->x;
        bool alike = x[k].rank == x[0].rank;
        for (int i = 0; i < x[0].rank && alike; i++)
            alike = i == but || x[k].shape[i] == x[0].shape[i];
        if (!alike)
            return sigad_op_fail(call, SIGAD_ESHAPE,
                                 "%s and %s (operand %d): sizes must be equal%s",
                                 sg_shape_text(&x[0], first), sg_shape_text(&x[k], text), k,
                                 but < 0 ? "" : " on all other axes");
    }
    return status;
}

static sigad_status infer_concat(sigad_op_call *call)
{
    int64_t size = 0;
    int axis = -1;
    sigad_status status =
        call->n < 1 ? SIGAD_OK
                    : sg_need_axis(call, &call->x[0], SG_ATTRIBUTES(attributes, call)->axis, &axis);
    if (!status) status = need_alike(call, axis);
    for (int k = 0; k < call->n && !status; k++)
        if (!sg_add(size, call->x[k].shape[axis], &size))
            return sigad_op_fail(call, SIGAD_ERANGE, "the new size overflows");
    return status ? status : sg_infer_resized(call, &call->x[0], axis, size);
}

static sigad_status infer_stack(sigad_op_call *call)
{
    int axis = 0;
    sigad_status status = need_alike(call, -1);
    if (!status) status = sg_need_new_axis(call, SG_ATTRIBUTES(attributes, call)->axis, &axis);
    return status ? status : sg_infer_with_axis(call, &call->x[0], axis, call->n);
}

/* Rows of y, each made of one row of every input; an input's row has its entries from the axis on.
 */
static void one_of_many(const sigad_op_call *call, int input, sg_view *view)
{
    int axis = SG_ATTRIBUTES(attributes, call)->axis;
    if (axis < 0) axis += call->y->rank;
    int64_t rows = sg_product(axis, call->y->shape), width = 0, before = 0, all = 0;
    for (int k = 0; k < call->n; k++) {
        width = rows ? call->x[k].elements / rows : 0;
        if (k < input) before += width;
        all += width;
    }
    width = rows ? call->x[input].elements / rows : 0;
    sg_view_rows(view, rows, width, before, all, 0, width);
}

static sigad_status fwd(sigad_op_call *call)
{
    return sg_view_fwd(call, one_of_many);
}

static sigad_status vjp(sigad_op_call *call)
{
    return sg_view_vjp(call, one_of_many);
}

static sigad_status jvp(sigad_op_call *call)
{
    return sg_view_jvp(call, one_of_many);
}

#define TABLE(op_name, op_infer)                                                                   \
    {                                                                                              \
        SIGAD_OP_INIT, .name = op_name, .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = op_infer, \
                       SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)                                      \
    }
static const sigad_op op_concat = TABLE("concat", infer_concat);
static const sigad_op op_stack = TABLE("stack", infer_stack);

sigad_tensor sigad_concat(sigad_tape *tape, int n, const sigad_tensor *x, int axis)
{
    const attributes given = {axis};
    return sigad_apply(tape, &op_concat, n, x, &given, sizeof given);
}

sigad_tensor sigad_stack(sigad_tape *tape, int n, const sigad_tensor *x, int axis)
{
    const attributes given = {axis};
    return sigad_apply(tape, &op_stack, n, x, &given, sizeof given);
}

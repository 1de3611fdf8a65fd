/* Largest and smallest entries and where they are. max and min keep the positions: the derivative
 * is 1 there, and 0 elsewhere. */
#include "ops/along.h"

typedef struct {
    sg_along along;
    int32_t largest;
} attributes;

static sigad_status infer_value(sigad_op_call *call)
{
    sigad_status status = sg_infer_along_some(call, call->x[0].dtype);
    call->saved_bytes = (size_t)call->y->elements * sizeof(int64_t);
    return status;
}

static sigad_status infer_place(sigad_op_call *call)
{
    return sg_infer_along_some(call, SIGAD_I64);
}

static void find(const sigad_op_call *call, int64_t *index)
{
    SG_RUN(call, extreme, call->x[0].dtype, sg_along_split(call),
           SG_ATTRIBUTES(attributes, call)->largest, call->x[0].data, index);
}

static sigad_status fwd_value(sigad_op_call *call)
{
    find(call, call->saved);
    SG_RUN(call, pick, call->y->dtype, sg_along_split(call), call->saved, call->x[0].data,
           call->y->data, false);
    return SIGAD_OK;
}

static sigad_status fwd_place(sigad_op_call *call)
{
    find(call, call->y->data);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    if (call->x_cotangent[0].data)
        SG_RUN(call, put, call->y->dtype, sg_along_split(call), call->saved,
               call->y_cotangent->data, call->x_cotangent[0].data);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    if (call->x_tangent[0].data)
        SG_RUN(call, pick, call->y->dtype, sg_along_split(call), call->saved,
               call->x_tangent[0].data, call->y_tangent->data, true);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    (void)call;
    return SIGAD_OK;
}

#define VALUE(op_name)                                             \
    {                                                              \
        SIGAD_OP_INIT, .name = op_name, .infer = infer_value,      \
                       SG_ON_EACH_DEVICE(fwd_value, vjp, jvp, soc) \
    }
#define PLACE(op_name)                                                \
    {                                                                 \
        SIGAD_OP_INIT, .name = op_name, .infer = infer_place,         \
                       SG_ON_EACH_DEVICE(fwd_place, NULL, NULL, NULL) \
    }
static const sigad_op op_max = VALUE("max"), op_min = VALUE("min");
static const sigad_op op_argmax = PLACE("argmax"), op_argmin = PLACE("argmin");

sigad_tensor sigad_max(sigad_tape *tape, sigad_tensor x, int axis, int keep)
{
    const attributes given = {{axis, keep}, 1};
    return sigad_apply(tape, &op_max, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_min(sigad_tape *tape, sigad_tensor x, int axis, int keep)
{
    const attributes given = {{axis, keep}, 0};
    return sigad_apply(tape, &op_min, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_argmax(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {{axis, 0}, 1};
    return sigad_apply(tape, &op_argmax, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_argmin(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {{axis, 0}, 0};
    return sigad_apply(tape, &op_argmin, 1, &x, &given, sizeof given);
}

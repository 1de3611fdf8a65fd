/* Dropout (Srivastava et al., J. Mach. Learn. Res. 15, 2014), scaled while training. The node keeps
 * the key of its draw, so that derivatives drop what the forward call dropped. */
#include "ops/shape.h"

typedef struct {
    double rate;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    double rate = SG_ATTRIBUTES(attributes, call)->rate;
    sigad_status status = sg_need_floats(call, 1);
    if (status) return status;
    if (!(rate >= 0 && rate < 1))
        return sigad_op_fail(call, SIGAD_EINVAL, "%s: rate %g must be at least 0 and less than 1",
                             sg_shape_text(&call->x[0], text), rate);
    call->saved_bytes = sizeof(uint64_t);
    return sg_infer_like(call, &call->x[0]);
}

static void drop(const sigad_op_call *call, const sigad_array *x, const sigad_array *y, bool add)
{
    if (x->data)
        SG_RUN(call, dropout, call->saved, SG_ATTRIBUTES(attributes, call)->rate, y->elements,
               y->dtype, x->data, y->data, add);
}

static sigad_status fwd(sigad_op_call *call)
{
    SG_RUN(call, set_key, sg_call_random_key(call), call->saved);
    drop(call, &call->x[0], call->y, false);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    if (call->x_cotangent[0].data) drop(call, call->y_cotangent, &call->x_cotangent[0], true);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    drop(call, &call->x_tangent[0], call->y_tangent, true);
    return SIGAD_OK;
}

static const sigad_op op_dropout = {SIGAD_OP_INIT, .name = "dropout", .flags = SIGAD_OP_LINEAR,
                                    .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

/* The identity in evaluation and at rate 0; a bad argument is refused there all the same. */
sigad_tensor sigad_dropout(sigad_tape *tape, sigad_tensor x, double rate)
{
    sigad_array value;
    const attributes given = {rate};
    bool identity =
        sg_tape_ready(tape) && (rate == 0 || (tape->evaluating && rate > 0 && rate < 1));
    if (!identity) return sigad_apply(tape, &op_dropout, 1, &x, &given, sizeof given);
    if (!sg_tape_resolve(tape, op_dropout.name, x, &value)) return (sigad_tensor){0, 0};
    return sg_is_floating(value.dtype)
               ? x
               : sigad_apply(tape, &op_dropout, 1, &x, &given, sizeof given);
}

/* y = exp(x) / sum(exp(x)) and its logarithm, along one axis. Derivatives: ops/cpu/softmax.inc. */
#include "ops/shape.h"

typedef struct {
    int32_t axis;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    int axis;
    sigad_status status = sg_need_floats(call, 1);
    if (!status)
        status = sg_need_axis(call, &call->x[0], SG_ATTRIBUTES(attributes, call)->axis, &axis);
    return status ? status : sg_infer_like(call, &call->x[0]);
}

static sigad_status run(const sigad_op_call *call, sg_softmax_kernel kernel, const void *a,
                        const void *b, const void *c, void *out)
{
    const sigad_array *x = &call->x[0];
    int axis = SG_ATTRIBUTES(attributes, call)->axis;
    sg_split split = sg_split_at(x, axis < 0 ? axis + x->rank : axis);
    if (out) SG_RUN(call, softmax, kernel, x->dtype, &split, a, b, c, out);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    return run(call, SG_SOFTMAX_VALUE, call->x[0].data, NULL, NULL, call->y->data);
}

static sigad_status vjp(sigad_op_call *call)
{
    return run(call, SG_SOFTMAX_FIRST, call->y->data, call->y_cotangent->data, NULL,
               call->x_cotangent[0].data);
}

static sigad_status jvp(sigad_op_call *call)
{
    const void *u = call->x_tangent[0].data;
    return u ? run(call, SG_SOFTMAX_FIRST, call->y->data, u, NULL, call->y_tangent->data)
             : SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    const void *u = call->x_tangent[0].data;
    return u ? run(call, SG_SOFTMAX_SECOND, call->y->data, call->y_cotangent->data, u,
                   call->x_cotangent_tangent[0].data)
             : SIGAD_OK;
}

static sigad_status fwd_log(sigad_op_call *call)
{
    return run(call, SG_LOG_SOFTMAX_VALUE, call->x[0].data, NULL, NULL, call->y->data);
}

static sigad_status vjp_log(sigad_op_call *call)
{
    return run(call, SG_LOG_SOFTMAX_VJP, call->y->data, call->y_cotangent->data, NULL,
               call->x_cotangent[0].data);
}

static sigad_status jvp_log(sigad_op_call *call)
{
    const void *u = call->x_tangent[0].data;
    return u ? run(call, SG_LOG_SOFTMAX_JVP, call->y->data, u, NULL, call->y_tangent->data)
             : SIGAD_OK;
}

static sigad_status soc_log(sigad_op_call *call)
{
    const void *u = call->x_tangent[0].data;
    return u ? run(call, SG_LOG_SOFTMAX_SECOND, call->y->data, call->y_cotangent->data, u,
                   call->x_cotangent_tangent[0].data)
             : SIGAD_OK;
}

static const sigad_op softmax = {SIGAD_OP_INIT, .name = "softmax", .infer = infer,
                                 SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};
static const sigad_op log_softmax = {SIGAD_OP_INIT, .name = "log_softmax", .infer = infer,
                                     SG_ON_EACH_DEVICE(fwd_log, vjp_log, jvp_log, soc_log)};

sigad_tensor sigad_softmax(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {axis};
    return sigad_apply(tape, &softmax, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_log_softmax(sigad_tape *tape, sigad_tensor x, int axis)
{
    const attributes given = {axis};
    return sigad_apply(tape, &log_softmax, 1, &x, &given, sizeof given);
}

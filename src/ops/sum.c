/* Sum and mean over one axis or all: y_cotangent goes to every entry, divided by n for the mean. */
#include "ops/along.h"

typedef struct {
    sg_along along;
    int32_t mean;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    sg_sum sum;
    bool mean = SG_ATTRIBUTES(attributes, call)->mean;
    int32_t dtype = call->x[0].dtype;
    sigad_status status = mean ? sg_infer_along_some(call, dtype) : sg_infer_along(call, dtype);
    if (status) return status;
    sg_along_sum(call, &sum);
    call->workspace_bytes[SIGAD_FWD] = call->workspace_bytes[SIGAD_JVP] =
        sg_sum_workspace(&sum, dtype);
    return SIGAD_OK;
}

static double divisor(const sigad_op_call *call)
{
    return SG_ATTRIBUTES(attributes, call)->mean ? (double)sg_along_split(call).n : 1.0;
}

static sigad_status reduce(const sigad_op_call *call, const sigad_array *x, const sigad_array *y,
                           bool add)
{
    sg_sum sum;
    sg_along_sum(call, &sum);
    if (x->data)
        SG_RUN(call, sum, &sum, x->dtype, x->data, divisor(call), y->data, add, call->workspace);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    return reduce(call, &call->x[0], call->y, false);
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_view spread = sg_along_spread(call);
    if (call->x_cotangent[0].data)
        SG_RUN(call, add_scaled, call->y->dtype, &spread, 1.0 / divisor(call),
               call->y_cotangent->data, call->x_cotangent[0].data, sg_call_fresh(call, 0));
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    return reduce(call, &call->x_tangent[0], call->y_tangent, true);
}

#define TABLE(op_name)                                                                          \
    {                                                                                           \
        SIGAD_OP_INIT, .name = op_name, .flags = SIGAD_OP_LINEAR | SG_OP_FRESH, .infer = infer, \
                       SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)                                   \
    }
static const sigad_op op_sum = TABLE("sum"), op_mean = TABLE("mean");

sigad_tensor sigad_sum(sigad_tape *tape, sigad_tensor x, int axis, int keep)
{
    const attributes given = {{axis, keep}, 0};
    return sigad_apply(tape, &op_sum, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_mean(sigad_tape *tape, sigad_tensor x, int axis, int keep)
{
    const attributes given = {{axis, keep}, 1};
    return sigad_apply(tape, &op_mean, 1, &x, &given, sizeof given);
}

/* y = sum (x - m)^2 / N with m the mean, which is kept, and N = n - correction:
 * x_cotangent += 2 g (x - m) / N,  y_tangent += 2 sum (x - m) x_tangent / N,
 * x_cotangent_tangent += 2 g (x_tangent - mean x_tangent) / N. */
#include "ops/along.h"

typedef struct {
    sg_along along;
    int32_t correction;
} attributes;

static double divisor(const sigad_op_call *call)
{
    return (double)(sg_along_split(call).n - SG_ATTRIBUTES(attributes, call)->correction);
}

static sigad_status infer(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    int32_t correction = SG_ATTRIBUTES(attributes, call)->correction;
    sigad_status status = sg_infer_along(call, call->x[0].dtype);
    if (status) return status;
    if (correction < 0 || divisor(call) < 1)
        return sigad_op_fail(call, correction < 0 ? SIGAD_EINVAL : SIGAD_ESHAPE,
                             "%s: correction %d must be 0 .. %lld, less than the %lld entries",
                             sg_shape_text(&call->x[0], text), correction,
                             (long long)sg_along_split(call).n - 1,
                             (long long)sg_along_split(call).n);
    call->saved_bytes = sg_array_bytes(call->y);
    call->workspace_bytes[SIGAD_FWD] = call->workspace_bytes[SIGAD_JVP] =
        call->workspace_bytes[SIGAD_SOC] = sg_along_workspace(call);
    return SIGAD_OK;
}

static double count(const sigad_op_call *call)
{
    return (double)sg_along_split(call).n;
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data, .r = call->saved};
    sg_along_sum_of(call, arrays.x, count(call), call->saved, false);
    sg_along_reduce(call, SG_ALONG_variance_term, arrays, divisor(call), call->y->data, false);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data,
                              .r = call->saved,
                              .g = call->y_cotangent->data,
                              .s = 2 / divisor(call),
                              .out = call->x_cotangent[0].data};
    if (arrays.out) sg_along_run(call, SG_ALONG_variance_vjp, arrays);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data, .t = call->x_tangent[0].data, .r = call->saved};
    if (arrays.t)
        sg_along_reduce(call, SG_ALONG_variance_tangent, arrays, divisor(call) / 2,
                        call->y_tangent->data, true);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    sg_along_arrays arrays = {.t = call->x_tangent[0].data,
                              .g = call->y_cotangent->data,
                              .d = sg_along_result(call),
                              .s = 2 / divisor(call),
                              .out = call->x_cotangent_tangent[0].data};
    if (!arrays.t || !arrays.out) return SIGAD_OK;
    sg_along_sum_of(call, arrays.t, count(call), sg_along_result(call), false);
    sg_along_run(call, SG_ALONG_variance_soc, arrays);
    return SIGAD_OK;
}

static const sigad_op op_variance = {SIGAD_OP_INIT, .name = "variance", .infer = infer,
                                     SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_variance(sigad_tape *tape, sigad_tensor x, int axis, int correction, int keep)
{
    const attributes given = {{axis, keep}, correction};
    return sigad_apply(tape, &op_variance, 1, &x, &given, sizeof given);
}

sigad_tensor sigad_std(sigad_tape *tape, sigad_tensor x, int axis, int correction, int keep)
{
    return sigad_sqrt(tape, sigad_variance(tape, x, axis, correction, keep));
}

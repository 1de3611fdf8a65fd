/* y = sqrt(sum x^2). With u = x / y:  x_cotangent += g u,  y_tangent += sum u x_tangent,
 * x_cotangent_tangent += g / y (x_tangent - u sum u x_tangent). All are taken as 0 where y = 0. */
#include "ops/along.h"

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_infer_along(call, call->x[0].dtype);
    if (status) return status;
    call->workspace_bytes[SIGAD_FWD] = call->workspace_bytes[SIGAD_JVP] =
        call->workspace_bytes[SIGAD_SOC] = sg_along_workspace(call);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data};
    sg_along_reduce(call, SG_ALONG_norm_term, arrays, 1, call->y->data, false);
    SG_RUN(call, root, call->y->elements, call->y->dtype, call->y->data);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data,
                              .r = call->y->data,
                              .g = call->y_cotangent->data,
                              .out = call->x_cotangent[0].data};
    if (arrays.out) sg_along_run(call, SG_ALONG_norm_vjp, arrays);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_along_arrays arrays = {
        .x = call->x[0].data, .t = call->x_tangent[0].data, .r = call->y->data};
    if (arrays.t)
        sg_along_reduce(call, SG_ALONG_norm_tangent, arrays, 1, call->y_tangent->data, true);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    sg_along_arrays arrays = {
        .x = call->x[0].data, .t = call->x_tangent[0].data, .r = call->y->data};
    if (!arrays.t || !call->x_cotangent_tangent[0].data) return SIGAD_OK;
    sg_along_reduce(call, SG_ALONG_norm_tangent, arrays, 1, sg_along_result(call), false);
    arrays.g = call->y_cotangent->data;
    arrays.d = sg_along_result(call);
    arrays.out = call->x_cotangent_tangent[0].data;
    sg_along_run(call, SG_ALONG_norm_soc, arrays);
    return SIGAD_OK;
}

static const sigad_op op_norm = {SIGAD_OP_INIT, .name = "norm", .infer = infer,
                                 SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_norm(sigad_tape *tape, sigad_tensor x, int axis, int keep)
{
    const sg_along along = {axis, keep};
    return sigad_apply(tape, &op_norm, 1, &x, &along, sizeof along);
}

/* y = log(sum exp(x)), shifted by the largest entry. With p = exp(x - y):  x_cotangent += g p,
 * y_tangent += sum p x_tangent,  x_cotangent_tangent += g p (x_tangent - sum p x_tangent). */
#include "ops/along.h"

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_infer_along_some(call, call->x[0].dtype);
    if (status) return status;
    call->saved_bytes = 2 * sg_array_bytes(call->y);
    call->workspace_bytes[SIGAD_FWD] = call->workspace_bytes[SIGAD_JVP] =
        call->workspace_bytes[SIGAD_SOC] = sg_along_workspace(call);
    return SIGAD_OK;
}

/* Kept with the node: the largest entries, or 0 instead of an infinite one, which would make
 * inf - inf; and the logarithms of the shifted sums. */
static void *shift_of(const sigad_op_call *call)
{
    return call->saved;
}

static void *log_of(const sigad_op_call *call)
{
    return (char *)call->saved + sg_array_bytes(call->y);
}

static void find_shift(const sigad_op_call *call)
{
    const sigad_array *x = &call->x[0];
    sg_split split = sg_along_split(call);
    SG_RUN(call, extreme, x->dtype, split, true, x->data, sg_along_index(call));
    SG_RUN(call, pick, x->dtype, split, sg_along_index(call), x->data, shift_of(call), false);
    SG_RUN(call, finite, call->y->elements, x->dtype, shift_of(call));
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data, .r = shift_of(call)};
    find_shift(call);
    sg_along_reduce(call, SG_ALONG_logsumexp_term, arrays, 1, log_of(call), false);
    SG_RUN(call, log_plus, call->y->elements, call->y->dtype, log_of(call), shift_of(call),
           call->y->data);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_along_arrays arrays = {.x = call->x[0].data,
                              .r = shift_of(call),
                              .l = log_of(call),
                              .g = call->y_cotangent->data,
                              .out = call->x_cotangent[0].data};
    if (arrays.out) sg_along_run(call, SG_ALONG_logsumexp_vjp, arrays);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_along_arrays arrays = {
        .x = call->x[0].data, .t = call->x_tangent[0].data, .r = shift_of(call), .l = log_of(call)};
    if (arrays.t)
        sg_along_reduce(call, SG_ALONG_logsumexp_tangent, arrays, 1, call->y_tangent->data, true);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    sg_along_arrays arrays = {
        .x = call->x[0].data, .t = call->x_tangent[0].data, .r = shift_of(call), .l = log_of(call)};
    if (!arrays.t || !call->x_cotangent_tangent[0].data) return SIGAD_OK;
    sg_along_reduce(call, SG_ALONG_logsumexp_tangent, arrays, 1, sg_along_result(call), false);
    arrays.g = call->y_cotangent->data;
    arrays.d = sg_along_result(call);
    arrays.out = call->x_cotangent_tangent[0].data;
    sg_along_run(call, SG_ALONG_logsumexp_soc, arrays);
    return SIGAD_OK;
}

static const sigad_op op_logsumexp = {SIGAD_OP_INIT, .name = "logsumexp", .infer = infer,
                                      SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_logsumexp(sigad_tape *tape, sigad_tensor x, int axis, int keep)
{
    const sg_along along = {axis, keep};
    return sigad_apply(tape, &op_logsumexp, 1, &x, &along, sizeof along);
}

/* y = the mean over all rows of -log softmax(x)[label]. With p = softmax(x) and g = y_cotangent /
 * rows: x_cotangent += g (p - [label]),   y_tangent += the mean of <p, x_tangent> -
 * x_tangent[label], x_cotangent_tangent += g p (x_tangent - <p, x_tangent>). */
#include "ops/labels.h"
#include "ops/mean_loss.h"

enum { LOGITS, LABELS };

static sg_cross_entropy kernel_of(const sigad_op_call *call)
{
    sg_scores s = sg_scores_of(call);
    return (sg_cross_entropy){call->x[LOGITS].dtype, s.rows,     s.classes, call->x[LOGITS].data,
                              call->x[LABELS].data,  call->saved};
}

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_infer_label_loss(call);
    if (!status)
        call->saved_bytes =
            2 * (size_t)sg_scores_of(call).rows * sg_dtype_bytes(call->x[LOGITS].dtype);
    return status;
}

static sigad_status fwd(sigad_op_call *call)
{
    sigad_status status = sg_check_labels(call);
    if (status) return status;
    sg_cross_entropy kernel = kernel_of(call);
    SG_RUN(call, cross_entropy_fwd, &kernel, call->workspace);
    sg_mean_loss(call, kernel.rows, call->y->data, false);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_cross_entropy kernel = kernel_of(call);
    if (call->x_cotangent[LOGITS].data)
        SG_RUN(call, cross_entropy_vjp, &kernel, sg_mean_loss_share(call, kernel.rows),
               call->x_cotangent[LOGITS].data);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_cross_entropy kernel = kernel_of(call);
    if (!call->x_tangent[LOGITS].data) return SIGAD_OK;
    SG_RUN(call, cross_entropy_jvp, &kernel, call->x_tangent[LOGITS].data, call->workspace);
    sg_mean_loss(call, kernel.rows, call->y_tangent->data, true);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    sg_cross_entropy kernel = kernel_of(call);
    const void *u = call->x_tangent[LOGITS].data;
    void *out = call->x_cotangent_tangent[LOGITS].data;
    if (u && out)
        SG_RUN(call, cross_entropy_soc, &kernel, sg_mean_loss_share(call, kernel.rows), u, out);
    return SIGAD_OK;
}

static const sigad_op cross_entropy = {SIGAD_OP_INIT, .name = "cross_entropy", .infer = infer,
                                       SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_cross_entropy(sigad_tape *tape, sigad_tensor logits, sigad_tensor labels)
{
    const sigad_tensor x[] = {logits, labels};
    return sigad_apply(tape, &cross_entropy, 2, x, NULL, 0);
}

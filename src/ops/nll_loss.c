/* y = the mean over all rows of -x[label]. With g = y_cotangent / rows: x_cotangent[label] -= g,
 * y_tangent += the mean of -x_tangent[label]. */
#include "ops/labels.h"
#include "ops/mean_loss.h"

enum { SCORES, LABELS };

static sigad_status add_mean(const sigad_op_call *call, const void *x, void *y, bool add)
{
    sg_scores s = sg_scores_of(call);
    SG_RUN(call, nll_terms, call->x[SCORES].dtype, s.rows, s.classes, x, call->x[LABELS].data,
           call->workspace);
    sg_mean_loss(call, s.rows, y, add);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    sigad_status status = sg_check_labels(call);
    return status ? status : add_mean(call, call->x[SCORES].data, call->y->data, false);
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_scores s = sg_scores_of(call);
    if (call->x_cotangent[SCORES].data)
        SG_RUN(call, nll_vjp, call->x[SCORES].dtype, s.rows, s.classes, call->x[LABELS].data,
               sg_mean_loss_share(call, s.rows), call->x_cotangent[SCORES].data);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    const void *u = call->x_tangent[SCORES].data;
    return u ? add_mean(call, u, call->y_tangent->data, true) : SIGAD_OK;
}

static const sigad_op nll_loss = {SIGAD_OP_INIT, .flags = SIGAD_OP_LINEAR, .name = "nll_loss",
                                  .infer = sg_infer_label_loss,
                                  SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_nll_loss(sigad_tape *tape, sigad_tensor log_probabilities, sigad_tensor labels)
{
    const sigad_tensor x[] = {log_probabilities, labels};
    return sigad_apply(tape, &nll_loss, 2, x, NULL, 0);
}

/* Losses made from the list in ops/loss.h: y = the mean over all n elements of l(p, t). With g =
 * y_cotangent / n: p_cotangent += g dl/dp,   t_cotangent += g dl/dt,   y_tangent += the mean of
 * dl/dp p_tangent + dl/dt t_tangent, p_cotangent_tangent += g (d2l/dp2 p_tangent + d2l/dpdt
 * t_tangent),   and the same for t. */
#include "ops/loss.h"
#include "ops/mean_loss.h"

enum { PREDICTION, TARGET };

static const sg_mean_share one = {NULL, 1};

typedef struct {
    int32_t loss;
    double a;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    const sigad_array *p = &call->x[PREDICTION], *t = &call->x[TARGET];
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    char p_text[SG_SHAPE_TEXT], t_text[SG_SHAPE_TEXT];
    sigad_status status = sg_need_floats(call, 2);
    if (status) return status;
    sg_shape_text(p, p_text);
    sg_shape_text(t, t_text);
    if (!sg_same_shape(p, t))
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s and target %s: the shapes must be equal, losses do not broadcast",
                             p_text, t_text);
    if (!p->elements)
        return sigad_op_fail(call, SIGAD_ESHAPE, "%s has no elements to take the mean of", p_text);
    if (given->loss == SG_LOSS_huber && !(given->a > 0))
        return sigad_op_fail(call, SIGAD_EINVAL, "delta %g must be greater than 0", given->a);
    call->workspace_bytes[SIGAD_FWD] = call->workspace_bytes[SIGAD_JVP] =
        sg_mean_loss_workspace(call, p->elements);
    return sg_infer_as(call, p->dtype, 0, NULL);
}

/* out = the values, or += share * derivative * u with u NULL for ones. */
static void run(const sigad_op_call *call, sg_loss_order order, sg_mean_share share, const void *u,
                void *out, bool fresh)
{
    const sigad_array *p = &call->x[PREDICTION];
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    sg_loss_arrays arrays = {p->data, call->x[TARGET].data, u, share, given->a, out, fresh};
    SG_RUN(call, loss, (sg_loss)given->loss, order, p->dtype, p->elements, &arrays);
}

static sigad_status fwd(sigad_op_call *call)
{
    run(call, SG_LOSS_VALUE, one, NULL, call->workspace, true);
    sg_mean_loss(call, call->x[PREDICTION].elements, call->y->data, false);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_mean_share g = sg_mean_loss_share(call, call->x[PREDICTION].elements);
    const sigad_array *out = call->x_cotangent;
    if (out[PREDICTION].data)
        run(call, SG_LOSS_P, g, NULL, out[PREDICTION].data, sg_call_fresh(call, PREDICTION));
    if (out[TARGET].data)
        run(call, SG_LOSS_T, g, NULL, out[TARGET].data, sg_call_fresh(call, TARGET));
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    const sigad_array *p = &call->x[PREDICTION], *tangent = call->x_tangent;
    SG_RUN(call, clear, call->workspace, sg_array_bytes(p));
    if (tangent[PREDICTION].data)
        run(call, SG_LOSS_P, one, tangent[PREDICTION].data, call->workspace, false);
    if (tangent[TARGET].data)
        run(call, SG_LOSS_T, one, tangent[TARGET].data, call->workspace, false);
    sg_mean_loss(call, p->elements, call->y_tangent->data, true);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    static const sg_loss_order order[2][2] = {{SG_LOSS_PP, SG_LOSS_PT}, {SG_LOSS_PT, SG_LOSS_TT}};
    sg_mean_share g = sg_mean_loss_share(call, call->x[PREDICTION].elements);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            if (call->x_cotangent_tangent[i].data && call->x_tangent[j].data)
                run(call, order[i][j], g, call->x_tangent[j].data,
                    call->x_cotangent_tangent[i].data, false);
    return SIGAD_OK;
}

static const sigad_op table[] = {
#define ROW(loss_name, ...)                                                   \
    {SIGAD_OP_INIT, .name = #loss_name, .flags = SG_OP_FRESH, .infer = infer, \
     SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)},
    SG_LOSSES(ROW)
#undef ROW
};

static sigad_tensor apply(sigad_tape *tape, sg_loss loss, sigad_tensor prediction,
                          sigad_tensor target, double a)
{
    const attributes given = {(int32_t)loss, a};
    const sigad_tensor x[] = {prediction, target};
    return sigad_apply(tape, &table[loss], 2, x, &given, sizeof given);
}

sigad_tensor sigad_mse(sigad_tape *tape, sigad_tensor prediction, sigad_tensor target)
{
    return apply(tape, SG_LOSS_mse, prediction, target, 0);
}

sigad_tensor sigad_mae(sigad_tape *tape, sigad_tensor prediction, sigad_tensor target)
{
    return apply(tape, SG_LOSS_mae, prediction, target, 0);
}

sigad_tensor sigad_huber(sigad_tape *tape, sigad_tensor prediction, sigad_tensor target,
                         double delta)
{
    return apply(tape, SG_LOSS_huber, prediction, target, delta);
}

sigad_tensor sigad_binary_cross_entropy(sigad_tape *tape, sigad_tensor logits, sigad_tensor target)
{
    return apply(tape, SG_LOSS_binary_cross_entropy, logits, target, 0);
}

/* Stochastic gradient descent, with momentum as in Sutskever, Martens, Dahl, Hinton (2013), "On the
 * importance of initialization and momentum in deep learning", with the rate outside of the moving
 * sum, so that a changed rate acts at once. */
#include "train/rules/rules.h"

static const sg_rule rule = {.name = "sgd", .slot_name = {"momentum"}, .kind = SG_RULE_SGD};

sigad_status sigad_sgd_create(sigad_context *context, const sigad_sgd_options *given,
                              sigad_optimizer **result)
{
    sigad_sgd_options options;
    sigad_status status =
        sg_optimizer_begin(context, "sigad_sgd_options", given, &options, sizeof options, result);
    if (status) return status;
    double momentum = sg_option(options.momentum, 0.0);
    if (sg_option_reserved(context, "sgd", options.reserved | options.reserved2) ||
        sg_option_below_1(context, "sgd", "momentum", momentum))
        return context->error.status;
    if (options.nesterov && momentum == 0.0)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "sgd: nesterov needs a momentum, such as 0.9; it is 0");
    sg_sgd *o = sg_optimizer_create(
        context, &rule, sizeof *o,
        &(sg_common_options){options.prefix, sg_option(options.lr, 1e-2),
                             sg_option(options.weight_decay, 0.0), options.clip_norm});
    if (!o) return context->error.status;
    o->base.uses[0] = momentum > 0.0;
    o->momentum = momentum;
    o->nesterov = options.nesterov != 0;
    *result = &o->base;
    return SIGAD_OK;
}

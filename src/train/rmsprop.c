/* RMSprop: Tieleman, Hinton (2012), "Neural networks for machine learning", lecture 6.5; centered
 * and with momentum as in Graves (2013), "Generating sequences with recurrent neural networks",
 * equations 38 to 41, with epsilon outside of the root. */
#include "train/rules/rules.h"

static const sg_rule rule = {
    .name = "rmsprop", .slot_name = {"v", "mean", "momentum"}, .kind = SG_RULE_RMSPROP};

sigad_status sigad_rmsprop_create(sigad_context *context, const sigad_rmsprop_options *given,
                                  sigad_optimizer **result)
{
    sigad_rmsprop_options options;
    sigad_status status = sg_optimizer_begin(context, "sigad_rmsprop_options", given, &options,
                                             sizeof options, result);
    if (status) return status;
    double smoothing = sg_option(options.smoothing, 0.99);
    double epsilon = sg_option(options.epsilon, 1e-8);
    double momentum = sg_option(options.momentum, 0.0);
    if (sg_option_below_1(context, "rmsprop", "smoothing", smoothing) ||
        sg_option_below_1(context, "rmsprop", "momentum", momentum) ||
        sg_option_not_negative(context, "rmsprop", "epsilon", epsilon))
        return context->error.status;
    sg_rmsprop *o = sg_optimizer_create(
        context, &rule, sizeof *o,
        &(sg_common_options){options.prefix, sg_option(options.lr, 1e-2),
                             sg_option(options.weight_decay, 0.0), options.clip_norm});
    if (!o) return context->error.status;
    o->base.uses[0] = true;
    o->base.uses[1] = options.centered != 0;
    o->base.uses[2] = momentum > 0.0;
    o->smoothing = smoothing;
    o->epsilon = epsilon;
    o->momentum = momentum;
    *result = &o->base;
    return SIGAD_OK;
}

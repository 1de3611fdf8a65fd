/* Adam: Kingma, Ba (2015), "Adam: a method for stochastic optimization", algorithm 1; with
 * decoupled decay: Loshchilov, Hutter (2019), "Decoupled weight decay regularization", algorithm 2.
 * Both corrections of the moments count the updates of the one parameter. */
#include "train/rules/rules.h"

static const sg_rule rule = {.name = "adam", .slot_name = {"m", "v"}, .kind = SG_RULE_ADAM};

sigad_status sigad_adam_create(sigad_context *context, const sigad_adam_options *given,
                               sigad_optimizer **result)
{
    sigad_adam_options options;
    sigad_status status =
        sg_optimizer_begin(context, "sigad_adam_options", given, &options, sizeof options, result);
    if (status) return status;
    double beta1 = sg_option(options.beta1, 0.9), beta2 = sg_option(options.beta2, 0.999);
    double epsilon = sg_option(options.epsilon, 1e-8);
    if (sg_option_reserved(context, "adam", options.reserved) ||
        sg_option_below_1(context, "adam", "beta1", beta1) ||
        sg_option_below_1(context, "adam", "beta2", beta2) ||
        sg_option_not_negative(context, "adam", "epsilon", epsilon))
        return context->error.status;
    sg_adam *o = sg_optimizer_create(
        context, &rule, sizeof *o,
        &(sg_common_options){options.prefix, sg_option(options.lr, 1e-3),
                             sg_option(options.weight_decay, 0.0), options.clip_norm});
    if (!o) return context->error.status;
    o->base.uses[0] = o->base.uses[1] = true;
    o->beta1 = beta1;
    o->beta2 = beta2;
    o->epsilon = epsilon;
    *result = &o->base;
    return SIGAD_OK;
}

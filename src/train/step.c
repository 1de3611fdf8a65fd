/* One update of an optimizer's parameters. */
#include "ops/kernels.h"
#include "train/rules/rules.h"

static const char caller[] = "sigad_optimizer_step";

static bool is_updated(const sigad_optimizer *o, const sg_parameter *p)
{
    return p->reached && !p->frozen && sg_optimizer_covers(o, p);
}

static const sg_rule_kernels *rules_of(const sigad_context *context)
{
    const sg_device *device = &context->device;
    return sg_device_is_host(device) ? &sg_cpu_rules : device->driver->rules;
}

/* Leaves the factor that clips the joint norm of all gradients in *clip. */
static sigad_status find_clip_factor(const sigad_optimizer *o, double *clip)
{
    sigad_context *context = o->context;
    sg_place *place = &context->place;
    const sg_rule_kernels *rules = rules_of(context);
    place->kernels->clear(place, clip, sizeof *clip);
    for (size_t i = 0; i < context->parameter_count; i++) {
        const sg_parameter *p = context->parameters[i];
        if (!is_updated(o, p)) continue;
        if (!rules->add_squares(place, p->value.dtype, p->value.elements, p->gradient,
                                sg_optimizer_group(o, p).clip_value, clip))
            return sg_fail(
                &context->error, SIGAD_EINVAL,
                "%s: the gradient of '%.200s' has no finite norm, so that it cannot be clipped to %g",
                caller, p->name, o->clip_norm);
    }
    rules->clip(place, (sg_origin){.operation = caller, .node = -1}, o->clip_norm, clip);
    return SIGAD_OK;
}

static void update_parameter(const sigad_optimizer *o, sg_parameter *p, sg_state *state,
                             const double *clip)
{
    sg_group group = sg_optimizer_group(o, p);
    sg_place *place = &o->context->place;
    double decay = group.weight_decay < 0.0 ? o->weight_decay : group.weight_decay;
    sg_update u = {.optimizer = o,
                   .lr = o->lr * group.lr_factor,
                   .weight_decay = p->value.rank < 2 ? 0.0 : decay,
                   .clip_value = group.clip_value,
                   .clip = clip,
                   .updates = ++state->updates,
                   .count = p->value.elements,
                   .value = p->value.data,
                   .gradient = p->gradient};
    for (int slot = 0; slot < SG_SLOTS; slot++) u.slot[slot] = state->slot[slot];
    rules_of(o->context)->update(place, o->rule->kind, p->value.dtype, &u);
    p->version++;
}

/* With state for all parameters that are updated. */
static sigad_status update_all(sigad_optimizer *o)
{
    sigad_context *context = o->context;
    double of_host, *clip = context->place.scratch ? context->place.scratch : &of_host;
    if (o->clip_norm <= 0.0)
        clip = NULL;
    else if (find_clip_factor(o, clip))
        return context->error.status;
    for (size_t i = 0; i < context->parameter_count; i++)
        if (is_updated(o, context->parameters[i]))
            update_parameter(o, context->parameters[i], o->states[i], clip);
    return SIGAD_OK;
}

sigad_status sigad_optimizer_step(sigad_optimizer *o)
{
    if (!o) return SIGAD_EINVAL;
    sigad_context *context = o->context;
    if (context->error.status) return context->error.status;
    if (context->device.capture)
        return sg_fail(&context->error, SIGAD_ENOTSUP,
                       "%s: it cannot be captured, since it counts steps; call it after the launch",
                       caller);
    for (size_t i = 0; i < context->parameter_count; i++)
        if (is_updated(o, context->parameters[i]) && !sg_optimizer_state(o, i))
            return context->error.status;
    const int32_t before = sg_device_enter(&context->device);
    update_all(o);
    sg_device_leave(&context->device, before);
    sg_device_ran(context, caller);
    return context->error.status;
}

/* One update of an optimizer's parameters: at once, or captured into a graph, whose launches then
 * do it, each time with the numbers of that time. */
#include "graph/capture.h"
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

/* The next update of a parameter that has its state. */
static sg_update update_of(const sigad_optimizer *o, size_t parameter)
{
    const sg_parameter *p = o->context->parameters[parameter];
    const sg_state *state = o->states[parameter];
    const sg_group group = sg_optimizer_group(o, p);
    const double decay = group.weight_decay < 0.0 ? o->weight_decay : group.weight_decay;
    sg_update u = {.optimizer = o,
                   .lr = o->lr * group.lr_factor,
                   .weight_decay = p->value.rank < 2 ? 0.0 : decay,
                   .clip_value = group.clip_value,
                   .updates = state->updates + 1,
                   .count = p->value.elements,
                   .value = p->value.data,
                   .gradient = p->gradient};
    for (int slot = 0; slot < SG_SLOTS; slot++) u.slot[slot] = state->slot[slot];
    return u;
}

/* ---- in a graph ------------------------------------------------------------------------------ */

/* The host's part of a captured step. Its kernels read records on the device, which are written
 * before each launch. */
typedef struct {
    sg_captured head;
    sigad_optimizer *optimizer;
    uint64_t serial; /* of the optimizer */
    double *records; /* on the device */
    size_t count;
    struct {
        size_t parameter;
        bool inherits; /* its gradient is what the launch finds: it may hold nothing then */
        bool counted;  /* by the launch that is prepared */
    } update[];
} captured_step;

/* Writes records `first` .. `end` - 1, and counts the updates. */
static void post(captured_step *s, size_t first, size_t end)
{
    sigad_context *context = s->optimizer->context;
    const sg_rule_kernels *rules = rules_of(context);
    double record[SG_POSTED * SG_RECORD] = {0};
    for (size_t i = first; i < end; i++) {
        const size_t parameter = s->update[i].parameter;
        const sg_parameter *p = context->parameters[parameter];
        s->update[i].counted = p->reached || !s->update[i].inherits;
        if (!s->update[i].counted) continue;
        const sg_update u = update_of(s->optimizer, parameter);
        rules->record(s->optimizer->rule->kind, p->value.dtype, &u,
                      record + (i - first) * SG_RECORD);
        s->optimizer->states[parameter]->updates++;
    }
    rules->post(&context->place, (int64_t)(end - first), record, s->records + first * SG_RECORD);
}

static void undo(sg_captured *captured)
{
    captured_step *s = (captured_step *)(void *)captured;
    for (size_t i = 0; i < s->count; i++)
        s->optimizer->states[s->update[i].parameter]->updates -= s->update[i].counted;
}

static bool prepare(sigad_context *context, sg_captured *captured, const char *launching)
{
    captured_step *s = (captured_step *)(void *)captured;
    if (!sg_context_owns(context, s->serial)) {
        sg_fail(&context->error, SIGAD_ESTALE, "%s: the optimizer of a captured step is destroyed",
                launching);
        return false;
    }
    const int32_t before = sg_device_enter(&context->device);
    for (size_t first = 0; first < s->count; first += SG_POSTED)
        post(s, first, first + SG_POSTED < s->count ? first + SG_POSTED : s->count);
    sg_device_leave(&context->device, before);
    if (sg_device_ran(context, launching)) return true;
    undo(captured);
    return false;
}

/* What the graph that is being captured is to know of a step, with records for all updates; NULL
 * with the error set. */
static captured_step *capture(sigad_optimizer *o)
{
    sigad_context *context = o->context;
    size_t count = 0;
    for (size_t i = 0; i < context->parameter_count; i++)
        count += is_updated(o, context->parameters[i]);
    const size_t bytes = sizeof(captured_step) + count * sizeof *((captured_step *)NULL)->update;
    captured_step *s = sg_context_allocate(context, bytes);
    if (!s) {
        sg_context_no_memory(context, caller, bytes);
        return NULL;
    }
    *s = (captured_step){.head = {.bytes = bytes, .prepare = prepare, .undo = undo},
                         .optimizer = o,
                         .serial = o->owned.serial};
    for (size_t i = 0; i < context->parameter_count; i++) {
        if (!is_updated(o, context->parameters[i])) continue;
        s->update[s->count].parameter = i;
        s->update[s->count++].inherits = sg_capture_inherits(context, i);
    }
    s->records = sg_capture_room(context, caller, count * SG_RECORD * sizeof *s->records);
    sg_capture_keep(context, &s->head);
    return s->records ? s : NULL;
}

/* ---- the step -------------------------------------------------------------------------------- */

/* Leaves the factor that clips the joint norm of all gradients in *clip. */
static sigad_status find_clip_factor(const sigad_optimizer *o, const double *record, double *clip)
{
    sigad_context *context = o->context;
    sg_place *place = &context->place;
    const sg_rule_kernels *rules = rules_of(context);
    place->kernels->clear(place, clip, sizeof *clip);
    for (size_t i = 0; i < context->parameter_count; i++) {
        const sg_parameter *p = context->parameters[i];
        if (!is_updated(o, p)) continue;
        sg_update u = update_of(o, i);
        u.record = record;
        if (record) record += SG_RECORD;
        if (!rules->add_squares(place, p->value.dtype, &u, clip))
            return sg_fail(
                &context->error, SIGAD_EINVAL,
                "%s: the gradient of '%.200s' has no finite norm, so that it cannot be clipped to %g",
                caller, p->name, o->clip_norm);
    }
    rules->clip(place, (sg_origin){.operation = caller, .node = -1}, o->clip_norm, clip);
    return SIGAD_OK;
}

/* With state for all parameters that are updated; `record`, if given, is the first one's. */
static sigad_status update_all(sigad_optimizer *o, const double *record)
{
    sigad_context *context = o->context;
    sg_place *place = &context->place;
    double of_host, *clip = place->scratch ? place->scratch : &of_host;
    if (o->clip_norm <= 0.0)
        clip = NULL;
    else if (find_clip_factor(o, record, clip))
        return context->error.status;
    for (size_t i = 0; i < context->parameter_count; i++) {
        sg_parameter *p = context->parameters[i];
        if (!is_updated(o, p)) continue;
        sg_update u = update_of(o, i);
        u.clip = clip;
        u.record = record;
        if (record)
            record += SG_RECORD; /* the launch counts the update */
        else
            o->states[i]->updates++;
        rules_of(context)->update(place, o->rule->kind, p->value.dtype, &u);
        p->version++;
    }
    return SIGAD_OK;
}

sigad_status sigad_optimizer_step(sigad_optimizer *o)
{
    if (!o) return SIGAD_EINVAL;
    sigad_context *context = o->context;
    const captured_step *captured = NULL;
    if (context->error.status) return context->error.status;
    for (size_t i = 0; i < context->parameter_count; i++)
        if (is_updated(o, context->parameters[i]) && !sg_optimizer_state(o, i))
            return context->error.status;
    if (context->device.capture && !(captured = capture(o))) return context->error.status;
    const int32_t before = sg_device_enter(&context->device);
    update_all(o, captured ? captured->records : NULL);
    sg_device_leave(&context->device, before);
    sg_device_ran(context, caller);
    return context->error.status;
}

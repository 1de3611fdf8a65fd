#include "train/optimizer.h"
#include "core/options.h"
#include <math.h>
#include <string.h>

/* ---- life ------------------------------------------------------------------------------------ */

sigad_status sg_optimizer_begin(sigad_context *context, const char *options_name, const void *given,
                                void *known, size_t bytes, sigad_optimizer **result)
{
    if (result) *result = NULL;
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!result)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "%s: there is no place for the result; pass the address of a pointer",
                       options_name);
    return sg_options(&context->error, options_name, given, known, bytes);
}

static void destroy_owned(sg_owned *owned)
{
    sigad_optimizer_destroy((sigad_optimizer *)(void *)owned);
}

static sigad_status check_common(sigad_context *context, const sg_rule *rule,
                                 const sg_common_options *options)
{
    const struct {
        const char *name;
        double value;
    } checked[] = {{"lr", options->lr},
                   {"weight_decay", options->weight_decay},
                   {"clip_norm", options->clip_norm}};
    for (size_t i = 0; i < sizeof checked / sizeof *checked; i++)
        if (sg_option_not_negative(context, rule->name, checked[i].name, checked[i].value))
            return context->error.status;
    return SIGAD_OK;
}

void *sg_optimizer_create(sigad_context *context, const sg_rule *rule, size_t bytes,
                          const sg_common_options *options)
{
    if (check_common(context, rule, options)) return NULL;
    sigad_optimizer *o = sg_context_allocate(context, bytes);
    char *prefix = sg_copy_text(&context->allocator, options->prefix ? options->prefix : "");
    if (!o || !prefix) {
        sg_release(&context->allocator, o, bytes);
        if (prefix) sg_release(&context->allocator, prefix, strlen(prefix) + 1);
        sg_context_no_memory(context, rule->name, bytes);
        return NULL;
    }
    memset(o, 0, bytes);
    o->owned.destroy = destroy_owned;
    o->context = context;
    o->rule = rule;
    o->bytes = bytes;
    o->prefix = prefix;
    o->lr = options->lr;
    o->weight_decay = options->weight_decay;
    o->clip_norm = options->clip_norm;
    sg_context_own(context, &o->owned);
    return o;
}

static void destroy_state(const sigad_optimizer *o, sg_state *state)
{
    if (!state) return;
    sg_device_release(o->context, state->slots, state->slot_bytes);
    sg_release(&o->context->allocator, state, state->bytes);
}

void sigad_optimizer_destroy(sigad_optimizer *o)
{
    if (!o) return;
    const sigad_allocator *allocator = &o->context->allocator;
    sg_owned_detach(&o->owned);
    for (size_t i = 0; i < o->state_count; i++) destroy_state(o, o->states[i]);
    sg_release(allocator, o->states, o->state_count * sizeof *o->states);
    sg_optimizer_release_groups(o);
    sg_release(allocator, o->prefix, strlen(o->prefix) + 1);
    sg_release(allocator, o, o->bytes);
}

bool sg_optimizer_covers(const sigad_optimizer *o, const sg_parameter *parameter)
{
    return strncmp(parameter->name, o->prefix, strlen(o->prefix)) == 0;
}

void sigad_optimizer_zero(sigad_optimizer *o)
{
    for (size_t i = 0; o && i < o->context->parameter_count; i++) {
        sg_parameter *parameter = o->context->parameters[i];
        if (!sg_optimizer_covers(o, parameter)) continue;
        parameter->reached = false;
        parameter->touches++;
    }
}

sigad_status sigad_optimizer_set_lr(sigad_optimizer *o, double lr)
{
    if (!o) return SIGAD_EINVAL;
    if (o->context->error.status) return o->context->error.status;
    if (sg_option_not_negative(o->context, "sigad_optimizer_set_lr", "lr", lr))
        return o->context->error.status;
    o->lr = lr;
    return SIGAD_OK;
}

double sigad_optimizer_lr(const sigad_optimizer *o)
{
    return o ? o->lr : NAN;
}

/* ---- state ----------------------------------------------------------------------------------- */

static size_t aligned(size_t bytes)
{
    return (bytes + SG_DEVICE_ALIGNMENT - 1) / SG_DEVICE_ALIGNMENT * SG_DEVICE_ALIGNMENT;
}

/* "adam.m/fc1.weight" at `to`, behind which the next one may go. */
static char *write_name(char *to, const char *rule, const char *slot, const char *parameter)
{
    const char *const part[] = {rule, ".", slot, "/", parameter};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        size_t length = strlen(part[i]);
        memcpy(to, part[i], length);
        to += length;
    }
    *to = '\0';
    return to + 1;
}

static const char *slot_name(const sigad_optimizer *o, int slot)
{
    return slot == SG_SLOTS ? "updates" : o->rule->slot_name[slot];
}

/* Cleared; false if memory is short. */
static bool take_slots(const sigad_optimizer *o, sg_state *state, size_t entries, size_t bytes)
{
    if (!bytes) return true;
    char *free = sg_device_take(o->context, bytes);
    if (!free) return false;
    state->slots = free;
    state->slot_bytes = bytes;
    for (int slot = 0; slot < SG_SLOTS; slot++)
        if (o->uses[slot]) {
            state->slot[slot] = free;
            free += entries;
        }
    return sg_device_clear(o->context, o->rule->name, state->slots, bytes);
}

/* The state with the names behind it; the slots have a block on the context's device. Those are a
 * few times as large as a parameter that is in memory: sizes cannot overflow. */
static sg_state *create_state(const sigad_optimizer *o, const sg_parameter *parameter)
{
    size_t entries = aligned(sg_array_bytes(&parameter->value)), bytes = aligned(sizeof(sg_state));
    size_t fixed = strlen(o->rule->name) + strlen(parameter->name) + sizeof "./", slot_bytes = 0;
    for (int slot = 0; slot < SG_SLOTS; slot++)
        if (o->uses[slot]) {
            slot_bytes += entries;
            bytes += fixed + strlen(slot_name(o, slot));
        }
    bytes += fixed + strlen(slot_name(o, SG_SLOTS));
    sg_state *state = sg_context_allocate(o->context, bytes);
    if (!state) return NULL;

    memset(state, 0, bytes);
    state->bytes = bytes;
    state->shape = parameter->value;
    state->shape.data = NULL;
    char *free = (char *)state + aligned(sizeof *state);
    for (int slot = 0; slot <= SG_SLOTS; slot++)
        if (slot == SG_SLOTS || o->uses[slot]) {
            state->name[slot] = free;
            free = write_name(free, o->rule->name, slot_name(o, slot), parameter->name);
        }
    if (take_slots(o, state, entries, slot_bytes)) return state;
    destroy_state(o, state);
    return NULL;
}

sg_state *sg_optimizer_state(sigad_optimizer *o, size_t parameter)
{
    sigad_context *context = o->context;
    if (parameter >= o->state_count) {
        size_t old = o->state_count * sizeof *o->states;
        size_t bytes = context->parameter_count * sizeof *o->states;
        sg_state **states = sg_reallocate(&context->allocator, o->states, old, bytes);
        if (!states) {
            sg_context_no_memory(context, o->rule->name, bytes);
            return NULL;
        }
        memset((char *)states + old, 0, bytes - old);
        o->states = states;
        o->state_count = context->parameter_count;
    }
    if (!o->states[parameter]) {
        const sg_parameter *p = context->parameters[parameter];
        o->states[parameter] = create_state(o, p);
        if (!o->states[parameter])
            sg_fail(&context->error, SIGAD_ENOMEM, "%s: no memory for the state of '%.200s'",
                    o->rule->name, p->name);
    }
    return o->states[parameter];
}

sigad_status sg_optimizer_state_prepare(sigad_optimizer *o)
{
    for (size_t i = 0; i < o->context->parameter_count; i++)
        if (sg_optimizer_covers(o, o->context->parameters[i]) && !sg_optimizer_state(o, i))
            return o->context->error.status;
    return SIGAD_OK;
}

/* ---- what a checkpoint sees: of each state the slots in use, then the number of updates --------
 */

static size_t arrays_per_state(const sigad_optimizer *o)
{
    size_t count = 1;
    for (int slot = 0; slot < SG_SLOTS; slot++) count += o->uses[slot];
    return count;
}

size_t sg_optimizer_state_count(const sigad_optimizer *o)
{
    size_t states = 0;
    for (size_t i = 0; i < o->state_count; i++) states += o->states[i] != NULL;
    return states * arrays_per_state(o);
}

void sg_optimizer_state_at(sigad_optimizer *o, size_t index, const char **name, sigad_array *array)
{
    size_t wanted = index / arrays_per_state(o), at = 0;
    int left = (int)(index % arrays_per_state(o)), slot = 0;
    while (!o->states[at] || wanted--) at++;
    while (slot < SG_SLOTS && (!o->uses[slot] || left--)) slot++;
    sg_state *state = o->states[at];
    *name = state->name[slot];
    if (slot == SG_SLOTS) {
        *array = (sigad_array){.data = &state->updates, .dtype = SIGAD_I64, .elements = 1};
    } else {
        *array = state->shape;
        array->data = state->slot[slot];
    }
}

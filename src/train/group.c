#include "core/options.h"
#include "train/optimizer.h"
#include <math.h>
#include <string.h>

static sg_group *group_of_prefix(const sigad_optimizer *o, const char *prefix)
{
    for (size_t i = 0; i < o->group_count; i++)
        if (strcmp(o->groups[i].prefix, prefix) == 0) return &o->groups[i];
    return NULL;
}

static sigad_status read_options(sigad_context *context, const sigad_group_options *given,
                                 sg_group *group)
{
    static const char function[] = "sigad_optimizer_set_group";
    sigad_group_options options;
    if (sg_options(&context->error, "sigad_group_options", given, &options, sizeof options) ||
        sg_option_reserved(context, function, options.reserved) ||
        sg_option_not_negative(context, function, "lr_factor", options.lr_factor) ||
        sg_option_not_negative(context, function, "weight_decay", options.weight_decay) ||
        sg_option_not_negative(context, function, "clip_value", options.clip_value))
        return context->error.status;
    group->lr_factor = sg_option(options.lr_factor, 1.0);
    group->weight_decay = sg_option(options.weight_decay, -1.0);
    group->clip_value = options.clip_value > 0.0 ? options.clip_value : INFINITY;
    return SIGAD_OK;
}

sigad_status sigad_optimizer_set_group(sigad_optimizer *o, const char *prefix,
                                       const sigad_group_options *options)
{
    if (!o) return SIGAD_EINVAL;
    sigad_context *context = o->context;
    sg_group fresh = {0};
    if (context->error.status) return context->error.status;
    if (read_options(context, options, &fresh)) return context->error.status;
    if (!prefix) prefix = "";

    sg_group *old = group_of_prefix(o, prefix);
    if (old) {
        fresh.prefix = old->prefix;
        *old = fresh;
        return SIGAD_OK;
    }
    fresh.prefix = sg_copy_text(&context->allocator, prefix);
    if (!fresh.prefix || !sg_grow(&context->allocator, (void **)&o->groups, o->group_count,
                                  &o->group_capacity, sizeof *o->groups)) {
        sg_release(&context->allocator, fresh.prefix, strlen(prefix) + 1);
        return sg_context_no_memory(context, "sigad_optimizer_set_group", strlen(prefix) + 1);
    }
    o->groups[o->group_count++] = fresh;
    return SIGAD_OK;
}

sg_group sg_optimizer_group(const sigad_optimizer *o, const sg_parameter *parameter)
{
    sg_group best = {.lr_factor = 1.0, .weight_decay = -1.0, .clip_value = INFINITY};
    for (size_t i = 0; i < o->group_count; i++) {
        size_t length = strlen(o->groups[i].prefix);
        if (strncmp(parameter->name, o->groups[i].prefix, length) == 0 &&
            (!best.prefix || length > strlen(best.prefix)))
            best = o->groups[i];
    }
    return best;
}

void sg_optimizer_release_groups(sigad_optimizer *o)
{
    const sigad_allocator *allocator = &o->context->allocator;
    for (size_t i = 0; i < o->group_count; i++)
        sg_release(allocator, o->groups[i].prefix, strlen(o->groups[i].prefix) + 1);
    sg_release(allocator, o->groups, o->group_capacity * sizeof *o->groups);
}

#include "graph/context.h"
#include "core/clock.h"
#include "core/options.h"
#include "core/parallel.h"
#include "core/random.h"
#include "ops/cuda/tables.h"
#include "ops/kernels.h"
#include <string.h>

/* ---- what a context owns ------------------------------------------------------------------- */

void sg_context_own(sigad_context *context, sg_owned *object)
{
    sg_owned *head = &context->owned;
    object->serial = ++head->serial;
    object->previous = head;
    object->next = head->next;
    head->next->previous = object;
    head->next = object;
}

void sg_owned_detach(sg_owned *object)
{
    object->previous->next = object->next;
    object->next->previous = object->previous;
}

bool sg_context_owns(const sigad_context *context, uint64_t serial)
{
    const sg_owned *object = context->owned.next;
    while (object != &context->owned && object->serial != serial) object = object->next;
    return object != &context->owned;
}

/* ---- life ---------------------------------------------------------------------------------- */

static sigad_status check_options(sg_error *error, const sigad_context_options *given,
                                  sigad_context_options *options)
{
    sigad_status status =
        sg_options(error, "sigad_context_options", given, options, sizeof *options);
    if (status) return status;
    if (options->device != SIGAD_CPU && options->device != SIGAD_CUDA)
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_context_create: device %d is neither SIGAD_CPU nor SIGAD_CUDA",
                       (int)options->device);
    if (options->threads < 0)
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_context_create: threads is %d; 0 means all, 1 only the calling one",
                       (int)options->threads);
    return SIGAD_OK;
}

sigad_status sigad_context_create(const sigad_context_options *given, sigad_context **result)
{
    sigad_context_options options;
    sg_error error = {0};
    if (!result) return SIGAD_EINVAL;
    *result = NULL;
    if (given && given->size >= sizeof options) {
        error.log = given->log;
        error.log_user = given->log_user;
    }
    sigad_status status = check_options(&error, given, &options);
    if (status) return status;

    error.log = options.log;
    error.log_user = options.log_user;
    sigad_allocator allocator = sg_allocator_or_default(options.allocator);
    sigad_context *context = sg_allocate(&allocator, sizeof *context);
    if (!context)
        return sg_fail(&error, SIGAD_ENOMEM, "sigad_context_create: no memory for the context");
    /* Handles of different contexts differ most likely, not certainly: there is no global counter.
     */
    uint64_t mixed = sg_random_key(sg_nanoseconds(), (uint64_t)(uintptr_t)context);
    *context = (sigad_context){
        .allocator = allocator,
        .error = error,
        .place = {.kernels = &sg_cpu_kernels,
                  .device = SIGAD_CPU,
                  .threads = sg_thread_count(options.threads ? options.threads : -1)},
        .seed = options.seed,
        .generation = (uint32_t)mixed & ~SG_PARAMETER_BIT,
        .tag = (uint32_t)(mixed >> 32) | SG_PARAMETER_BIT,
        .ticks_at_start = sg_ticks(),
        .nanoseconds_at_start = sg_nanoseconds()};
    context->owned.next = context->owned.previous = &context->owned;
    if (!sg_device_open(context, &options)) {
        status = context->error.status;
        sg_release(&allocator, context, sizeof *context);
        return status;
    }
    *result = context;
    return SIGAD_OK;
}

void sigad_context_destroy(sigad_context *context)
{
    if (!context) return;
    sg_device_finish(context);
    while (context->owned.next != &context->owned)
        context->owned.next->destroy(context->owned.next);
    sigad_allocator allocator = context->allocator;
    for (size_t i = 0; i < context->parameter_count; i++)
        sg_parameter_destroy(context, context->parameters[i]);
    sg_release(&allocator, context->parameters,
               context->parameter_capacity * sizeof *context->parameters);
    for (size_t i = 0; i < context->plan_count; i++) sigad_plan_destroy(context->plans[i].plan);
    sg_release(&allocator, context->plans, context->plan_capacity * sizeof *context->plans);
    sg_device_close(context);
    sg_release(&allocator, context, sizeof *context);
}

uint32_t sg_context_next_generation(sigad_context *context)
{
    context->generation = (context->generation + 1) & ~SG_PARAMETER_BIT;
    if (!context->generation) context->generation = 1;
    return context->generation;
}

/* ---- errors -------------------------------------------------------------------------------- */

sigad_status sigad_context_status(const sigad_context *context)
{
    return context ? context->error.status : SIGAD_EINVAL;
}

const char *sigad_context_message(const sigad_context *context)
{
    return context ? context->error.message : "";
}

sigad_status sigad_context_clear(sigad_context *context)
{
    return context ? sg_error_clear(&context->error) : SIGAD_EINVAL;
}

sigad_status sigad_synchronize(sigad_context *context)
{
    if (!context) return SIGAD_EINVAL;
    if (!context->error.status) sg_device_wait(context, "sigad_synchronize");
    return context->error.status;
}

sigad_status sg_context_no_memory(sigad_context *context, const char *what, size_t bytes)
{
    return sg_fail(&context->error, SIGAD_ENOMEM, "%s: no memory for %zu bytes", what, bytes);
}

/* ---- plans --------------------------------------------------------------------------------- */

static bool same_spec(const sigad_sig_spec *a, const sigad_sig_spec *b)
{
    return a->dimension == b->dimension && a->degree == b->degree && a->time_aug == b->time_aug &&
           a->lead_lag == b->lead_lag && a->scalar_term == b->scalar_term &&
           a->method == b->method && a->kernel == b->kernel &&
           memcmp(&a->end_time, &b->end_time, sizeof a->end_time) == 0;
}

/* To the context's device; waits for it. */
static bool upload_plan(sigad_context *context, const char *caller, const sigad_plan *plan)
{
    const sg_device *device = &context->device;
    if (sg_device_is_host(device)) return true;
    if (!sg_device_may_wait(context, caller)) return false;
    const int32_t before = sg_device_enter(device);
    const sigad_status status = sg_cuda_tables_make(plan, device->driver, device->index);
    sg_device_leave(device, before);
    if (status)
        sg_fail(&context->error, status, "%s: the plan's tables cannot go to the device: %s",
                caller, sigad_status_string(status));
    return !status;
}

const sigad_plan *sg_context_plan(sigad_context *context, const char *caller,
                                  const sigad_sig_spec *spec)
{
    for (size_t i = 0; i < context->plan_count; i++)
        if (same_spec(&context->plans[i].spec, spec)) return context->plans[i].plan;
    sigad_plan *plan = NULL;
    if (!sg_grow(&context->allocator, (void **)&context->plans, context->plan_count,
                 &context->plan_capacity, sizeof *context->plans)) {
        sg_context_no_memory(context, caller, sizeof *context->plans);
        return NULL;
    }
    sigad_status status = sigad_plan_create_with(spec, &context->allocator, &plan);
    if (status) {
        sg_fail(&context->error, status,
                "%s: no plan for {dimension %d, degree %d, time_aug %d, lead_lag %d, "
                "scalar_term %d, method %d, end_time %g}: %s",
                caller, (int)spec->dimension, (int)spec->degree, (int)spec->time_aug,
                (int)spec->lead_lag, (int)spec->scalar_term, (int)spec->method, spec->end_time,
                sigad_status_string(status));
        return NULL;
    }
    if (!upload_plan(context, caller, plan)) {
        sigad_plan_destroy(plan);
        return NULL;
    }
    context->plans[context->plan_count++] = (sg_cached_plan){*spec, plan};
    return plan;
}

sigad_status sigad_prepare(sigad_context *context, const sigad_sig_spec *given)
{
    sigad_sig_spec spec;
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!given) return sg_fail(&context->error, SIGAD_EINVAL, "sigad_prepare: spec is NULL");
    if (!sg_options(&context->error, "sigad_sig_spec", given, &spec, sizeof spec))
        sg_context_plan(context, "sigad_prepare", &spec);
    return context->error.status;
}

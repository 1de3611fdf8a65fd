#include "graph/device.h"
#include "graph/tape.h"
#include <stdio.h>
#include <string.h>

static const sg_cuda_runtime *runtime_of(const sigad_context *context)
{
    return context->device.driver->runtime;
}

bool sg_device_check(sigad_context *context, const char *caller, int error)
{
    if (!error) return true;
    sg_fail(&context->error, SIGAD_ECUDA, "%s: the CUDA runtime reports error %d: %s", caller,
            error, runtime_of(context)->error_text(error));
    return false;
}

bool sg_device_ran(sigad_context *context, const char *caller)
{
    const int error = context->place.error;
    context->place.error = 0;
    return sg_device_check(context, caller, error);
}

const char *sg_device_error_text(const sg_device *device, int error)
{
    return sg_device_is_host(device) ? "" : device->driver->runtime->error_text(error);
}

bool sg_device_may_wait(sigad_context *context, const char *caller)
{
    if (!context->device.capture) return true;
    sg_fail(
        &context->error, SIGAD_EINVAL,
        "%s: work is being captured, which must not wait, copy from the host or take memory: do "
        "the same once before the capture",
        caller);
    return false;
}

int32_t sg_device_make_current(const sg_device *device)
{
    int32_t before = 0;
    const sg_cuda_runtime *runtime = device->driver->runtime;
    if (!runtime->get_device(&before) && before != device->index)
        runtime->set_device(device->index);
    return before;
}

/* ---- memory -------------------------------------------------------------------------------- */

/* The hook's, or the pool's, with the context's device as the current one. An error of the runtime
 * other than a lack of memory is noted as what it is. */
static void *memory(void *user, void *pointer, size_t old_size, size_t new_size, size_t alignment)
{
    sigad_context *context = user;
    sg_device *device = &context->device;
    const sigad_allocator *hook = &device->hook;
    if (!pointer && !sg_device_may_wait(context, "a block of device memory")) return NULL;
    const int32_t before = sg_device_enter(device);
    void *block = NULL;
    int error = 0;
    if (hook->function)
        block = hook->function(hook->user, pointer, old_size, new_size, alignment);
    else if (pointer)
        runtime_of(context)->release(pointer, device->stream);
    else
        error = runtime_of(context)->take(&block, new_size, device->stream);
    if (hook->function && !pointer && block &&
        runtime_of(context)->look_at(block) != SG_CUDA_REACHED) {
        hook->function(hook->user, block, new_size, 0, alignment);
        block = NULL;
        sg_fail(&context->error, SIGAD_EINVAL,
                "a block of device memory: what device_allocator gave is not memory of CUDA device "
                "%d",
                (int)device->index);
    }
    sg_device_leave(device, before);
    if (error && error != SG_CUDA_NO_MEMORY)
        sg_device_check(context, "a block of device memory", error);
    return error ? NULL : block;
}

void *sg_device_take(sigad_context *context, size_t bytes)
{
    const sg_device *device = &context->device;
    if (sg_device_is_host(device)) return sg_allocate(&context->allocator, bytes);
    return device->memory.function(device->memory.user, NULL, 0, bytes, SG_DEVICE_ALIGNMENT);
}

void sg_device_release(sigad_context *context, void *block, size_t bytes)
{
    const sg_device *device = &context->device;
    if (sg_device_is_host(device))
        sg_release(&context->allocator, block, bytes);
    else if (block)
        device->memory.function(device->memory.user, block, bytes, 0, SG_DEVICE_ALIGNMENT);
}

/* ---- what kernels found wrong -------------------------------------------------------------- */

/* The label of the node in question, if its tape still has it. */
static const char *label_of(const sigad_context *context, const sg_origin *origin)
{
    for (const sg_owned *o = context->owned.next; o != &context->owned; o = o->next) {
        const sigad_tape *tape = (const sigad_tape *)(const void *)o;
        if (o != origin->tape || (size_t)origin->node >= tape->count) continue;
        const sg_node *node = &tape->nodes[origin->node];
        return node->generation == origin->generation ? node->label : "";
    }
    return "";
}

static void fail_for(sigad_context *context, const sg_finding *f, const char *format, ...)
    SIGAD_PRINTF(3, 4);
static void fail_for(sigad_context *context, const sg_finding *f, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    sg_fail_operation(&context->error, f->kind == SG_FOUND_NO_NORM ? SIGAD_EINVAL : SIGAD_ERANGE,
                      f->origin.operation, label_of(context, &f->origin), format, values);
    va_end(values);
}

/* Work has run: what it found wrong becomes the context's error. True: nothing. */
static bool report_finding(sigad_context *context)
{
    sg_finding *place = context->place.finding, f = *place;
    if (!f.kind) return true;
    *place = (sg_finding){0};
    if (f.kind == SG_FOUND_INDEX)
        fail_for(context, &f, "index %lld at entry %lld must be at least 0 and less than %lld",
                 (long long)f.index, (long long)f.entry, (long long)f.size);
    else if (f.kind == SG_FOUND_NO_INTEGER)
        fail_for(context, &f, "entry %lld is %g, which has no int64 value", (long long)f.entry,
                 f.value);
    else
        fail_for(context, &f,
                 "the joint norm of the gradients is %g, so that they cannot be clipped", f.value);
    return false;
}

/* ---- bytes --------------------------------------------------------------------------------- */

bool sg_device_clear(sigad_context *context, const char *caller, void *block, size_t bytes)
{
    const sg_device *device = &context->device;
    if (!bytes) return true;
    if (sg_device_is_host(device)) {
        memset(block, 0, bytes);
        return true;
    }
    const int32_t before = sg_device_enter(device);
    const int error = runtime_of(context)->clear(block, bytes, device->stream);
    sg_device_leave(device, before);
    return sg_device_check(context, caller, error);
}

static bool copy(sigad_context *context, const char *caller, void *to, const void *from,
                 size_t bytes, int direction)
{
    const sg_device *device = &context->device;
    if (!bytes) return true;
    if (sg_device_is_host(device)) {
        memmove(to, from, bytes);
        return true;
    }
    const int32_t before = sg_device_enter(device);
    const int error = runtime_of(context)->copy(to, from, bytes, direction, device->stream);
    sg_device_leave(device, before);
    return sg_device_check(context, caller, error);
}

bool sg_device_move(sigad_context *context, const char *caller, void *to, const void *from,
                    size_t bytes)
{
    return copy(context, caller, to, from, bytes, SG_CUDA_INSIDE);
}

bool sg_device_put(sigad_context *context, const char *caller, void *to, const void *from,
                   size_t bytes)
{
    return copy(context, caller, to, from, bytes, SG_CUDA_TO_DEVICE);
}

bool sg_device_get(sigad_context *context, const char *caller, void *to, const void *from,
                   size_t bytes)
{
    return sg_device_may_wait(context, caller) &&
           copy(context, caller, to, from, bytes, SG_CUDA_TO_HOST) &&
           sg_device_wait(context, caller);
}

bool sg_device_wait(sigad_context *context, const char *caller)
{
    const sg_device *device = &context->device;
    if (sg_device_is_host(device)) return true;
    if (!sg_device_may_wait(context, caller)) return false;
    const int32_t before = sg_device_enter(device);
    const int error = runtime_of(context)->wait_for_stream(device->stream);
    sg_device_leave(device, before);
    return sg_device_check(context, caller, error) && report_finding(context);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static bool find(sigad_context *context, const sigad_context_options *options)
{
    static const char *const who = "sigad_context_create";
    sg_error *error = &context->error;
    const sg_cuda_driver *driver = sg_cuda_driver_of_build();
    int32_t count = 0;
    if (!driver) {
        sg_fail(error, SIGAD_EDEVICE, "%s: this library was built without CUDA; use SIGAD_CPU",
                who);
        return false;
    }
    const int failed = driver->runtime->count_devices(&count);
    if (failed || count < 1)
        sg_fail(error, SIGAD_EDEVICE, "%s: there is no CUDA device here%s%s", who,
                failed ? ": " : "", failed ? driver->runtime->error_text(failed) : "");
    else if (options->device_index < 0 || options->device_index >= count)
        sg_fail(error, SIGAD_EDEVICE, "%s: device_index is %d, the devices are 0 .. %d", who,
                (int)options->device_index, (int)count - 1);
    else
        context->device.driver = driver;
    return context->device.driver != NULL;
}

/* Without cuBLAS, products are slower and as good. */
static int open_blas(sigad_context *context)
{
    sg_device *device = &context->device;
    const sg_error *error = &context->error;
    char text[200];
    const char *reason = NULL;
    if (!device->driver->open_blas) return 0;
    device->blas_scratch = sg_device_take(context, SG_CUDA_BLAS_SCRATCH);
    if (!device->blas_scratch) return SG_CUDA_NO_MEMORY;
    if (device->driver->open_blas(&device->blas, device->stream, device->blas_scratch, &reason)) {
        context->place.blas = &device->blas;
        return 0;
    }
    sg_device_release(context, device->blas_scratch, SG_CUDA_BLAS_SCRATCH);
    device->blas_scratch = NULL;
    snprintf(text, sizeof text, "sigad_context_create: products go without cuBLAS: %s", reason);
    if (error->log) error->log(error->log_user, SIGAD_LOG_INFO, text);
    return 0;
}

/* What the kernels of dense operations need; released by sg_device_close, also after a failure. */
static int open_place(sigad_context *context)
{
    sg_device *device = &context->device;
    sg_place *place = &context->place;
    const sg_cuda_runtime *runtime = device->driver->runtime;
    place->kernels = device->driver->dense;
    place->device = SIGAD_CUDA;
    place->stream = device->stream;
    const int error = runtime->take_pinned((void **)&place->finding, sizeof *place->finding);
    if (error) return error;
    place->scratch = sg_device_take(context, SG_PLACE_SCRATCH * sizeof *place->scratch);
    if (!place->scratch) return SG_CUDA_NO_MEMORY;
    return open_blas(context);
}

static int open_on_device(sigad_context *context)
{
    sg_device *device = &context->device;
    int error = device->driver->properties(&device->properties);
    if (!error && !device->stream) {
        error = device->driver->runtime->create_stream(&device->stream);
        device->owns_stream = !error;
    }
    return error ? error : open_place(context);
}

bool sg_device_open(sigad_context *context, const sigad_context_options *options)
{
    sg_device *device = &context->device;
    if (options->device == SIGAD_CPU) return true;
    if (!find(context, options)) return false;
    device->index = options->device_index;
    device->hook = options->device_allocator;
    device->memory = (sigad_allocator){memory, context};
    device->stream = options->stream;
    const int32_t before = sg_device_enter(device);
    const int error = open_on_device(context);
    sg_device_leave(device, before);
    if (!error) return true;
    sg_fail(&context->error, error == SG_CUDA_NO_MEMORY ? SIGAD_ENOMEM : SIGAD_EDEVICE,
            "sigad_context_create: CUDA device %d: %s", (int)device->index,
            runtime_of(context)->error_text(error));
    sg_device_close(context);
    return false;
}

void sg_device_abandon_capture(sigad_context *context)
{
    if (context->device.capture) sg_device_finish(context);
}

void sg_device_finish(sigad_context *context)
{
    const sg_device *device = &context->device;
    void *graph;
    int error;
    if (sg_device_is_host(device)) return;
    sg_device_end_capture(context, &graph, &error);
    if (graph) runtime_of(context)->destroy_graph(graph);
    const int32_t before = sg_device_enter(device);
    runtime_of(context)->wait_for_stream(device->stream);
    sg_device_leave(device, before);
}

void sg_device_close(sigad_context *context)
{
    sg_device *device = &context->device;
    sg_place *place = &context->place;
    if (sg_device_is_host(device)) return;
    const sg_cuda_runtime *runtime = device->driver->runtime;
    const int32_t before = sg_device_enter(device);
    sg_device_release(context, place->scratch, SG_PLACE_SCRATCH * sizeof *place->scratch);
    if (place->blas) device->driver->close_blas(&device->blas);
    sg_device_release(context, device->blas_scratch, SG_CUDA_BLAS_SCRATCH);
    if (place->finding) runtime->release_pinned(place->finding);
    if (device->owns_stream) runtime->destroy_stream(device->stream);
    sg_device_leave(device, before);
}

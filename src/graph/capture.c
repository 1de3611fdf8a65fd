/* A recorded step as a CUDA graph: what is queued between begin and end is kept, to be launched as
 * one. */
#include "graph/tape.h"
#include "sigad/cuda.h"

struct sigad_cuda_graph {
    sg_owned owned;
    sigad_context *context;
    sigad_tape *tape;
    uint32_t generation; /* of the tape: another one has other bytes */
    void *graph;         /* the runtime's; NULL until the capture has ended */
    size_t bytes;        /* of this */
    size_t parameters;
    struct {
        bool before, after; /* the gradient held something */
    } reached[];            /* [parameters] */
};

static void graph_destroy(sg_owned *object)
{
    sigad_cuda_graph *g = (sigad_cuda_graph *)(void *)object;
    sigad_context *context = g->context;
    const sg_device *device = &context->device;
    sg_owned_detach(object);
    if (g->graph) {
        const int32_t before = sg_device_enter(device);
        device->driver->runtime->wait_for_stream(device->stream);
        device->driver->runtime->destroy_graph(g->graph);
        sg_device_leave(device, before);
    }
    sg_release(&context->allocator, g, g->bytes);
}

void sigad_cuda_graph_destroy(sigad_cuda_graph *graph)
{
    if (graph) graph_destroy(&graph->owned);
}

/* ---- capturing ---------------------------------------------------------------------------------
 */

static sigad_status check_begin(sigad_tape *tape, const char *caller)
{
    sg_error *error = &tape->context->error;
    if (sg_device_is_host(&tape->context->device))
        return sg_fail(error, SIGAD_EDEVICE, "%s: the context computes on the CPU", caller);
    if (tape->context->device.capture)
        return sg_fail(error, SIGAD_EINVAL, "%s: a capture is under way in this context", caller);
    return SIGAD_OK;
}

static sigad_cuda_graph *graph_create(sigad_tape *tape, const char *caller)
{
    sigad_context *context = tape->context;
    const size_t count = context->parameter_count;
    const size_t bytes =
        sizeof(sigad_cuda_graph) + count * sizeof *((sigad_cuda_graph *)NULL)->reached;
    sigad_cuda_graph *g = sg_context_allocate(context, bytes);
    if (!g) {
        sg_context_no_memory(context, caller, bytes);
        return NULL;
    }
    *g = (sigad_cuda_graph){.owned = {.destroy = graph_destroy},
                            .context = context,
                            .tape = tape,
                            .bytes = bytes,
                            .parameters = count};
    for (size_t i = 0; i < count; i++) g->reached[i].before = context->parameters[i]->reached;
    sg_context_own(context, &g->owned);
    return g;
}

sigad_status sigad_cuda_capture_begin(sigad_tape *tape)
{
    const char *caller = "sigad_cuda_capture_begin";
    if (!tape) return SIGAD_EINVAL;
    sigad_context *context = tape->context;
    sg_device *device = &context->device;
    if (context->error.status) return context->error.status;
    if (check_begin(tape, caller)) return context->error.status;
    sg_tape_wait_for_uploads(tape);
    sigad_cuda_graph *g = graph_create(tape, caller);
    if (!g) return context->error.status;
    const int32_t before = sg_device_enter(device);
    const int error = device->driver->runtime->begin_capture(device->stream);
    sg_device_leave(device, before);
    if (sg_device_check(context, caller, error))
        device->capture = g;
    else
        graph_destroy(&g->owned);
    return context->error.status;
}

void sg_device_end_capture(sigad_context *context, void **graph, int *error)
{
    sg_device *device = &context->device;
    *graph = NULL;
    *error = 0;
    if (!device->capture) return;
    device->capture = NULL;
    const int32_t before = sg_device_enter(device);
    *error = device->driver->runtime->end_capture(device->stream, graph);
    sg_device_leave(device, before);
}

/* What was captured has set the host's notes as if it had run; now it does. */
static sigad_status finish(sigad_cuda_graph *g, const char *caller, int error)
{
    sigad_context *context = g->context;
    for (size_t i = 0; i < g->parameters; i++) {
        g->reached[i].after = context->parameters[i]->reached;
        context->parameters[i]->reached = g->reached[i].before;
    }
    g->generation = g->tape->generation;
    sg_device_check(context, caller, error);
    return sigad_cuda_graph_launch(g);
}

sigad_status sigad_cuda_capture_end(sigad_tape *tape, sigad_cuda_graph **result)
{
    const char *caller = "sigad_cuda_capture_end";
    if (result) *result = NULL;
    if (!tape) return SIGAD_EINVAL;
    sigad_context *context = tape->context;
    sigad_cuda_graph *g = context->device.capture;
    int error;
    if (!g || g->tape != tape)
        return sg_fail(&context->error, SIGAD_EINVAL, "%s: this tape is not being captured",
                       caller);
    sg_device_end_capture(context, &g->graph, &error);
    if (!result) sg_fail(&context->error, SIGAD_EINVAL, "%s: result is NULL", caller);
    if (finish(g, caller, error))
        graph_destroy(&g->owned);
    else
        *result = g;
    return context->error.status;
}

/* ---- launching ----------------------------------------------------------------------------------
 */

/* A gradient that the captured work adds to, and that holds nothing now, begins with zeros. */
static bool prepare_gradients(sigad_cuda_graph *g, const char *caller)
{
    for (size_t i = 0; i < g->parameters; i++) {
        sg_parameter *p = g->context->parameters[i];
        if (g->reached[i].before && !p->reached &&
            !sg_device_clear(g->context, caller, p->gradient, sg_array_bytes(&p->value)))
            return false;
        p->reached |= g->reached[i].after;
    }
    return true;
}

static bool is_standing(const sigad_cuda_graph *g)
{
    for (const sg_owned *o = g->context->owned.next; o != &g->context->owned; o = o->next)
        if (o == &g->tape->owned) return g->tape->generation == g->generation;
    return false;
}

sigad_status sigad_cuda_graph_launch(sigad_cuda_graph *g)
{
    const char *caller = "sigad_cuda_graph_launch";
    if (!g) return SIGAD_EINVAL;
    sigad_context *context = g->context;
    const sg_device *device = &context->device;
    if (context->error.status) return context->error.status;
    if (device->capture)
        return sg_fail(&context->error, SIGAD_EINVAL, "%s: a capture is under way", caller);
    if (!is_standing(g))
        return sg_fail(&context->error, SIGAD_ESTALE,
                       "%s: the tape was reset, rewound or destroyed since the capture", caller);
    if (!sg_tape_renew(g->tape, caller) || !prepare_gradients(g, caller))
        return context->error.status;
    const int32_t before = sg_device_enter(device);
    const int error = device->driver->runtime->launch_graph(g->graph, device->stream);
    sg_device_leave(device, before);
    sg_device_check(context, caller, error);
    sg_tape_wait_for_uploads(g->tape);
    return context->error.status;
}

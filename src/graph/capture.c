/* A recorded step as a CUDA graph: what is queued between begin and end is kept, to be launched as
 * one. */
#include "graph/capture.h"
#include "sigad/cuda.h"

struct sigad_cuda_graph {
    sg_owned owned;
    sigad_context *context;
    sigad_tape *tape;
    uint64_t tape_serial;
    uint32_t generation; /* of the tape: another one has other bytes */
    void *graph;         /* the runtime's; NULL until the capture has ended */
    size_t bytes;        /* of this */
    sg_captured *first, **last;
    char *room; /* on the device */
    size_t room_bytes, room_used;
    size_t parameter_count;
    struct {
        bool before, after; /* the gradient held something */
        bool frozen;
        uint64_t touches, version; /* before; after the capture: how many there were in it */
        uint64_t read; /* as many of these new versions were there when the tape last read it */
    } parameter[];     /* [parameter_count] */
};

/* On the device for each parameter: enough for a dozen steps in one graph. */
enum { ROOM_PER_PARAMETER = 1024 };

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
    while (g->first) {
        sg_captured *next = g->first->next;
        sg_release(&context->allocator, g->first, g->first->bytes);
        g->first = next;
    }
    sg_device_release(context, g->room, g->room_bytes);
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
        sizeof(sigad_cuda_graph) + count * sizeof *((sigad_cuda_graph *)NULL)->parameter;
    const size_t room_bytes = count * ROOM_PER_PARAMETER;
    sigad_cuda_graph *g = sg_context_allocate(context, bytes);
    char *room = g && count ? sg_device_take(context, room_bytes) : NULL;
    if (!g || (count && !room)) {
        sg_release(&context->allocator, g, bytes);
        sg_context_no_memory(context, caller, g ? room_bytes : bytes);
        return NULL;
    }
    *g = (sigad_cuda_graph){.owned = {.destroy = graph_destroy},
                            .context = context,
                            .tape = tape,
                            .tape_serial = tape->owned.serial,
                            .bytes = bytes,
                            .room = room,
                            .room_bytes = room_bytes,
                            .parameter_count = count};
    g->last = &g->first;
    for (size_t i = 0; i < count; i++) {
        const sg_parameter *p = context->parameters[i];
        g->parameter[i].before = p->reached;
        g->parameter[i].frozen = p->frozen;
        g->parameter[i].touches = p->touches;
        g->parameter[i].version = p->version;
    }
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

void sg_capture_keep(sigad_context *context, sg_captured *captured)
{
    sigad_cuda_graph *g = context->device.capture;
    captured->next = NULL;
    *g->last = captured;
    g->last = &captured->next;
}

void *sg_capture_room(sigad_context *context, const char *caller, size_t bytes)
{
    sigad_cuda_graph *g = context->device.capture;
    void *room = g->room + g->room_used;
    if (bytes <= g->room_bytes - g->room_used) {
        g->room_used += bytes;
        return room;
    }
    sg_fail(&context->error, SIGAD_ENOTSUP, "%s: a graph has no room for so many steps", caller);
    return NULL;
}

bool sg_capture_inherits(const sigad_context *context, size_t parameter)
{
    const sigad_cuda_graph *g = context->device.capture;
    return context->parameters[parameter]->touches == g->parameter[parameter].touches;
}

bool sg_capture_is_of(sigad_tape *tape, const char *caller)
{
    const sigad_cuda_graph *g = tape->context->device.capture;
    if (g->tape == tape) return true;
    sg_fail(&tape->context->error, SIGAD_EINVAL, "%s: another tape is being captured", caller);
    return false;
}

/* How old a parameter was, at its oldest, when the captured work read it: in versions that this
 * work made. */
static uint64_t versions_read(const sigad_cuda_graph *g, size_t parameter)
{
    const uint64_t start = g->parameter[parameter].version;
    uint64_t least = g->context->parameters[parameter]->version - start;
    for (size_t i = 0; i < g->tape->count; i++) {
        const sg_node *node = &g->tape->nodes[i];
        for (int k = 0; node->versions && k < node->n; k++) {
            if (!sg_is_parameter(node->inputs[k]) || node->inputs[k].id != parameter) continue;
            const uint64_t read = node->versions[k] > start ? node->versions[k] - start : 0;
            if (read < least) least = read;
        }
    }
    return least;
}

/* What was captured has set the host's notes as if it had run; now it does. */
static sigad_status finish(sigad_cuda_graph *g, const char *caller, int error)
{
    sigad_context *context = g->context;
    for (size_t i = 0; i < g->parameter_count; i++) {
        sg_parameter *p = context->parameters[i];
        g->parameter[i].read = versions_read(g, i);
        g->parameter[i].version = p->version - g->parameter[i].version;
        g->parameter[i].touches = p->touches - g->parameter[i].touches;
        g->parameter[i].after = p->reached;
        p->reached = g->parameter[i].before;
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
    for (size_t i = 0; i < g->parameter_count; i++) {
        sg_parameter *p = g->context->parameters[i];
        if (g->parameter[i].before && !p->reached &&
            !sg_device_clear(g->context, caller, p->gradient, sg_array_bytes(&p->value)))
            return false;
        if (g->parameter[i].touches) p->reached = g->parameter[i].after;
    }
    return true;
}

/* The tape computes with the versions that the captured work will find. */
static bool renew(sigad_cuda_graph *g, const char *caller)
{
    sg_parameter **p = g->context->parameters;
    for (size_t i = 0; i < g->parameter_count; i++) p[i]->version += g->parameter[i].read;
    const bool good = sg_tape_renew(g->tape, caller);
    for (size_t i = 0; i < g->parameter_count; i++)
        p[i]->version += g->parameter[i].version - g->parameter[i].read;
    return good;
}

/* Steps of optimizers get the numbers of this launch; all of them or none. */
static bool prepare_captured(sigad_cuda_graph *g, const char *caller, const sg_captured **end)
{
    for (sg_captured *c = g->first; c; c = c->next) {
        *end = c;
        if (!c->prepare(g->context, c, caller)) return false;
    }
    *end = NULL;
    return true;
}

static bool is_standing(const sigad_cuda_graph *g)
{
    return sg_context_owns(g->context, g->tape_serial) && g->tape->generation == g->generation;
}

static sigad_status check_launch(const sigad_cuda_graph *g, const char *caller)
{
    sg_error *error = &g->context->error;
    if (g->context->device.capture)
        return sg_fail(error, SIGAD_EINVAL, "%s: a capture is under way", caller);
    if (!is_standing(g))
        return sg_fail(error, SIGAD_ESTALE,
                       "%s: the tape was reset, rewound or destroyed since the capture", caller);
    for (size_t i = 0; g->first && i < g->parameter_count; i++) {
        const sg_parameter *p = g->context->parameters[i];
        if (p->frozen != g->parameter[i].frozen)
            return sg_fail(error, SIGAD_ESTALE, "%s: '%.200s' was %s since the capture", caller,
                           p->name, p->frozen ? "frozen" : "thawed");
    }
    return SIGAD_OK;
}

static bool launch(sigad_cuda_graph *g, const char *caller)
{
    const sg_device *device = &g->context->device;
    if (!renew(g, caller) || !prepare_gradients(g, caller)) return false;
    const int32_t before = sg_device_enter(device);
    const int error = device->driver->runtime->launch_graph(g->graph, device->stream);
    sg_device_leave(device, before);
    return sg_device_check(g->context, caller, error);
}

sigad_status sigad_cuda_graph_launch(sigad_cuda_graph *g)
{
    const char *caller = "sigad_cuda_graph_launch";
    if (!g) return SIGAD_EINVAL;
    const sg_error *error = &g->context->error;
    const sg_captured *end = g->first;
    if (error->status || check_launch(g, caller)) return error->status;
    if (!prepare_captured(g, caller, &end) || !launch(g, caller))
        for (sg_captured *c = g->first; c != end; c = c->next) c->undo(c);
    sg_tape_wait_for_uploads(g->tape);
    return error->status;
}

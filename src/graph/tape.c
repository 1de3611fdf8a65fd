#include "graph/tape.h"
#include <string.h>

static const sigad_tensor poison = {0, 0};

/* ---- life ---------------------------------------------------------------------------------- */

static void start_generation(sigad_tape *tape)
{
    tape->generation = sg_context_next_generation(tape->context);
}

static bool create_event(sigad_tape *tape)
{
    const sg_device *device = &tape->context->device;
    if (sg_device_is_host(device)) return true;
    const int32_t before = sg_device_enter(device);
    const int error = device->driver->runtime->create_event(&tape->uploads);
    sg_device_leave(device, before);
    return sg_device_check(tape->context, "sigad_tape_create", error);
}

static void destroy_event(sigad_tape *tape)
{
    const sg_device *device = &tape->context->device;
    if (sg_device_is_host(device)) return;
    const int32_t before = sg_device_enter(device);
    device->driver->runtime->destroy_event(tape->uploads);
    sg_device_leave(device, before);
}

/* On a device, bytes of tensors have arenas of their own. */
static void create_arenas(sigad_tape *tape)
{
    sigad_context *context = tape->context;
    const bool host = sg_device_is_host(&context->device);
    sg_arena_init(&tape->arena, &context->allocator);
    sg_arena_init(&tape->side, &context->allocator);
    sg_arena_init_device(&tape->device_arena, &context->device.memory, &context->allocator);
    sg_arena_init_device(&tape->device_side, &context->device.memory, &context->allocator);
    tape->values = host ? &tape->arena : &tape->device_arena;
    tape->side_values = host ? &tape->side : &tape->device_side;
}

static void tape_destroy(sg_owned *object)
{
    sigad_tape *tape = (sigad_tape *)(void *)object;
    sigad_allocator allocator = tape->context->allocator;
    sg_owned_detach(object);
    sg_device_abandon_capture(tape->context);
    sg_tape_wait_for_uploads(tape);
    destroy_event(tape);
    sg_arena_destroy(&tape->device_arena);
    sg_arena_destroy(&tape->device_side);
    sg_arena_destroy(&tape->arena);
    sg_arena_destroy(&tape->side);
    sg_release(&allocator, tape->nodes, tape->capacity * sizeof *tape->nodes);
    sg_release(&allocator, tape, sizeof *tape);
}

sigad_status sigad_tape_create(sigad_context *context, sigad_tape **result)
{
    if (result) *result = NULL;
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!result) return sg_fail(&context->error, SIGAD_EINVAL, "sigad_tape_create: result is NULL");
    sigad_tape *tape = sg_allocate(&context->allocator, sizeof *tape);
    if (!tape) return sg_context_no_memory(context, "sigad_tape_create", sizeof *tape);
    *tape = (sigad_tape){
        .owned = {.destroy = tape_destroy}, .context = context, .serial = context->tapes_made++};
    if (!create_event(tape)) {
        sg_release(&context->allocator, tape, sizeof *tape);
        return context->error.status;
    }
    create_arenas(tape);
    start_generation(tape);
    tape->since_reset = tape->generation;
    sg_context_own(context, &tape->owned);
    *result = tape;
    return SIGAD_OK;
}

void sigad_tape_destroy(sigad_tape *tape)
{
    if (tape) tape_destroy(&tape->owned);
}

void sigad_tape_reset(sigad_tape *tape)
{
    if (!tape) return;
    sg_device_abandon_capture(tape->context);
    sg_tape_wait_for_uploads(tape);
    tape->count = 0;
    tape->notes = NULL;
    sg_arena_reset(&tape->arena);
    sg_arena_reset(&tape->side);
    sg_arena_reset(&tape->device_arena);
    sg_arena_reset(&tape->device_side);
    start_generation(tape);
    tape->since_reset = tape->generation;
    tape->step++;
}

sigad_context *sigad_tape_context(const sigad_tape *tape)
{
    return tape ? tape->context : NULL;
}

sigad_status sigad_tape_evaluate(sigad_tape *tape, int on)
{
    if (!tape) return SIGAD_EINVAL;
    if (tape->context->error.status) return tape->context->error.status;
    if (tape->count)
        return sg_fail(&tape->context->error, SIGAD_EINVAL,
                       "sigad_tape_evaluate: the tape holds %zu tensors; reset it first",
                       tape->count);
    tape->evaluating = on != 0;
    return SIGAD_OK;
}

uint64_t sigad_tape_step(const sigad_tape *tape)
{
    return tape ? tape->step : 0;
}

void sigad_tape_set_step(sigad_tape *tape, uint64_t step)
{
    if (tape) tape->step = step;
}

/* ---- copies from the host ------------------------------------------------------------------ */

bool sg_tape_upload(sigad_tape *tape, const char *caller, void *to, const void *from, size_t bytes)
{
    const sg_device *device = &tape->context->device;
    if (!sg_device_may_wait(tape->context, caller)) return false;
    if (!sg_device_put(tape->context, caller, to, from, bytes)) return false;
    if (sg_device_is_host(device) || !bytes) return true;
    const int32_t before = sg_device_enter(device);
    const int error = device->driver->runtime->record_event(tape->uploads, device->stream);
    sg_device_leave(device, before);
    tape->uploading = true;
    return sg_device_check(tape->context, caller, error);
}

/* What goes wrong on a device is reported by those who read from it. */
void sg_tape_wait_for_uploads(sigad_tape *tape)
{
    const sg_device *device = &tape->context->device;
    if (!tape->uploading || device->capture) return;
    const int32_t before = sg_device_enter(device);
    device->driver->runtime->wait_for_event(tape->uploads);
    sg_device_leave(device, before);
    tape->uploading = false;
}

/* ---- mark and rewind ----------------------------------------------------------------------- */

/* Tells the first `count` nodes from any other that the tape ever had: by the newest of them. */
static uint64_t mark_at(const sigad_tape *tape, size_t count)
{
    uint32_t generation = count ? tape->nodes[count - 1].generation : tape->since_reset;
    return (uint64_t)generation << 32 | count;
}

uint64_t sigad_tape_mark(const sigad_tape *tape)
{
    return tape ? mark_at(tape, tape->count) : 0;
}

void sg_tape_drop(sigad_tape *tape, size_t count)
{
    if (count >= tape->count) return;
    sg_tape_wait_for_uploads(tape);
    sg_tape_return(tape, tape->nodes[count].before);
    while (tape->notes && tape->notes->node >= count) {
        sg_note note = *tape->notes;
        sg_tape_side_return(tape, note.before);
        tape->notes = note.previous;
    }
    tape->count = count;
    start_generation(tape);
}

sigad_status sigad_tape_rewind(sigad_tape *tape, uint64_t mark)
{
    if (!tape) return SIGAD_EINVAL;
    if (tape->context->error.status) return tape->context->error.status;
    size_t count = (uint32_t)mark;
    if (count > tape->count || mark != mark_at(tape, count))
        return sg_fail(&tape->context->error, SIGAD_ESTALE,
                       "sigad_tape_rewind: the mark is from before a reset or an earlier rewind, "
                       "or of another tape");
    sg_tape_drop(tape, count);
    return SIGAD_OK;
}

/* ---- handles ------------------------------------------------------------------------------- */

sg_node *sg_tape_node(sigad_tape *tape, const char *caller, sigad_tensor handle)
{
    sg_error *error = &tape->context->error;
    sg_node *node = sg_tape_find(tape, handle);
    if (node) return node;
    if (!handle.generation)
        sg_fail(error, SIGAD_EINVAL,
                "%s: an operand is the zero tensor, though no error is set: was it computed?",
                caller);
    else if (sg_is_parameter(handle))
        sg_fail(error, SIGAD_EINVAL, "%s: a parameter is not a tensor of the tape", caller);
    else
        sg_fail(error, SIGAD_ESTALE,
                "%s: a stale handle: from before a reset, rewind or replay, or of another tape",
                caller);
    return NULL;
}

const sigad_array *sg_tape_look_again(sigad_tape *tape, const char *caller, sigad_tensor handle)
{
    if (sg_is_parameter(handle)) {
        const sg_parameter *parameter = sg_context_parameter(tape->context, caller, handle);
        return parameter ? &parameter->value : NULL;
    }
    const sg_node *node = sg_tape_node(tape, caller, handle);
    return node ? &node->value : NULL;
}

bool sg_tape_resolve(sigad_tape *tape, const char *caller, sigad_tensor handle, sigad_array *value)
{
    const sigad_array *found = sg_tape_look(tape, caller, handle);
    if (found) *value = *found;
    return found != NULL;
}

int64_t sigad_tape_count(const sigad_tape *tape)
{
    return tape ? (int64_t)tape->count : 0;
}

sigad_tensor sigad_tape_at(sigad_tape *tape, int64_t index)
{
    if (!tape) return poison;
    if (index >= 0 && (size_t)index < tape->count && !tape->nodes[index].stale)
        return sg_tape_handle(tape, (size_t)index);
    if (index >= 0 && (size_t)index < tape->count)
        sg_fail(&tape->context->error, SIGAD_ESTALE,
                "sigad_tape_at: tensor %lld is a sweep's result from before a replay",
                (long long)index);
    else
        sg_fail(&tape->context->error, SIGAD_EINVAL, "sigad_tape_at: index %lld is not in 0..%lld",
                (long long)index, (long long)tape->count - 1);
    return poison;
}

/* ---- marks on nodes ------------------------------------------------------------------------ */

/* Room for what is given to a node that stands: `bytes` of `home`, which is the tape's arena or
 * that of values, or for a node that is not the newest of the side arena that belongs to it: a
 * rewind must not take what an older node was given. NULL with the error set. */
static void *take_note(sigad_tape *tape, const char *caller, size_t node, sg_arena *home,
                       size_t bytes)
{
    void *block;
    if (node == tape->count - 1) {
        block = sg_arena_take(home, bytes);
    } else {
        const sg_tape_mark before = sg_tape_side_here(tape);
        sg_note *note = sg_arena_take(&tape->side, sizeof *note);
        block = note ? sg_arena_take(home == tape->values ? tape->side_values : &tape->side, bytes)
                     : NULL;
        if (block) {
            *note = (sg_note){tape->notes, node, before};
            tape->notes = note;
        } else {
            sg_tape_side_return(tape, before);
        }
    }
    if (!block) sg_context_no_memory(tape->context, caller, bytes);
    return block;
}

sigad_tensor sigad_watch(sigad_tape *tape, sigad_tensor x)
{
    if (!tape || tape->context->error.status) return poison;
    sg_error *error = &tape->context->error;
    if (sg_is_parameter(x)) {
        const sg_parameter *parameter = sg_context_parameter(tape->context, "sigad_watch", x);
        if (parameter && parameter->frozen)
            sg_fail(error, SIGAD_EINVAL, "sigad_watch '%s': the parameter is frozen; thaw it",
                    parameter->name);
        return error->status ? poison : x;
    }
    sg_node *node = sg_tape_node(tape, "sigad_watch", x);
    if (!node) return poison;
    if (node->watched) return x;
    if (node->value.dtype == SIGAD_I64) {
        sg_fail(error, SIGAD_EDTYPE, "sigad_watch: int64 tensors have no gradient");
        return poison;
    }
    size_t bytes = sg_array_bytes(&node->value);
    node->gradient = take_note(tape, "sigad_watch", x.id, tape->values, bytes);
    if (!node->gradient || !sg_device_clear(tape->context, "sigad_watch", node->gradient, bytes))
        return poison;
    node->watched = true;
    node->reached = false;
    return x;
}

sigad_tensor sigad_label(sigad_tape *tape, sigad_tensor x, const char *text)
{
    if (!tape) return poison;
    sg_error *error = &tape->context->error;
    if (error->status) {
        if (!x.generation && text) sg_error_add_label(error, text);
        return poison;
    }
    if (!text) {
        sg_fail(error, SIGAD_EINVAL, "sigad_label: text is NULL");
        return poison;
    }
    sg_node *node = sg_tape_node(tape, "sigad_label", x);
    if (!node) return poison;
    size_t bytes = strlen(text) + 1;
    if (bytes > node->label_bytes) {
        char *room = take_note(tape, "sigad_label", x.id, &tape->arena, bytes);
        if (!room) return poison;
        node->label = room;
        node->label_bytes = bytes;
    }
    memmove(node->label, text, bytes);
    return x;
}

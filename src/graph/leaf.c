/* What enters a tape without being computed. */
#include "graph/capture.h"
#include "sigad/cuda.h"
#include <math.h>
#include <string.h>

static const sigad_tensor poison = {0, 0};

static bool grow(sigad_tape *tape, const char *caller)
{
    if (tape->count < UINT32_MAX && sg_grow(&tape->context->allocator, (void **)&tape->nodes,
                                            tape->count, &tape->capacity, sizeof *tape->nodes))
        return true;
    return !sg_context_no_memory(tape->context, caller, sizeof *tape->nodes);
}

static bool may_append(sigad_tape *tape, const char *caller)
{
    if (!tape->recording) return sg_tape_may_compute(tape, caller);
    sg_fail(&tape->context->error, SIGAD_EINVAL,
            "%s: a function of an operation uses the tape that it runs on", caller);
    return false;
}

sg_node *sg_tape_next(sigad_tape *tape, const char *caller)
{
    if (!may_append(tape, caller)) return NULL;
    if (tape->count >= tape->capacity && !grow(tape, caller)) return NULL;
    sg_node *node = &tape->nodes[tape->count];
    /* field by field, as in sg_call_begin */
    node->generation = tape->generation;
    node->stale = node->watched = node->reached = false;
    node->value.data = NULL;
    node->value.dtype = node->value.rank = 0;
    node->value.elements = 0;
    for (int i = 0; i < SIGAD_MAX_RANK; i++) node->value.shape[i] = 0;
    node->source = NULL;
    node->gradient = NULL;
    node->label = "";
    node->label_bytes = 0;
    return node;
}

static sigad_tensor append_leaf(sigad_tape *tape, const char *caller, sg_tape_mark before,
                                sg_node_kind kind, const sigad_array *value)
{
    sg_node *node = sg_tape_next(tape, caller);
    if (!node) {
        sg_tape_return(tape, before);
        return poison;
    }
    node->kind = (uint8_t)kind;
    node->value = *value;
    node->before = before;
    node->n = 0;
    node->op = NULL;
    node->inputs = NULL;
    node->versions = NULL;
    node->attributes = node->saved = NULL;
    node->attribute_bytes = node->saved_bytes = 0;
    return sg_tape_handle(tape, tape->count++);
}

/* Gives the value bytes on the device and, where the host cannot write to those, *staged on the
 * host; false if memory is short. */
static bool take_bytes(sigad_tape *tape, const char *caller, sigad_array *value, void **staged)
{
    const size_t bytes = sg_array_bytes(value);
    value->data = sg_arena_take(tape->values, bytes);
    void *staging = value->data;
    if (staged && tape->values != &tape->arena) staging = sg_arena_take(&tape->arena, bytes);
    if (staged) *staged = staging;
    return (value->data && staging) || !sg_context_no_memory(tape->context, caller, bytes);
}

static sigad_tensor give_up(sigad_tape *tape, sg_tape_mark before)
{
    sg_tape_return(tape, before);
    return poison;
}

void *sg_tape_leaf_begin(sigad_tape *tape, const char *caller, const sigad_array *value,
                         sg_draft *draft)
{
    draft->before = sg_tape_here(tape);
    draft->value = *value;
    if (take_bytes(tape, caller, &draft->value, &draft->bytes)) return draft->bytes;
    give_up(tape, draft->before);
    return NULL;
}

sigad_tensor sg_tape_leaf_end(sigad_tape *tape, const char *caller, const sg_draft *draft)
{
    const sigad_array *value = &draft->value;
    if (draft->bytes != value->data &&
        !sg_tape_upload(tape, caller, value->data, draft->bytes, sg_array_bytes(value)))
        return give_up(tape, draft->before);
    return append_leaf(tape, caller, draft->before, SG_NODE_CONSTANT, value);
}

sigad_tensor sg_tape_leaf(sigad_tape *tape, const char *caller, sg_node_kind kind,
                          const sigad_array *described, const void *data)
{
    sigad_array value = *described;
    const size_t bytes = sg_array_bytes(&value);
    const sg_tape_mark before = sg_tape_here(tape);
    void *staged = NULL;
    bool good = take_bytes(tape, caller, &value, data ? &staged : NULL);
    if (good && data && bytes) memcpy(staged, data, bytes);
    if (good && !data)
        good = sg_device_clear(tape->context, caller, value.data, bytes);
    else if (good && staged != value.data)
        good = sg_tape_upload(tape, caller, value.data, staged, bytes);
    return good ? append_leaf(tape, caller, before, kind, &value) : give_up(tape, before);
}

sigad_tensor sg_tape_leaf_copy(sigad_tape *tape, const char *caller, sg_node_kind kind,
                               const sigad_array *described, const void *data)
{
    sigad_array value = *described;
    const sg_tape_mark before = sg_tape_here(tape);
    if (!take_bytes(tape, caller, &value, NULL) ||
        !sg_device_move(tape->context, caller, value.data, data, sg_array_bytes(&value)))
        return give_up(tape, before);
    return append_leaf(tape, caller, before, kind, &value);
}

/* NULL is right where there are no elements; the elements must be aligned. */
static sigad_status check_bytes(sg_error *error, const char *caller, const sigad_array *value,
                                const void *data)
{
    size_t size = sg_dtype_bytes(value->dtype);
    char text[SG_SHAPE_TEXT];
    if (!data && value->elements)
        return sg_fail(error, SIGAD_EINVAL, "%s: data is NULL, but %s has %lld elements", caller,
                       sg_shape_text(value, text), (long long)value->elements);
    if (value->elements && (uintptr_t)data % size)
        return sg_fail(error, SIGAD_EINVAL, "%s: data of %s must be aligned to %zu bytes", caller,
                       sg_dtype_name(value->dtype), size);
    return SIGAD_OK;
}

/* On the host the caller's bytes are the tensor's: never written to, only read by fwd. */
static sigad_tensor append_input(sigad_tape *tape, const char *caller, sigad_array *value,
                                 const void *data)
{
    const sg_tape_mark before = sg_tape_here(tape);
    const bool host = sg_device_is_host(&tape->context->device);
    if (host)
        memcpy(&value->data, &data, sizeof data);
    else if (!take_bytes(tape, caller, value, NULL) ||
             !sg_tape_upload(tape, caller, value->data, data, sg_array_bytes(value)))
        return give_up(tape, before);
    const sigad_tensor input = append_leaf(tape, caller, before, SG_NODE_INPUT, value);
    if (input.generation && !host) tape->nodes[input.id].source = data;
    return input;
}

sigad_tensor sigad_input(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                         const void *data)
{
    const char *caller = "sigad_input";
    sigad_array value;
    if (!sg_tape_ready(tape)) return poison;
    sg_error *error = &tape->context->error;
    if (sg_array_describe(error, caller, dtype, rank, shape, &value)) return poison;
    if (check_bytes(error, caller, &value, data)) return poison;
    return append_input(tape, caller, &value, data);
}

static bool check_device(sigad_tape *tape, const char *caller)
{
    if (!sg_device_is_host(&tape->context->device)) return true;
    sg_fail(&tape->context->error, SIGAD_EDEVICE, "%s: the context computes on the CPU", caller);
    return false;
}

/* As check_bytes, for bytes on the device. */
static bool check_device_bytes(sigad_tape *tape, const char *caller, const sigad_array *value,
                               const void *data)
{
    const sg_device *device = &tape->context->device;
    if (check_bytes(&tape->context->error, caller, value, data)) return false;
    if (!value->elements) return true;
    const int32_t before = sg_device_enter(device);
    const int found = device->driver->runtime->look_at(data);
    sg_device_leave(device, before);
    if (found == SG_CUDA_OF_HOST)
        sg_fail(&tape->context->error, SIGAD_EINVAL,
                "%s: data is not memory of CUDA device %d: memory of the host goes to sigad_input",
                caller, (int)device->index);
    else if (found == SG_CUDA_UNKNOWN)
        sg_fail(&tape->context->error, SIGAD_ECUDA,
                "%s: CUDA device %d reports an error, so that data cannot be looked at", caller,
                (int)device->index);
    else if (found)
        sg_fail(&tape->context->error, SIGAD_EINVAL,
                "%s: data is memory of another CUDA device than %d", caller, (int)device->index);
    return found == SG_CUDA_REACHED;
}

sigad_tensor sigad_cuda_input(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                              const void *data)
{
    const char *caller = "sigad_cuda_input";
    sigad_array value;
    if (!sg_tape_ready(tape) || !check_device(tape, caller)) return poison;
    if (sg_array_describe(&tape->context->error, caller, dtype, rank, shape, &value) ||
        !check_device_bytes(tape, caller, &value, data))
        return poison;
    memcpy(&value.data, &data, sizeof data);
    return append_leaf(tape, caller, sg_tape_here(tape), SG_NODE_INPUT, &value);
}

sigad_status sigad_input_bind(sigad_tape *tape, sigad_tensor input, const void *data)
{
    const char *caller = "sigad_input_bind";
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    sg_node *node = sg_tape_node(tape, caller, input);
    if (!node) return error->status;
    if (node->kind != SG_NODE_INPUT)
        return sg_fail(error, SIGAD_EINVAL,
                       "%s: this is a %s; only what sigad_input made can be pointed elsewhere",
                       caller, sg_node_operation(node));
    const bool on_device = !sg_device_is_host(&tape->context->device) && !node->source;
    if (on_device ? !check_device_bytes(tape, caller, &node->value, data)
                  : check_bytes(error, caller, &node->value, data))
        return error->status;
    if (node->source)
        node->source = data;
    else
        memcpy(&node->value.data, &data, sizeof data);
    return SIGAD_OK;
}

sigad_tensor sigad_constant(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                            const void *data)
{
    const char *caller = "sigad_constant";
    sigad_array value;
    if (!sg_tape_ready(tape)) return poison;
    sg_error *error = &tape->context->error;
    if (sg_array_describe(error, caller, dtype, rank, shape, &value)) return poison;
    if (!data && value.elements) {
        check_bytes(error, caller, &value, data);
        return poison;
    }
    return sg_tape_leaf(tape, caller, SG_NODE_CONSTANT, &value, data);
}

sigad_tensor sigad_scalar(sigad_tape *tape, sigad_dtype dtype, double number)
{
    const char *caller = "sigad_scalar";
    sigad_array value;
    if (!sg_tape_ready(tape)) return poison;
    sg_error *error = &tape->context->error;
    if (sg_array_describe(error, caller, dtype, 0, NULL, &value)) return poison;
    const float single = (float)number;
    if (dtype != SIGAD_I64)
        return sg_tape_leaf(tape, caller, SG_NODE_CONSTANT, &value,
                            dtype == SIGAD_F32 ? (const void *)&single : &number);
    if (!(fabs(number) < 0x1p63) || number != floor(number)) {
        sg_fail(error, SIGAD_ERANGE, "%s: %g is not an int64", caller, number);
        return poison;
    }
    const int64_t whole = (int64_t)number;
    return sg_tape_leaf(tape, caller, SG_NODE_CONSTANT, &value, &whole);
}

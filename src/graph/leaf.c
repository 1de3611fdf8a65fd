/* What enters a tape without being computed. */
#include "graph/tape.h"
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
    if (!tape->recording) return true;
    sg_fail(&tape->context->error, SIGAD_EINVAL,
            "%s: a function of an operation uses the tape that it runs on", caller);
    return false;
}

sg_node *sg_tape_next(sigad_tape *tape, const char *caller, sg_arena_mark before)
{
    if (!may_append(tape, caller)) return NULL;
    if (tape->count >= tape->capacity && !grow(tape, caller)) return NULL;
    sg_node *node = &tape->nodes[tape->count];
    /* field by field, as in call_begin */
    node->generation = tape->generation;
    node->kind = 0;
    node->stale = node->watched = node->reached = false;
    node->n = 0;
    node->value = (sigad_array){0};
    node->op = NULL;
    node->inputs = NULL;
    node->versions = NULL;
    node->before = before;
    node->attributes = node->saved = node->gradient = NULL;
    node->attribute_bytes = node->saved_bytes = node->label_bytes = 0;
    node->label = "";
    return node;
}

static sigad_tensor append_leaf(sigad_tape *tape, const char *caller, sg_arena_mark before,
                                sg_node_kind kind, const sigad_array *value)
{
    sg_node *node = sg_tape_next(tape, caller, before);
    if (!node) {
        sg_arena_rewind(&tape->arena, before);
        return poison;
    }
    node->kind = (uint8_t)kind;
    node->value = *value;
    return sg_tape_handle(tape, tape->count++);
}

sigad_tensor sg_tape_leaf(sigad_tape *tape, const char *caller, sg_node_kind kind,
                          const sigad_array *described, const void *data)
{
    sigad_array value = *described;
    size_t bytes = sg_array_bytes(&value);
    sg_arena_mark before = sg_arena_position(&tape->arena);
    value.data =
        data ? sg_arena_take(&tape->arena, bytes) : sg_arena_take_zeroed(&tape->arena, bytes);
    if (!value.data) {
        sg_context_no_memory(tape->context, caller, bytes);
        return poison;
    }
    if (data && bytes) memcpy(value.data, data, bytes);
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

sigad_tensor sigad_input(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                         const void *data)
{
    const char *caller = "sigad_input";
    sigad_array value;
    if (!sg_tape_ready(tape)) return poison;
    sg_error *error = &tape->context->error;
    if (sg_array_describe(error, caller, dtype, rank, shape, &value)) return poison;
    if (check_bytes(error, caller, &value, data)) return poison;
    memcpy(&value.data, &data, sizeof data); /* never written to: only fwd of other nodes reads */
    return append_leaf(tape, caller, sg_arena_position(&tape->arena), SG_NODE_INPUT, &value);
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
    if (check_bytes(error, caller, &node->value, data)) return error->status;
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

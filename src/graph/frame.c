/* Calling the functions of nodes that stand. */
#include "graph/call.h"
#include <string.h>

bool sg_frame_create(sigad_tape *tape, int n, sg_frame *frame)
{
    const size_t bytes = 4 * (size_t)n * sizeof(sigad_array);
    sigad_array *arrays = sg_arena_take(&tape->side, bytes);
    if (!arrays) return !sg_context_no_memory(tape->context, "a sweep over the tape", bytes);
    sg_call_begin(&frame->call, tape);
    frame->x = arrays;
    frame->x_cotangent = arrays + n;
    frame->x_tangent = arrays + 2 * n;
    frame->x_cotangent_tangent = arrays + 3 * n;
    return true;
}

static void describe_like(sigad_array *array, const sigad_array *like)
{
    *array = *like;
    array->data = NULL;
}

bool sg_frame_bind(sigad_tape *tape, sg_frame *frame, size_t position, unsigned functions)
{
    const sg_node *node = &tape->nodes[position];
    const bool second = functions >> SIGAD_SOC & 1;
    const bool cotangents = functions >> SIGAD_VJP & 1, tangents = functions >> SIGAD_JVP & 1;
    sg_call_name(&frame->call, node->op, node->label, position);
    for (int i = 0; i < node->n; i++) {
        if (!sg_tape_resolve(tape, node->op->name, node->inputs[i], &frame->x[i])) return false;
        if (cotangents) describe_like(&frame->x_cotangent[i], &frame->x[i]);
        if (tangents || second) describe_like(&frame->x_tangent[i], &frame->x[i]);
        if (second) describe_like(&frame->x_cotangent_tangent[i], &frame->x[i]);
    }
    frame->y = node->value;
    if (cotangents || second) describe_like(&frame->y_cotangent, &frame->y);
    if (tangents) describe_like(&frame->y_tangent, &frame->y);
    frame->call.fresh = 0;
    sigad_op_call *call = &frame->call.call;
    call->n = node->n;
    call->attributes = node->attributes;
    call->attribute_bytes = node->attribute_bytes;
    call->saved = node->saved;
    call->saved_bytes = node->saved_bytes;
    memcpy(call->workspace_bytes, node->workspace_bytes, sizeof call->workspace_bytes);
    call->x = frame->x;
    call->y = &frame->y;
    return true;
}

bool sg_frame_run(sg_frame *frame, const sigad_op *op, int which, void *workspace)
{
    sigad_op_call *call = &frame->call.call;
    const sigad_context *context = frame->call.tape->context;
    sigad_op_function function = sg_op_function_at(context, op, which);
    if (!function)
        return !sigad_op_fail(call, op->flags & SG_OP_GRADIENT ? SIGAD_EORDER : SIGAD_ENOTSUP,
                              "it has no %s", sg_op_function_name(context, which));
    call->workspace = workspace;
    call->y_cotangent = which == SIGAD_VJP || which == SIGAD_SOC ? &frame->y_cotangent : NULL;
    call->x_cotangent = which == SIGAD_VJP ? frame->x_cotangent : NULL;
    call->x_tangent = which == SIGAD_JVP || which == SIGAD_SOC ? frame->x_tangent : NULL;
    call->y_tangent = which == SIGAD_JVP ? &frame->y_tangent : NULL;
    call->x_cotangent_tangent = which == SIGAD_SOC ? frame->x_cotangent_tangent : NULL;
    return sg_call_run(&frame->call, function, which);
}

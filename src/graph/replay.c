/* Recomputing a recorded tape on new input bytes. */
#include "graph/capture.h"

/* A sweep's result goes stale: it is not computed again. */
static bool inputs_stand(const sigad_tape *tape, const sg_node *node)
{
    for (int i = 0; i < node->n; i++) {
        sigad_tensor x = node->inputs[i];
        if (sg_is_parameter(x) || tape->nodes[x.id].kind != SG_NODE_RESULT) continue;
        sg_fail(&tape->context->error, SIGAD_ENOTSUP,
                "sigad_replay: %s%s%s%s uses a result of sigad_gradient, jvp or hvp, which is not "
                "computed again (sigad_grad is)",
                node->op->name, *node->label ? " '" : "", node->label, *node->label ? "'" : "");
        return false;
    }
    return true;
}

static void take_versions(const sigad_tape *tape, sg_node *node)
{
    for (int i = 0; node->versions && i < node->n; i++)
        if (sg_is_parameter(node->inputs[i]))
            node->versions[i] = tape->context->parameters[node->inputs[i].id]->version;
}

static bool recompute(sigad_tape *tape, sg_frame *frame, size_t position, void *workspace)
{
    sg_node *node = &tape->nodes[position];
    if (!sg_frame_bind(tape, frame, position, 1u << SIGAD_FWD)) return false;
    take_versions(tape, node);
    if (sg_node_shares(node, frame->x)) return true;
    const uint64_t start = sg_node_clock(node);
    bool good = sg_frame_run(frame, node->op, SIGAD_FWD, workspace);
    node->ticks = sg_node_clock(node) - start;
    return good;
}

/* Checks that all can be recomputed, and makes what that needs; changes nothing. */
static bool prepare(sigad_tape *tape, sg_frame *frame, void **workspace)
{
    size_t bytes = 0;
    int most = 0;
    for (size_t i = 0; i < tape->count; i++) {
        const sg_node *node = &tape->nodes[i];
        if (node->kind != SG_NODE_OPERATION) continue;
        if (!inputs_stand(tape, node)) return false;
        if (node->n > most) most = node->n;
        if (node->workspace_bytes[SIGAD_FWD] > bytes) bytes = node->workspace_bytes[SIGAD_FWD];
    }
    if (!sg_frame_create(tape, most, frame)) return false;
    *workspace = sg_arena_take(tape->side_values, bytes);
    return *workspace || !sg_context_no_memory(tape->context, "sigad_replay", bytes);
}

/* Forgets what belongs to the old values. */
static bool forget(sigad_context *context, sg_node *node)
{
    node->reached = false;
    if (node->kind == SG_NODE_RESULT) node->stale = true;
    return !node->watched ||
           sg_device_clear(context, "sigad_replay", node->gradient, sg_array_bytes(&node->value));
}

/* On a device, inputs are copies of the caller's bytes; for work that is captured, the launch makes
 * them. */
static bool copy_inputs(sigad_tape *tape, const char *caller)
{
    if (tape->context->device.capture) return true;
    for (size_t i = 0; i < tape->count; i++) {
        const sg_node *node = &tape->nodes[i];
        if (node->source && !sg_tape_upload(tape, caller, node->value.data, node->source,
                                            sg_array_bytes(&node->value)))
            return false;
    }
    return true;
}

bool sg_tape_renew(sigad_tape *tape, const char *caller)
{
    for (size_t i = 0; i < tape->count; i++) take_versions(tape, &tape->nodes[i]);
    return copy_inputs(tape, caller);
}

static bool replay(sigad_tape *tape)
{
    sg_frame frame;
    void *workspace;
    if (!prepare(tape, &frame, &workspace)) return false;
    for (size_t i = 0; i < tape->count; i++)
        if (!forget(tape->context, &tape->nodes[i])) return false;
    if (!copy_inputs(tape, "sigad_replay")) return false;
    for (size_t i = 0; i < tape->count; i++)
        if (tape->nodes[i].kind == SG_NODE_OPERATION && !recompute(tape, &frame, i, workspace))
            return false;
    return true;
}

sigad_status sigad_replay(sigad_tape *tape)
{
    if (!tape) return SIGAD_EINVAL;
    const sg_error *error = &tape->context->error;
    if (error->status || !sg_tape_may_compute(tape, "sigad_replay")) return error->status;
    const sg_tape_mark start = sg_tape_side_here(tape);
    replay(tape);
    sg_tape_side_return(tape, start);
    sg_tape_wait_for_uploads(tape); /* the caller writes the next bytes there */
    return error->status;
}

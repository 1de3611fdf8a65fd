#include "graph/sweep.h"
#include "graph/capture.h"

enum { SOURCE = 1, DEPENDS = 2, NEEDED = 4, VISITED = 8, ACTIVE = DEPENDS | NEEDED };

/* ---- which nodes take part ----------------------------------------------------------------- */

bool sg_sweep_begin(sg_sweep *sweep, sigad_tape *tape, const char *caller, sigad_tensor output)
{
    sg_error *error = &tape->context->error;
    *sweep = (sg_sweep){
        .tape = tape, .caller = caller, .output = output, .start = sg_tape_side_here(tape)};
    if (!sg_tape_may_compute(tape, caller)) return false;
    if (tape->evaluating) {
        sg_fail(error, SIGAD_EINVAL,
                "%s: the tape evaluates and is not recorded for derivatives "
                "(sigad_tape_evaluate)",
                caller);
        return false;
    }
    if (!sg_tape_resolve(tape, caller, output, &sweep->output_value)) return false;
    if (sweep->output_value.dtype == SIGAD_I64) {
        sg_fail(error, SIGAD_EDTYPE, "%s: int64 tensors have no derivative", caller);
        return false;
    }
    size_t parameters = tape->context->parameter_count;
    sweep->count = sg_is_parameter(output) ? 0 : (size_t)output.id + 1;
    size_t bytes = sweep->count + parameters;
    sweep->state = sg_arena_take_zeroed(&tape->side, bytes);
    if (!sweep->state) return !sg_context_no_memory(tape->context, caller, bytes);
    sweep->parameter_state = sweep->state + sweep->count;
    return true;
}

void sg_sweep_end(sg_sweep *sweep)
{
    sg_tape_side_return(sweep->tape, sweep->start);
}

void sg_sweep_source_parameter(sg_sweep *sweep, size_t index)
{
    sweep->parameter_state[index] |= SOURCE | DEPENDS;
}

void sg_sweep_source_node(sg_sweep *sweep, size_t position)
{
    if (position < sweep->count) sweep->state[position] |= SOURCE;
}

bool sg_sweep_source(sg_sweep *sweep, sigad_tensor source)
{
    sigad_array value;
    if (!sg_tape_resolve(sweep->tape, sweep->caller, source, &value)) return false;
    if (value.dtype == SIGAD_I64) {
        sg_fail(&sweep->tape->context->error, SIGAD_EDTYPE, "%s: int64 tensors have no derivative",
                sweep->caller);
        return false;
    }
    if (sg_is_parameter(source))
        sg_sweep_source_parameter(sweep, source.id);
    else
        sg_sweep_source_node(sweep, source.id);
    return true;
}

static uint8_t *state_of(const sg_sweep *sweep, sigad_tensor tensor)
{
    return sg_is_parameter(tensor) ? &sweep->parameter_state[tensor.id] : &sweep->state[tensor.id];
}

/* Newer nodes than the output are not active. */
bool sg_sweep_active(const sg_sweep *sweep, sigad_tensor tensor)
{
    if (!sg_is_parameter(tensor) && tensor.id >= sweep->count) return false;
    return (*state_of(sweep, tensor) & ACTIVE) == ACTIVE;
}

static bool depends(const sg_sweep *sweep, const sg_node *node)
{
    if (node->value.dtype == SIGAD_I64 || (node->op && node->op->flags & SG_OP_STOP)) return false;
    for (int i = 0; i < node->n; i++)
        if (*state_of(sweep, node->inputs[i]) & DEPENDS) return true;
    return false;
}

bool sg_sweep_visits(const sg_sweep *sweep, size_t position)
{
    return (sweep->state[position] & VISITED) != 0;
}

void sg_sweep_mark(sg_sweep *sweep)
{
    const sg_node *nodes = sweep->tape->nodes;
    for (size_t i = 0; i < sweep->count; i++) {
        const bool passes = depends(sweep, &nodes[i]);
        if (passes || sweep->state[i] & SOURCE) sweep->state[i] |= DEPENDS;
        if (passes) sweep->state[i] |= VISITED; /* if it is needed, too */
    }
    *state_of(sweep, sweep->output) |= NEEDED;
    for (size_t i = sweep->count; i-- > 0;)
        if (!(sweep->state[i] & NEEDED))
            sweep->state[i] &= (uint8_t)~VISITED;
        else if (sweep->state[i] & VISITED)
            for (int k = 0; k < nodes[i].n; k++) *state_of(sweep, nodes[i].inputs[k]) |= NEEDED;
}

/* ---- requirements -------------------------------------------------------------------------- */

static bool unmodified(const sg_sweep *sweep, const sg_node *node)
{
    const sigad_context *context = sweep->tape->context;
    for (int i = 0; node->versions && i < node->n; i++) {
        if (!node->versions[i]) continue;
        const sg_parameter *parameter = context->parameters[node->inputs[i].id];
        if (parameter->version == node->versions[i]) continue;
        sg_fail(&sweep->tape->context->error, SIGAD_EMODIFIED,
                "%s: parameter '%s' was written after %s%s%s%s had used it; differentiate before "
                "the step, or replay",
                sweep->caller, parameter->name, node->op->name, *node->label ? " '" : "",
                node->label, *node->label ? "'" : "");
        return false;
    }
    return true;
}

static bool has_functions(const sg_sweep *sweep, size_t position, unsigned functions)
{
    const sg_node *node = &sweep->tape->nodes[position];
    const sigad_context *context = sweep->tape->context;
    for (int which = SIGAD_VJP; which <= SIGAD_SOC; which++) {
        if (!(functions >> which & 1) || sg_op_function_at(context, node->op, which)) continue;
        if (which == SIGAD_SOC && node->op->flags & SIGAD_OP_LINEAR) continue;
        bool too_often = node->op->flags & SG_OP_GRADIENT;
        sg_fail(&sweep->tape->context->error, too_often ? SIGAD_EORDER : SIGAD_ENOTSUP,
                "%s: %s%s%s%s has no %s%s", sweep->caller, node->op->name, *node->label ? " '" : "",
                node->label, *node->label ? "'" : "", sg_op_function_name(context, which),
                too_often ? ": differentiated more often than possible" : "");
        return false;
    }
    return true;
}

bool sg_sweep_check(const sg_sweep *sweep, unsigned functions)
{
    for (size_t i = 0; i < sweep->count; i++)
        if (sg_sweep_visits(sweep, i) &&
            (!unmodified(sweep, &sweep->tape->nodes[i]) || !has_functions(sweep, i, functions)))
            return false;
    return true;
}

bool sg_sweep_require(sg_sweep *sweep, unsigned functions)
{
    sigad_tape *tape = sweep->tape;
    size_t workspace = 0;
    int most = 0;
    if (!sg_sweep_check(sweep, functions)) return false;
    for (size_t i = 0; i < sweep->count; i++) {
        if (!sg_sweep_visits(sweep, i)) continue;
        const sg_node *node = &tape->nodes[i];
        if (node->n > most) most = node->n;
        for (int which = SIGAD_VJP; which <= SIGAD_SOC; which++)
            if (functions >> which & 1 && node->workspace_bytes[which] > workspace)
                workspace = node->workspace_bytes[which];
    }
    if (!sg_frame_create(tape, most, &sweep->frame)) return false;
    sweep->workspace = sg_arena_take(tape->side_values, workspace);
    if (!sweep->workspace) return !sg_context_no_memory(tape->context, sweep->caller, workspace);
    return true;
}

/* ---- the sweeps ---------------------------------------------------------------------------- */

static bool bind(sg_sweep *sweep, size_t position, unsigned functions)
{
    return sg_frame_bind(sweep->tape, &sweep->frame, position, functions);
}

static void attach(const sg_sweep *sweep, sigad_array *arrays, size_t position,
                   const sg_field *field)
{
    const sg_node *node = &sweep->tape->nodes[position];
    for (int i = 0; i < node->n; i++)
        arrays[i].data =
            sg_sweep_active(sweep, node->inputs[i]) ? sg_field_at(field, node->inputs[i]) : NULL;
}

static bool call(sg_sweep *sweep, size_t position, int which)
{
    return sg_frame_run(&sweep->frame, sweep->tape->nodes[position].op, which, sweep->workspace);
}

/* The input stands in another place of the node's inputs, too. */
static bool is_repeated(const sg_node *node, int i)
{
    const sigad_tensor x = node->inputs[i];
    for (int k = 0; k < node->n; k++)
        if (k != i && node->inputs[k].id == x.id && node->inputs[k].generation == x.generation)
            return true;
    return false;
}

/* Hands the node's array on to an input that it would be copied to, and that has none yet; nobody
 * reads it under the node's name any more. Returns that input, or -1. */
static int pass_on(const sg_sweep *sweep, size_t position, const sg_field *field)
{
    const sg_node *node = &sweep->tape->nodes[position];
    if (!(node->op->flags & SG_OP_PASS) || node->watched) return -1;
    for (int i = 0; i < node->n; i++) {
        const sigad_tensor x = node->inputs[i];
        if (sg_is_parameter(x) || !sg_sweep_active(sweep, x) || field->node[x.id] ||
            sweep->frame.x[i].elements != node->value.elements || is_repeated(node, i))
            continue;
        field->node[x.id] = field->node[position];
        return i;
    }
    return -1;
}

/* Gives the inputs that are wanted their arrays. Those that are fresh are cleared, unless the
 * operation overwrites them. */
static bool attach_for_pull(sg_sweep *sweep, size_t position, const sg_field *field, bool *wanted)
{
    const sg_node *node = &sweep->tape->nodes[position];
    sg_frame *frame = &sweep->frame;
    const int passed = pass_on(sweep, position, field);
    const int asked = node->op->flags & SG_OP_FRESH ? 32 : 0;
    *wanted = false;
    for (int i = 0; i < node->n; i++) {
        const sigad_tensor x = node->inputs[i];
        sigad_array *x_cotangent = &frame->x_cotangent[i];
        bool fresh = false;
        if (i == passed || !sg_sweep_active(sweep, x)) continue;
        if (i < asked && !is_repeated(node, i)
                ? !sg_field_need(sweep, field, x, x_cotangent, &fresh)
                : !sg_field_need_cleared(sweep, field, x, x_cotangent))
            return false;
        if (fresh) frame->call.fresh |= 1u << i;
        x_cotangent->data = sg_field_at(field, x);
        *wanted = true;
    }
    return true;
}

bool sg_sweep_pull(sg_sweep *sweep, const sg_field *cotangent)
{
    sg_frame *frame = &sweep->frame;
    for (size_t i = sweep->count; i-- > 0;) {
        bool wanted;
        if (!sg_sweep_visits(sweep, i)) continue;
        if (!bind(sweep, i, 1u << SIGAD_VJP)) return false;
        frame->y_cotangent.data = cotangent->node[i];
        if (!attach_for_pull(sweep, i, cotangent, &wanted)) return false;
        if (wanted && !call(sweep, i, SIGAD_VJP)) return false;
    }
    return true;
}

bool sg_sweep_push(sg_sweep *sweep, const sg_field *tangent)
{
    sg_frame *frame = &sweep->frame;
    for (size_t i = 0; i < sweep->count; i++) {
        if (!sg_sweep_visits(sweep, i)) continue;
        if (!bind(sweep, i, 1u << SIGAD_JVP)) return false;
        frame->y_tangent.data = tangent->node[i];
        attach(sweep, frame->x_tangent, i, tangent);
        if (!call(sweep, i, SIGAD_JVP)) return false;
    }
    return true;
}

bool sg_sweep_pull_tangent(sg_sweep *sweep, const sg_field *cotangent, const sg_field *tangent,
                           const sg_field *cotangent_tangent)
{
    sg_frame *frame = &sweep->frame;
    for (size_t i = sweep->count; i-- > 0;) {
        if (!sg_sweep_visits(sweep, i)) continue;
        if (!bind(sweep, i, 1u << SIGAD_VJP | 1u << SIGAD_SOC)) return false;
        frame->y_cotangent.data = cotangent_tangent->node[i];
        attach(sweep, frame->x_cotangent, i, cotangent_tangent);
        if (!call(sweep, i, SIGAD_VJP)) return false;
        frame->y_cotangent.data = cotangent->node[i];
        if (!(sweep->tape->nodes[i].op->flags & SIGAD_OP_LINEAR)) {
            attach(sweep, frame->x_tangent, i, tangent);
            attach(sweep, frame->x_cotangent_tangent, i, cotangent_tangent);
            if (!call(sweep, i, SIGAD_SOC)) return false;
        }
        attach(sweep, frame->x_cotangent, i, cotangent);
        if (!call(sweep, i, SIGAD_VJP)) return false;
    }
    return true;
}

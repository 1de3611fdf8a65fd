/* Recording: calling an operation for the first time. */
#include "core/options.h"
#include "graph/call.h"
#include <string.h>

static const sigad_tensor poison = {0, 0};

enum { FEW = 8 };

static bool check_op(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                     const void *attributes, size_t attribute_bytes)
{
    sg_error *error = &tape->context->error;
    if (!op || op->size < sizeof *op || !op->name || !op->infer || !op->fwd)
        sg_fail(error, SIGAD_EINVAL,
                "sigad_apply: a sigad_op needs its size (SIGAD_OP_INIT), name, infer and fwd");
    else if (op->size > sizeof *op && sg_options_check_tail(error, op->name, op, sizeof *op))
        return false;
    else if (n < 0 || (n && !x))
        sg_fail(error, SIGAD_EINVAL, "%s: %d inputs, x %s", op->name, n, x ? "set" : "NULL");
    else if (!attributes && attribute_bytes)
        sg_fail(error, SIGAD_EINVAL, "%s: attributes are NULL, but have %zu bytes", op->name,
                attribute_bytes);
    else if (!sg_op_function_at(tape->context, op, SIGAD_FWD))
        sg_fail(error, SIGAD_ENOTSUP,
                "%s: it has no cuda_fwd, so it cannot compute in a context on a CUDA device",
                op->name);
    else
        return true;
    return false;
}

/* Of one call. */
typedef struct {
    const sigad_tensor *tensor;
    sigad_array *array;
    void **data; /* what the arrays have after infer, which sees shapes only */
    bool parameters;
    sigad_array few[FEW];
    void *few_data[FEW];
} inputs;

static bool make_room(sigad_tape *tape, const sigad_op *op, size_t n, inputs *in)
{
    const size_t bytes = n * (sizeof *in->array + sizeof *in->data);
    in->array = sg_arena_take(&tape->arena, bytes);
    if (!in->array) return !sg_context_no_memory(tape->context, op->name, bytes);
    in->data = (void **)(void *)(in->array + n);
    return true;
}

/* The arrays of all inputs, without data. */
static bool look_up(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x, inputs *in)
{
    in->tensor = x;
    in->array = in->few;
    in->data = in->few_data;
    in->parameters = false;
    if (n > FEW && !make_room(tape, op, (size_t)n, in)) return false;
    for (int i = 0; i < n; i++) {
        const sigad_array *found = sg_tape_look(tape, op->name, x[i]);
        if (!found) return false;
        in->array[i] = *found;
        in->array[i].data = NULL;
        in->data[i] = found->data;
        in->parameters |= sg_is_parameter(x[i]);
    }
    return true;
}

/* What infer says of y is not trusted. */
static bool infer(sg_call *call, const sigad_op *op, int n, inputs *in, sigad_array *y)
{
    const bool good = sg_call_run(call, op->infer, SG_INFER);
    for (int i = 0; i < n; i++) in->array[i].data = in->data[i];
    y->data = NULL;
    return good && !sg_array_measure(&call->tape->context->error, op->name, y);
}

/* Whether y is to have the bytes of x[0]. */
static bool is_alias(const sigad_tape *tape, const sigad_op *op, const inputs *in,
                     const sigad_array *y)
{
    return op->flags & SG_OP_ALIAS && !sg_is_parameter(in->tensor[0]) &&
           tape->nodes[in->tensor[0].id].kind == SG_NODE_OPERATION &&
           sg_array_bytes(&in->array[0]) == sg_array_bytes(y);
}

static size_t aligned(size_t bytes, size_t to)
{
    return (bytes + to - 1) / to * to;
}

/* Takes room in the arenas for what the node keeps, and for y: in one block where it can be. */
static bool take_room(sg_call *call, const sigad_op *op, const inputs *in, sg_node *node)
{
    sigad_tape *tape = call->tape;
    const sigad_op_call *c = &call->call;
    const size_t n = (size_t)node->n, bytes = sg_array_bytes(&node->value);
    const size_t names = aligned(n * sizeof *in->tensor, 16);
    const size_t versions = in->parameters ? aligned(n * sizeof *node->versions, 16) : 0;
    const size_t kept = aligned(names + versions + c->attribute_bytes, SG_ALIGNMENT);
    const bool alias = is_alias(tape, op, in, &node->value);
    const bool together = !alias && tape->values == &tape->arena;
    char *block = c->attribute_bytes < SIZE_MAX / 4
                      ? sg_arena_take(&tape->arena, together ? kept + bytes : kept)
                      : NULL;
    if (!block) return false;
    node->inputs = (sigad_tensor *)(void *)block;
    node->versions = in->parameters ? (uint64_t *)(void *)(block + names) : NULL;
    node->attributes = block + names + versions;
    node->saved = c->saved_bytes ? sg_arena_take(tape->values, c->saved_bytes) : block;
    node->value.data = together ? block + kept
                       : alias  ? in->data[0]
                                : sg_arena_take(tape->values, bytes);
    return node->saved && node->value.data;
}

static sigad_status no_memory(const sg_call *call, const sigad_op *op, const sg_node *node)
{
    const size_t bytes = sg_array_bytes(&node->value), saved = call->call.saved_bytes;
    return sg_context_no_memory(call->tape->context, op->name,
                                saved < SIZE_MAX - bytes ? bytes + saved : SIZE_MAX);
}

/* Most operations need none. Those that do just set them: a copy in one piece, which would have to
 * wait for the stores of the pieces, is left to them. */
static void keep_workspaces(const sigad_op_call *call, sg_node *node)
{
    const size_t *from = call->workspace_bytes;
    if (from[SIGAD_FWD] | from[SIGAD_VJP] | from[SIGAD_JVP] | from[SIGAD_SOC])
        memcpy(node->workspace_bytes, from, sizeof node->workspace_bytes);
    else
        memset(node->workspace_bytes, 0, sizeof node->workspace_bytes);
}

/* Copies what the node keeps into the arena and gives y its bytes. */
static bool keep(sg_call *call, const sigad_op *op, int n, const inputs *in, sg_node *node)
{
    const sigad_op_call *c = &call->call;
    const sigad_context *context = call->tape->context;
    node->n = n;
    node->op = op;
    node->kind = SG_NODE_OPERATION;
    node->attribute_bytes = c->attribute_bytes;
    node->saved_bytes = c->saved_bytes;
    keep_workspaces(c, node);
    if (!take_room(call, op, in, node)) return !no_memory(call, op, node);
    for (int i = 0; i < n; i++) node->inputs[i] = in->tensor[i];
    for (int i = 0; in->parameters && i < n; i++)
        node->versions[i] =
            sg_is_parameter(in->tensor[i]) ? context->parameters[in->tensor[i].id]->version : 0;
    if (c->attribute_bytes) memcpy(node->attributes, c->attributes, c->attribute_bytes);
    return true;
}

bool sg_node_shares(const sg_node *node, const sigad_array *x)
{
    return node->op->flags & SG_OP_ALIAS && node->n && node->value.data == x[0].data;
}

static bool take_workspace(sg_call *call, const sg_node *node)
{
    const size_t bytes = node->workspace_bytes[SIGAD_FWD];
    call->call.workspace = sg_arena_take(call->tape->values, bytes);
    return call->call.workspace ||
           !sg_context_no_memory(call->tape->context, node->op->name, bytes);
}

static bool compute(sg_call *call, sg_node *node, const sigad_array *x)
{
    sigad_tape *tape = call->tape;
    if (sg_node_shares(node, x)) return true;
    const sg_arena_mark mark = sg_arena_position(tape->values);
    call->call.attributes = node->attributes;
    call->call.saved = node->saved;
    if (node->workspace_bytes[SIGAD_FWD] && !take_workspace(call, node)) return false;
    const uint64_t start = sg_node_clock(node);
    const bool good =
        sg_call_run(call, sg_op_function_at(tape->context, node->op, SIGAD_FWD), SIGAD_FWD);
    node->ticks = start ? sg_ticks() - start : 0;
    if (call->call.workspace) sg_arena_rewind(tape->values, mark);
    return good;
}

/* The next node, which is not counted yet, from its inputs on. */
static bool record(sg_call *call, const sigad_op *op, int n, inputs *in, sg_node *node)
{
    sg_call_name(call, op, node->label, call->tape->count);
    call->call.n = n;
    call->call.x = in->array;
    call->call.y = &node->value;
    call->tape->recording = true;
    const bool good = infer(call, op, n, in, &node->value) && keep(call, op, n, in, node) &&
                      compute(call, node, in->array);
    call->tape->recording = false;
    return good;
}

sigad_tensor sigad_apply(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                         const void *attributes, size_t attribute_bytes)
{
    if (!sg_tape_ready(tape)) return poison;
    if (!check_op(tape, op, n, x, attributes, attribute_bytes)) return poison;
    sg_node *node = sg_tape_next(tape, op->name);
    if (!node) return poison;
    node->before = sg_tape_here(tape);
    inputs in;
    if (look_up(tape, op, n, x, &in)) {
        sg_call call;
        sg_call_begin(&call, tape);
        call.call.attributes = attributes;
        call.call.attribute_bytes = attribute_bytes;
        if (record(&call, op, n, &in, node)) return sg_tape_handle(tape, tape->count++);
    }
    sg_tape_return(tape, node->before);
    return poison;
}

/* Calling the functions of operations: for the first time (sigad_apply), and again for nodes that
 * stand (frames). */
#include "core/options.h"
#include "core/random.h"
#include "graph/tape.h"
#include <string.h>

static const sigad_tensor poison = {0, 0};

/* ---- one call ------------------------------------------------------------------------------ */

sigad_op_function sg_op_function_at(const sigad_context *context, const sigad_op *op, int which)
{
    const bool host = sg_device_is_host(&context->device);
    switch (which) {
    case SIGAD_FWD:
        return host ? op->fwd : op->cuda_fwd;
    case SIGAD_VJP:
        return host ? op->vjp : op->cuda_vjp;
    case SIGAD_JVP:
        return host ? op->jvp : op->cuda_jvp;
    default:
        return host ? op->soc : op->cuda_soc;
    }
}

const char *sg_op_function_name(const sigad_context *context, int which)
{
    static const char *const host[] = {"fwd", "vjp", "jvp", "soc"};
    static const char *const cuda[] = {"cuda_fwd", "cuda_vjp", "cuda_jvp", "cuda_soc"};
    return (sg_device_is_host(&context->device) ? host : cuda)[which];
}

uint64_t sg_call_random_key(const sigad_op_call *public_call)
{
    const sg_call *call = (const sg_call *)(const void *)public_call;
    uint64_t key = sg_random_key(call->tape->context->seed, call->tape->serial);
    return sg_random_key(sg_random_key(key, call->tape->step), call->position);
}

sigad_status sigad_op_fail(const sigad_op_call *public_call, sigad_status status,
                           const char *format, ...)
{
    if (!public_call) return SIGAD_EINVAL;
    const sg_call *call = (const sg_call *)(const void *)public_call;
    va_list values;
    va_start(values, format);
    sg_fail_operation(&call->tape->context->error, status ? status : SIGAD_EINTERNAL, call->name,
                      call->label, format, values);
    va_end(values);
    return status;
}

/* A kernel that could not be launched was noted; the operation did not look. */
static void report_launch(sg_call *call)
{
    sigad_context *context = call->tape->context;
    const int error = context->place.error;
    context->place.error = 0;
    sigad_op_fail(&call->call, SIGAD_ECUDA, "a kernel could not be launched, CUDA error %d: %s",
                  error, sg_device_error_text(&context->device, error));
}

/* Calls, and makes sure that a failure has a message and that a message counts as a failure. */
static bool run(sg_call *call, sigad_op_function function, const char *what)
{
    const sg_device *device = &call->tape->context->device;
    const int32_t before = sg_device_enter(device);
    sigad_status status = function(&call->call);
    sg_device_leave(device, before);
    const sg_error *error = &call->tape->context->error;
    if (call->tape->context->place.error) report_launch(call);
    if (status && !error->status)
        sigad_op_fail(&call->call, status, "%s failed: %s", what, sigad_status_string(status));
    return !status && !error->status;
}

/* Field by field: compilers clear a struct of this size by an instruction that takes as long as
 * many an operation. */
static void call_begin(sg_call *call, sigad_tape *tape)
{
    sigad_op_call *c = &call->call;
    c->size = sizeof *c;
    c->n = 0;
    c->attributes = NULL;
    c->attribute_bytes = c->saved_bytes = 0;
    c->x = c->y_cotangent = c->x_cotangent = c->x_tangent = c->y_tangent = NULL;
    c->x_cotangent_tangent = NULL;
    c->y = NULL;
    for (int i = 0; i < 4; i++) c->workspace_bytes[i] = 0;
    c->saved = c->workspace = NULL;
    c->stream = tape->context->place.stream;
    c->device = tape->context->place.device;
    c->threads = tape->context->place.threads;
    call->tape = tape;
    call->fresh = 0;
}

static void call_name(sg_call *call, const sigad_op *op, const char *label, size_t position)
{
    call->name = op->name;
    call->label = label;
    call->position = position;
}

/* ---- recording ----------------------------------------------------------------------------- */

enum { FEW = 8 };

static bool check_op(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                     const void *attributes, size_t attribute_bytes)
{
    sg_error *error = &tape->context->error;
    if (!op || op->size < sizeof *op || !op->name || !op->infer || !op->fwd)
        sg_fail(error, SIGAD_EINVAL,
                "sigad_apply: a sigad_op needs its size (SIGAD_OP_INIT), name, infer and fwd");
    else if (sg_options_check_tail(error, op->name, op, sizeof *op))
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
    return !error->status;
}

/* infer sees shapes only; what it says of y is not trusted. */
static bool infer(sg_call *call, const sigad_op *op, sigad_array *x, sigad_array *y)
{
    void *few[FEW], **data = few;
    sigad_tape *tape = call->tape;
    int n = call->call.n;
    if (n > FEW) {
        data = sg_arena_take(&tape->arena, (size_t)n * sizeof *data);
        if (!data) return !sg_context_no_memory(tape->context, op->name, (size_t)n * sizeof *data);
    }
    for (int i = 0; i < n; i++) {
        data[i] = x[i].data;
        x[i].data = NULL;
    }
    bool good = run(call, op->infer, "infer");
    for (int i = 0; i < n; i++) x[i].data = data[i];
    if (!good) return false;
    y->data = NULL;
    return !sg_array_measure(&tape->context->error, op->name, y);
}

static size_t aligned(size_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

/* Copies what the node keeps into the arena and gives y its bytes. False if memory is short. */
static bool keep(sg_call *call, const sigad_op *op, const sigad_tensor *x,
                 const sigad_array *values, sg_node *node)
{
    sigad_tape *tape = call->tape;
    const sigad_op_call *c = &call->call;
    const sigad_context *context = tape->context;
    const size_t n = (size_t)c->n, inputs = aligned(n * sizeof *x);
    bool parameters = false, alias = false;
    for (size_t i = 0; i < n; i++) parameters |= sg_is_parameter(x[i]);
    if (op->flags & SG_OP_ALIAS && n && !sg_is_parameter(x[0]))
        alias = tape->nodes[x[0].id].kind == SG_NODE_OPERATION &&
                sg_array_bytes(&values[0]) == sg_array_bytes(&node->value);

    const size_t versions = parameters ? aligned(n * sizeof *node->versions) : 0;
    char *block = c->attribute_bytes < SIZE_MAX / 2
                      ? sg_arena_take(&tape->arena, inputs + versions + c->attribute_bytes)
                      : NULL;
    node->saved = c->saved_bytes ? sg_arena_take(tape->values, c->saved_bytes) : block;
    node->value.data =
        alias ? values[0].data : sg_arena_take(tape->values, sg_array_bytes(&node->value));
    if (!block || !node->saved || !node->value.data) return false;

    node->inputs = (sigad_tensor *)(void *)block;
    for (size_t i = 0; i < n; i++) node->inputs[i] = x[i];
    node->versions = parameters ? (uint64_t *)(void *)(block + inputs) : NULL;
    for (size_t i = 0; parameters && i < n; i++)
        node->versions[i] = sg_is_parameter(x[i]) ? context->parameters[x[i].id]->version : 0;
    node->attributes = block + inputs + versions;
    if (c->attribute_bytes) memcpy(node->attributes, c->attributes, c->attribute_bytes);
    node->attribute_bytes = c->attribute_bytes;
    node->saved_bytes = c->saved_bytes;
    memcpy(node->workspace_bytes, c->workspace_bytes, sizeof node->workspace_bytes);
    node->n = c->n;
    node->op = op;
    node->kind = SG_NODE_OPERATION;
    return true;
}

bool sg_node_shares(const sg_node *node, const sigad_array *x)
{
    return node->op->flags & SG_OP_ALIAS && node->n && node->value.data == x[0].data;
}

static bool compute(sg_call *call, const sigad_op *op, sg_node *node, const sigad_array *x)
{
    sigad_tape *tape = call->tape;
    if (sg_node_shares(node, x)) return true;
    sg_arena_mark mark = sg_arena_position(tape->values);
    call->call.attributes = node->attributes;
    call->call.saved = node->saved;
    if (node->workspace_bytes[SIGAD_FWD]) {
        call->call.workspace = sg_arena_take(tape->values, node->workspace_bytes[SIGAD_FWD]);
        if (!call->call.workspace)
            return !sg_context_no_memory(tape->context, op->name, node->workspace_bytes[SIGAD_FWD]);
    }
    const uint64_t start = sg_node_clock(node);
    bool good = run(call, sg_op_function_at(tape->context, op, SIGAD_FWD),
                    sg_op_function_name(tape->context, SIGAD_FWD));
    node->ticks = sg_node_clock(node) - start;
    if (call->call.workspace) sg_arena_rewind(tape->values, mark);
    return good;
}

/* With the inputs' arrays at hand: infer, keep, compute. */
static bool fill(sg_call *call, const sigad_op *op, const sigad_tensor *x, sigad_array *values,
                 sg_node *node)
{
    sigad_tape *tape = call->tape;
    call->call.x = values;
    call->call.y = &node->value;
    if (!infer(call, op, values, &node->value)) return false;
    if (!keep(call, op, x, values, node)) {
        size_t bytes = sg_array_bytes(&node->value), saved = call->call.saved_bytes;
        return !sg_context_no_memory(tape->context, op->name,
                                     saved < SIZE_MAX - bytes ? bytes + saved : SIZE_MAX);
    }
    return compute(call, op, node, values);
}

static bool record(sg_call *call, const sigad_op *op, const sigad_tensor *x, sigad_array *values,
                   sg_tape_mark before)
{
    sigad_tape *tape = call->tape;
    sg_node *node = sg_tape_next(tape, op->name, before);
    if (!node) return false;
    tape->recording = true;
    bool good = fill(call, op, x, values, node);
    tape->recording = false;
    return good;
}

sigad_tensor sigad_apply(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                         const void *attributes, size_t attribute_bytes)
{
    if (!sg_tape_ready(tape)) return poison;
    if (!check_op(tape, op, n, x, attributes, attribute_bytes)) return poison;
    sg_tape_mark before = sg_tape_here(tape);
    sigad_array few[FEW], *values = few;
    if (n > FEW) values = sg_arena_take(&tape->arena, (size_t)n * sizeof *values);
    bool good = values != NULL;
    if (!good) sg_context_no_memory(tape->context, op->name, (size_t)n * sizeof *values);
    for (int i = 0; good && i < n; i++) good = sg_tape_resolve(tape, op->name, x[i], &values[i]);
    if (good) {
        sg_call call;
        call_begin(&call, tape);
        call_name(&call, op, "", tape->count);
        call.call.n = n;
        call.call.attributes = attributes;
        call.call.attribute_bytes = attribute_bytes;
        good = record(&call, op, x, values, before);
    }
    if (good) return sg_tape_handle(tape, tape->count++);
    sg_tape_return(tape, before);
    return poison;
}

/* ---- frames: calling again ----------------------------------------------------------------- */

bool sg_frame_create(sigad_tape *tape, int n, sg_frame *frame)
{
    const size_t bytes = 4 * (size_t)n * sizeof(sigad_array);
    sigad_array *arrays = sg_arena_take(&tape->side, bytes);
    if (!arrays) return !sg_context_no_memory(tape->context, "a sweep over the tape", bytes);
    call_begin(&frame->call, tape);
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
    call_name(&frame->call, node->op, node->label, position);
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
    return run(&frame->call, function, sg_op_function_name(context, which));
}

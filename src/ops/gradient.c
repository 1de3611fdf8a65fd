/* Recorded gradients: reverse mode whose results are tensors of the tape, to be differentiated
 * again.
 *
 * For each visited node y = f(x) and each input x_i that matters, one node g = (df/dx_i)^T y_bar
 * goes on the tape. Its own derivatives need no new rules: with w the cotangent of g, y_bar_bar +=
 * J_i w is f's jvp, and x_bar += d<y_bar, J_i w>/dx is f's soc, a symmetric form. */
#include "graph/sweep.h"
#include "ops/shape.h"
#include <string.h>

static const sigad_tensor poison = {0, 0};

typedef struct {
    size_t position;
    int32_t which, reserved;
} gradient_of; /* input number `which` of a node */

/* ---- the operation ------------------------------------------------------------------------- */

static const sg_node *node_of(const sigad_op_call *call)
{
    const gradient_of *attributes = call->attributes;
    return &sg_call_tape(call)->nodes[attributes->position];
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* x are f's inputs and then y_bar. */
static sigad_status gradient_infer(sigad_op_call *call)
{
    const sg_node *f = node_of(call);
    const gradient_of *attributes = call->attributes;
    const size_t *inner = f->workspace_bytes;
    *call->y = call->x[attributes->which];
    call->workspace_bytes[SIGAD_FWD] = inner[SIGAD_VJP];
    call->workspace_bytes[SIGAD_VJP] = larger(inner[SIGAD_SOC], inner[SIGAD_JVP]);
    call->workspace_bytes[SIGAD_JVP] = larger(inner[SIGAD_SOC], inner[SIGAD_VJP]);
    return SIGAD_OK;
}

typedef sigad_status (*framed)(sigad_op_call *call, sg_frame *frame);

/* Calls `body` with a frame for f's own functions, which lies in the side arena meanwhile: the
 * workspace may be memory that the host cannot touch. */
static sigad_status with_frame(sigad_op_call *call, framed body)
{
    const unsigned all = 1u << SIGAD_VJP | 1u << SIGAD_JVP | 1u << SIGAD_SOC;
    sigad_tape *tape = sg_call_tape(call);
    const gradient_of *attributes = call->attributes;
    const sg_arena_mark start = sg_arena_position(&tape->side);
    sg_frame frame;
    const bool good = sg_frame_create(tape, node_of(call)->n, &frame) &&
                      sg_frame_bind(tape, &frame, attributes->position, all);
    const sigad_status status = good ? body(call, &frame) : tape->context->error.status;
    sg_arena_rewind(&tape->side, start);
    return status;
}

static sigad_status run(sigad_op_call *call, sg_frame *frame, int which)
{
    sigad_tape *tape = sg_call_tape(call);
    /* as in sweeps, nothing has an address, too: f may add to it */
    void *work = call->workspace ? call->workspace : sg_arena_take(&tape->side, 0);
    bool good = sg_frame_run(frame, node_of(call)->op, which, work);
    return good ? SIGAD_OK : tape->context->error.status;
}

static bool any(const sigad_array *arrays, int n)
{
    for (int i = 0; i < n; i++)
        if (arrays[i].data) return true;
    return false;
}

static void attach(sigad_array *to, const sigad_array *from, int n)
{
    for (int i = 0; i < n; i++) to[i].data = from[i].data;
}

static bool is_linear(const sigad_op_call *call)
{
    return (node_of(call)->op->flags & SIGAD_OP_LINEAR) != 0;
}

static sigad_status fwd_in(sigad_op_call *call, sg_frame *frame)
{
    const gradient_of *attributes = call->attributes;
    SG_RUN(call, clear, call->y->data, sg_array_bytes(call->y));
    frame->y_cotangent.data = call->x[call->n - 1].data;
    frame->x_cotangent[attributes->which].data = call->y->data;
    return run(call, frame, SIGAD_VJP);
}

static sigad_status vjp_in(sigad_op_call *call, sg_frame *frame)
{
    const gradient_of *attributes = call->attributes;
    sigad_status status = SIGAD_OK;
    int n = call->n - 1;
    frame->x_tangent[attributes->which].data = call->y_cotangent->data;
    if (any(call->x_cotangent, n) && !is_linear(call)) {
        frame->y_cotangent.data = call->x[n].data;
        attach(frame->x_cotangent_tangent, call->x_cotangent, n);
        status = run(call, frame, SIGAD_SOC);
    }
    frame->y_tangent.data = call->x_cotangent[n].data;
    return status || !frame->y_tangent.data ? status : run(call, frame, SIGAD_JVP);
}

static sigad_status jvp_in(sigad_op_call *call, sg_frame *frame)
{
    const gradient_of *attributes = call->attributes;
    sigad_status status = SIGAD_OK;
    int n = call->n - 1;
    if (any(call->x_tangent, n) && !is_linear(call)) {
        frame->y_cotangent.data = call->x[n].data;
        frame->x_cotangent_tangent[attributes->which].data = call->y_tangent->data;
        attach(frame->x_tangent, call->x_tangent, n);
        status = run(call, frame, SIGAD_SOC);
    }
    frame->y_cotangent.data = call->x_tangent[n].data;
    frame->x_cotangent[attributes->which].data = call->y_tangent->data;
    return status || !frame->y_cotangent.data ? status : run(call, frame, SIGAD_VJP);
}

static sigad_status gradient_fwd(sigad_op_call *call)
{
    return with_frame(call, fwd_in);
}

static sigad_status gradient_vjp(sigad_op_call *call)
{
    return with_frame(call, vjp_in);
}

static sigad_status gradient_jvp(sigad_op_call *call)
{
    return with_frame(call, jvp_in);
}

static const sigad_op gradient_op = {
    SIGAD_OP_INIT, .flags = SG_OP_GRADIENT, .name = "vjp", .infer = gradient_infer,
    SG_ON_EACH_DEVICE(gradient_fwd, gradient_vjp, gradient_jvp, NULL)};

/* ---- the sweep that records ---------------------------------------------------------------- */

typedef struct {
    sg_sweep sweep;
    sigad_tensor *node, *parameter; /* the recorded cotangents so far; poison: none yet */
    sigad_tensor *operands;         /* of the node that is being recorded */
} recording;

static bool recording_prepare(recording *r)
{
    sigad_tape *tape = r->sweep.tape;
    size_t parameters = tape->context->parameter_count, most = 0;
    for (size_t i = 0; i < r->sweep.count; i++)
        if ((size_t)tape->nodes[i].n > most) most = (size_t)tape->nodes[i].n;
    size_t bytes = (r->sweep.count + parameters + most + 1) * sizeof *r->node;
    r->node = sg_arena_take_zeroed(&tape->side, bytes);
    if (!r->node) return !sg_context_no_memory(tape->context, r->sweep.caller, bytes);
    r->parameter = r->node + r->sweep.count;
    r->operands = r->parameter + parameters;
    return true;
}

static sigad_tensor *entry(const recording *r, sigad_tensor tensor)
{
    return sg_is_parameter(tensor) ? &r->parameter[tensor.id] : &r->node[tensor.id];
}

static bool add_to(const recording *r, sigad_tensor tensor, sigad_tensor term)
{
    sigad_tensor *sum = entry(r, tensor);
    *sum = sum->generation ? sigad_add(r->sweep.tape, *sum, term) : term;
    return sum->generation != 0;
}

/* The cotangent in the output's shape, as a tensor that can be differentiated. */
static bool seed(const recording *r, sigad_tensor cotangent)
{
    sigad_tape *tape = r->sweep.tape;
    const sigad_array *y = &r->sweep.output_value;
    sigad_array value;
    if (!sg_tape_resolve(tape, r->sweep.caller, cotangent, &value)) return false;
    if (value.dtype != y->dtype) {
        sg_fail(&tape->context->error, SIGAD_EDTYPE,
                "%s: the cotangent is %s, the output %s (sigad_cast converts)", r->sweep.caller,
                sg_dtype_name(value.dtype), sg_dtype_name(y->dtype));
        return false;
    }
    bool same = value.rank == y->rank &&
                memcmp(value.shape, y->shape, (size_t)y->rank * sizeof *y->shape) == 0;
    if (!same) cotangent = sigad_broadcast(tape, cotangent, y->rank, y->shape);
    return cotangent.generation && add_to(r, r->sweep.output, cotangent);
}

static bool record_node(const recording *r, size_t position)
{
    sigad_tape *tape = r->sweep.tape;
    int n = tape->nodes[position].n;
    for (int k = 0; k < n; k++) {
        memcpy(r->operands, tape->nodes[position].inputs, (size_t)n * sizeof *r->operands);
        r->operands[n] = r->node[position];
        sigad_tensor x = r->operands[k];
        if (!sg_sweep_active(&r->sweep, x)) continue;
        gradient_of attributes = {.position = position, .which = k};
        sigad_tensor g =
            sigad_apply(tape, &gradient_op, n + 1, r->operands, &attributes, sizeof attributes);
        if (!g.generation || !add_to(r, x, g)) return false;
    }
    return true;
}

static bool record(recording *r, int n, const sigad_tensor *x, sigad_tensor cotangent)
{
    for (int i = 0; i < n; i++)
        if (!sg_sweep_source(&r->sweep, x[i])) return false;
    sg_sweep_mark(&r->sweep);
    if (!sg_sweep_check(&r->sweep, 1u << SIGAD_VJP) || !recording_prepare(r)) return false;
    if (!sg_sweep_reaches(&r->sweep)) return true;
    if (!seed(r, cotangent)) return false;
    for (size_t i = r->sweep.count; i-- > 0;)
        if (sg_sweep_visits(&r->sweep, i) && !record_node(r, i)) return false;
    return true;
}

static sigad_tensor result_for(const recording *r, sigad_tensor x)
{
    sigad_tape *tape = r->sweep.tape;
    sigad_array value;
    if (sg_sweep_active(&r->sweep, x)) return *entry(r, x);
    if (!sg_tape_resolve(tape, r->sweep.caller, x, &value)) return poison;
    return sg_tape_leaf(tape, r->sweep.caller, SG_NODE_CONSTANT, &value, NULL);
}

sigad_status sigad_grads(sigad_tape *tape, sigad_tensor y, int n, const sigad_tensor *x,
                         sigad_tensor y_cotangent, sigad_tensor *grad)
{
    const char *caller = "sigad_grad";
    recording r;
    for (int i = 0; grad && i < n; i++) grad[i] = poison;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    if (n < 0 || (n && (!x || !grad)))
        return sg_fail(error, SIGAD_EINVAL, "%s: %d tensors, but a list is NULL", caller, n);
    if (!y_cotangent.generation)
        return sg_fail(error, SIGAD_EINVAL, "%s: the cotangent is the zero tensor", caller);
    size_t before = tape->count;
    if (sg_sweep_begin(&r.sweep, tape, caller, y) && record(&r, n, x, y_cotangent))
        for (int i = 0; i < n; i++) grad[i] = result_for(&r, x[i]);
    sg_sweep_end(&r.sweep);
    if (!error->status) return SIGAD_OK;
    sg_tape_drop(tape, before);
    for (int i = 0; grad && i < n; i++) grad[i] = poison;
    return error->status;
}

sigad_tensor sigad_grad(sigad_tape *tape, sigad_tensor y, sigad_tensor x, sigad_tensor y_cotangent)
{
    sigad_tensor grad = poison;
    sigad_grads(tape, y, 1, &x, y_cotangent, &grad);
    return grad;
}

/* Put between a test program and the library (by the linker's --wrap), this runs the program's
 * contexts on a device, emulated or real. Operations of the test's own, which know the host alone,
 * get copies of their arrays there, and sigad_data hands out a copy. */
#include "graph/tape.h"
#include <stdlib.h>
#include <string.h>

sigad_status __real_sigad_context_create(const sigad_context_options *options,
                                         sigad_context **context);
sigad_status __wrap_sigad_context_create(const sigad_context_options *options,
                                         sigad_context **context);
sigad_tensor __real_sigad_apply(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                                const void *attributes, size_t attribute_bytes);
sigad_tensor __wrap_sigad_apply(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                                const void *attributes, size_t attribute_bytes);
const void *__wrap_sigad_data(sigad_tape *tape, sigad_tensor x);

sigad_status __wrap_sigad_context_create(const sigad_context_options *given,
                                         sigad_context **context)
{
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT};
    if (given && given->size != sizeof options) return __real_sigad_context_create(given, context);
    if (given) options = *given;
    if (options.device == SIGAD_CPU) options.device = SIGAD_CUDA;
    return __real_sigad_context_create(&options, context);
}

/* ---- operations
 * ---------------------------------------------------------------------------------- */

/* An operation of the host's with functions for the device. */
typedef struct lifted {
    sigad_op op; /* first: nodes point here */
    const sigad_op *host;
    struct lifted *next;
} lifted;
static lifted *all_lifted;

/* Blocks of the device and what stands for them on the host during a call. */
enum { MOST = 64 };
typedef struct {
    sigad_context *context;
    int count;
    struct {
        void *device, *host;
        size_t bytes;
    } block[MOST];
} borrowed;

static void *borrow(borrowed *b, void *device, size_t bytes)
{
    if (!device) return NULL;
    for (int i = 0; i < b->count; i++)
        if (b->block[i].device == device && b->block[i].bytes == bytes) return b->block[i].host;
    if (b->count == MOST) abort(); /* make the table longer */
    void *host = malloc(bytes + 1);
    b->block[b->count].device = device;
    b->block[b->count].host = host;
    b->block[b->count++].bytes = bytes;
    sg_device_get(b->context, "a test", host, device, bytes);
    return host;
}

static void give_back(borrowed *b)
{
    for (int i = 0; i < b->count; i++) {
        sg_device_put(b->context, "a test", b->block[i].device, b->block[i].host,
                      b->block[i].bytes);
        sg_device_wait(b->context, "a test");
        free(b->block[i].host);
    }
}

static const sigad_array *borrow_arrays(borrowed *b, const sigad_array *arrays, int n)
{
    if (!arrays || !n) return arrays;
    sigad_array *copies = malloc((size_t)n * sizeof *copies);
    for (int i = 0; i < n; i++) {
        copies[i] = arrays[i];
        copies[i].data = borrow(b, arrays[i].data, sg_array_bytes(&arrays[i]));
    }
    return copies;
}

static sigad_status call_host(sigad_op_call *device_call, int which)
{
    sg_call call = *(sg_call *)(void *)device_call;
    sigad_op_call *c = &call.call;
    const lifted *l = (const lifted *)(const void *)call.tape->nodes[call.position].op;
    const sigad_op_function function[] = {l->host->fwd, l->host->vjp, l->host->jvp, l->host->soc};
    borrowed b = {.context = call.tape->context};
    c->x = borrow_arrays(&b, c->x, c->n);
    const sigad_array *y = borrow_arrays(&b, c->y, 1);
    memcpy(&c->y, &y, sizeof y);
    c->y_cotangent = borrow_arrays(&b, c->y_cotangent, 1);
    c->x_cotangent = borrow_arrays(&b, c->x_cotangent, c->n);
    c->x_tangent = borrow_arrays(&b, c->x_tangent, c->n);
    c->y_tangent = borrow_arrays(&b, c->y_tangent, 1);
    c->x_cotangent_tangent = borrow_arrays(&b, c->x_cotangent_tangent, c->n);
    c->saved = borrow(&b, c->saved, c->saved_bytes);
    c->workspace = borrow(&b, c->workspace, c->workspace_bytes[which]);
    const sigad_status status = function[which](c);
    give_back(&b);
    const sigad_array *const arrays[] = {
        c->x,         c->y,         c->y_cotangent,        c->x_cotangent,
        c->x_tangent, c->y_tangent, c->x_cotangent_tangent};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (i == 1 || i == 2 || i == 5 || c->n) free((void *)(uintptr_t)arrays[i]);
    return status;
}

static sigad_status lifted_fwd(sigad_op_call *call)
{
    return call_host(call, SIGAD_FWD);
}

static sigad_status lifted_vjp(sigad_op_call *call)
{
    return call_host(call, SIGAD_VJP);
}

static sigad_status lifted_jvp(sigad_op_call *call)
{
    return call_host(call, SIGAD_JVP);
}

static sigad_status lifted_soc(sigad_op_call *call)
{
    return call_host(call, SIGAD_SOC);
}

static const sigad_op *lift(const sigad_op *op)
{
    lifted *l = all_lifted;
    while (l && l->host != op) l = l->next;
    if (l) return &l->op;
    l = malloc(sizeof *l);
    *l = (lifted){*op, op, all_lifted};
    l->op.cuda_fwd = lifted_fwd;
    if (op->vjp) l->op.cuda_vjp = lifted_vjp;
    if (op->jvp) l->op.cuda_jvp = lifted_jvp;
    if (op->soc) l->op.cuda_soc = lifted_soc;
    all_lifted = l;
    return &l->op;
}

sigad_tensor __wrap_sigad_apply(sigad_tape *tape, const sigad_op *op, int n, const sigad_tensor *x,
                                const void *attributes, size_t attribute_bytes)
{
    const bool own = op && op->size == sizeof *op && op->fwd && !op->cuda_fwd;
    return __real_sigad_apply(tape, own ? lift(op) : op, n, x, attributes, attribute_bytes);
}

/* ---- data
 * ------------------------------------------------------------------------------------------ */

typedef struct copy {
    struct copy *next; /* kept to the end of the program */
    double bytes[];
} copy;
static copy *all_copies;

const void *__wrap_sigad_data(sigad_tape *tape, sigad_tensor x)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    if (!tape || sigad_context_status(sigad_tape_context(tape)) || sigad_describe(tape, x, &info))
        return NULL;
    const size_t bytes = (size_t)info.elements * (info.dtype == SIGAD_F32 ? 4 : 8);
    copy *c = malloc(sizeof *c + bytes);
    c->next = all_copies;
    all_copies = c;
    return sigad_read(tape, x, c->bytes, bytes) ? NULL : c->bytes;
}

/* The signature operations on a CUDA device: values and vjp by the kernels of ops/cuda, jvp and soc
 * by the same kernels on dual numbers. */
#include "ops/cuda/run.h"
#include "ops/shape.h"
#include "ops/signature_op.h"

static int operation_of(const sg_signature_kernels *kernels)
{
    return kernels == &sg_sig_kernels              ? SG_CUDA_SIG
           : kernels == &sg_log_sig_kernels        ? SG_CUDA_LOG_SIG
           : kernels == &sg_sig_to_log_sig_kernels ? SG_CUDA_SIG_TO_LOG_SIG
                                                   : SG_CUDA_LOGSIG_TO_SIG;
}

static const sg_device *device_of(const sigad_op_call *call)
{
    return &sg_call_tape(call)->context->device;
}

static bool is_backward(int which)
{
    return which == SIGAD_VJP || which == SIGAD_SOC;
}

static bool is_dual(int which)
{
    return which == SIGAD_JVP || which == SIGAD_SOC;
}

/* The call of the kernels behind function `which`, without its arrays. */
static sg_cuda_call cuda_call(const sigad_op_call *call, int which)
{
    const sg_signature_batch batch = sg_signature_batch_of_call(call);
    const sg_device *device = device_of(call);
    return (sg_cuda_call){.plan = batch.plan,
                          .tables = sg_cuda_tables_find(batch.plan, device->index),
                          .device = device->properties,
                          .operation = operation_of(batch.kernels),
                          .backward = is_backward(which),
                          .scalar_bytes = is_dual(which)
                                              ? SG_CUDA_DUAL_BYTES
                                              : (int32_t)sg_dtype_bytes(call->x[0].dtype),
                          .batch = batch.batch,
                          .length = batch.length,
                          .lengths = call->n == 2 ? call->saved : NULL};
}

/* ---- scratch: arrays of our own, then that of the kernels --------------------------------------
 */

enum { ARRAYS = 3 };
typedef struct {
    int64_t bytes[ARRAYS]; /* each in whole units of SG_DEVICE_ALIGNMENT */
    int64_t own;           /* of all of them */
} scratch;

static bool add_array(scratch *s, int i, int64_t batch, int64_t entries, int64_t scalar_bytes)
{
    int64_t bytes;
    if (!sg_multiply(batch, entries, &bytes) || !sg_multiply(bytes, scalar_bytes, &bytes) ||
        !sg_add(bytes, SG_DEVICE_ALIGNMENT - 1, &bytes))
        return false;
    s->bytes[i] = bytes / SG_DEVICE_ALIGNMENT * SG_DEVICE_ALIGNMENT;
    return sg_add(s->own, s->bytes[i], &s->own);
}

/* fwd writes to its place. vjp needs an array for what is added. The others have dual arrays of x,
 * of y or its cotangent, and of x's cotangent. False: more than any memory. */
static bool lay_out(const sg_cuda_call *c, int which, scratch *s)
{
    const int64_t x = sg_cuda_x_entries(c), y = sg_cuda_y_entries(c), bytes = c->scalar_bytes;
    *s = (scratch){.own = 0};
    if (which == SIGAD_VJP) return add_array(s, 0, c->batch, x, bytes);
    if (!is_dual(which)) return true;
    return add_array(s, 0, c->batch, x, bytes) && add_array(s, 1, c->batch, y, bytes) &&
           (which == SIGAD_JVP || add_array(s, 2, c->batch, x, bytes));
}

sigad_status sg_signature_device_work(const sigad_op_call *call, int which, size_t *bytes)
{
    const sg_cuda_call c = cuda_call(call, which);
    scratch s;
    int64_t kernels, all;
    if (!lay_out(&c, which, &s) || sg_cuda_work_bytes(&c, &kernels) ||
        !sg_add(s.own, kernels, &all))
        return SIGAD_ERANGE;
    *bytes = (size_t)all;
    return SIGAD_OK;
}

/* ---- the functions ------------------------------------------------------------------------------
 */

static sigad_status check(const sigad_op_call *call, sigad_status status)
{
    if (status) sigad_op_fail(call, status, "a kernel could not be launched");
    return status;
}

/* Runs the call with what is left of the workspace behind `own` bytes. */
static sigad_status run(const sigad_op_call *call, const sg_cuda_call *c, int64_t own)
{
    const sg_cuda_driver *driver = device_of(call)->driver;
    const sg_cuda_kernels *kernels = c->scalar_bytes == SG_CUDA_DUAL_BYTES ? driver->dual->kernels
                                     : c->scalar_bytes == sizeof(float)    ? driver->f32
                                                                           : driver->f64;
    char *const work = call->workspace; /* NULL if none is needed */
    return check(call, sg_cuda_run(c, kernels, own ? work + own : work, call->stream));
}

sigad_status sg_signature_device_fwd(sigad_op_call *call)
{
    if (call->n == 2) SG_RUN(call, move, call->saved, call->x[1].data, sg_array_bytes(&call->x[1]));
    sg_cuda_call c = cuda_call(call, SIGAD_FWD);
    c.x = call->x[0].data;
    c.out = call->y->data;
    return call->y->elements ? run(call, &c, 0) : SIGAD_OK;
}

sigad_status sg_signature_device_vjp(sigad_op_call *call)
{
    const sigad_array *out = &call->x_cotangent[0];
    const sg_view all = {.rank = 1, .shape = {out->elements}, .y_stride = {1}, .x_stride = {1}};
    const bool fresh = sg_call_fresh(call, 0);
    if (!out->data || !out->elements) return SIGAD_OK;
    sg_cuda_call c = cuda_call(call, SIGAD_VJP);
    scratch s;
    lay_out(&c, SIGAD_VJP, &s);
    c.x = call->x[0].data;
    c.y_bar = call->y_cotangent->data;
    c.out = fresh ? out->data : call->workspace;
    const sigad_status status = run(call, &c, s.own);
    if (!status && !fresh) SG_RUN(call, add_scaled, out->dtype, &all, 1.0, c.out, out->data, false);
    return status;
}

/* An array of dual numbers in the workspace. */
static sigad_status join(const sigad_op_call *call, const sigad_array *like, const void *value,
                         const void *slope, void *out)
{
    const sg_cuda_dual *dual = device_of(call)->driver->dual;
    const int error = dual->join((int32_t)sg_dtype_bytes(like->dtype), like->elements, value, slope,
                                 out, call->stream);
    return check(call, error ? SIGAD_ECUDA : SIGAD_OK);
}

static sigad_status add_slopes(const sigad_op_call *call, const sigad_array *like, const void *x,
                               void *out)
{
    const sg_cuda_dual *dual = device_of(call)->driver->dual;
    const int error = dual->add_slopes((int32_t)sg_dtype_bytes(like->dtype), like->elements, x, out,
                                       call->stream);
    return check(call, error ? SIGAD_ECUDA : SIGAD_OK);
}

sigad_status sg_signature_device_jvp(sigad_op_call *call)
{
    const sigad_array *x = &call->x[0], *x_dot = &call->x_tangent[0];
    if (!x_dot->data || !x->elements || !call->y->elements) return SIGAD_OK;
    sg_cuda_call c = cuda_call(call, SIGAD_JVP);
    scratch s;
    lay_out(&c, SIGAD_JVP, &s);
    char *x_dual = call->workspace, *y_dual = x_dual + s.bytes[0];
    c.x = x_dual;
    c.out = y_dual;
    sigad_status status = join(call, x, x->data, x_dot->data, x_dual);
    if (!status) status = run(call, &c, s.own);
    return status ? status : add_slopes(call, call->y, y_dual, call->y_tangent->data);
}

sigad_status sg_signature_device_soc(sigad_op_call *call)
{
    const sigad_array *x = &call->x[0], *x_dot = &call->x_tangent[0];
    const sigad_array *out = &call->x_cotangent_tangent[0];
    if (!x_dot->data || !out->data || !x->elements || !call->y->elements) return SIGAD_OK;
    sg_cuda_call c = cuda_call(call, SIGAD_SOC);
    scratch s;
    lay_out(&c, SIGAD_SOC, &s);
    char *x_dual = call->workspace, *y_dual = x_dual + s.bytes[0], *x_bar = y_dual + s.bytes[1];
    c.x = x_dual;
    c.y_bar = y_dual;
    c.out = x_bar;
    sigad_status status = join(call, x, x->data, x_dot->data, x_dual);
    if (!status) status = join(call, call->y, call->y_cotangent->data, NULL, y_dual);
    if (!status) status = run(call, &c, s.own);
    return status ? status : add_slopes(call, x, x_bar, out->data);
}

#include "ops/signature_op.h"
#include "algebra/spec.h"
#include "ops/shape.h"
#include <inttypes.h>
#include <string.h>

typedef struct {
    const sigad_plan *plan;
    const sg_signature_kernels *kernels;
} attributes;

/* ---- before the operation is applied: its plan --------------------------------------------- */

static sigad_status refuse(sigad_tape *tape, const sigad_op *op, sigad_status status,
                           const char *format, ...) SIGAD_PRINTF(4, 5);
static sigad_status refuse(sigad_tape *tape, const sigad_op *op, sigad_status status,
                           const char *format, ...)
{
    va_list values;
    va_start(values, format);
    sg_fail_operation(&tape->context->error, status, op->name, NULL, format, values);
    va_end(values);
    return status;
}

/* The dimension of a path [..., length, dimension]. */
static sigad_status path_dimension(sigad_tape *tape, const sigad_op *op, const sigad_array *path,
                                   sigad_sig_spec *spec)
{
    char text[SG_SHAPE_TEXT];
    if (path->rank < 2)
        return refuse(tape, op, SIGAD_ESHAPE, "path %s: must be [..., length, dimension]",
                      sg_shape_text(path, text));
    int64_t dimension = path->shape[path->rank - 1];
    if (dimension < 1 || dimension > INT32_MAX)
        return refuse(tape, op, SIGAD_ESHAPE,
                      "path %s: its dimension must be 1 or more, and fit 31 bits",
                      sg_shape_text(path, text));
    if (spec->dimension && spec->dimension != dimension)
        return refuse(tape, op, SIGAD_ESHAPE, "path %s: its dimension is not spec.dimension %d",
                      sg_shape_text(path, text), (int)spec->dimension);
    spec->dimension = (int32_t)dimension;
    return SIGAD_OK;
}

typedef sigad_status (*length_of)(const sigad_sig_spec *spec, int64_t *length);

/* The least dimension in 1 .. most whose arrays have `entries` entries or more (sizes that do not
 * fit count as more). */
static int32_t least_dimension(sigad_sig_spec spec, int64_t entries, int32_t most, length_of length)
{
    int32_t low = 1, high = most;
    while (low < high) {
        int64_t found;
        spec.dimension = low + (high - low) / 2;
        if (length(&spec, &found) || found >= entries)
            high = spec.dimension;
        else
            low = spec.dimension + 1;
    }
    return low;
}

/* The dimension of a signature or log-signature [..., entries]: each of its channels takes an entry
 * of level 1 at least. */
static sigad_status transform_dimension(sigad_tape *tape, const sigad_op *op, const sigad_array *x,
                                        length_of length, sigad_sig_spec *spec)
{
    char text[SG_SHAPE_TEXT];
    if (x->rank < 1 || x->shape[x->rank - 1] < 1)
        return refuse(tape, op, SIGAD_ESHAPE, "%s: must be [..., entries]", sg_shape_text(x, text));
    int64_t entries = x->shape[x->rank - 1], found;
    bool solve = !spec->dimension;
    if (solve) {
        int32_t most = entries < INT32_MAX ? (int32_t)entries : INT32_MAX;
        spec->dimension = least_dimension(*spec, entries, most, length);
    }
    if (length(spec, &found) || found != entries) {
        if (solve)
            return refuse(tape, op, SIGAD_ESHAPE,
                          "%s: no dimension gives %" PRId64
                          " entries with degree %d, time_aug %d, lead_lag %d, "
                          "scalar_term %d, method %d",
                          sg_shape_text(x, text), entries, (int)spec->degree, (int)spec->time_aug,
                          (int)spec->lead_lag, (int)spec->scalar_term, (int)spec->method);
        if (length(spec, &found))
            return refuse(tape, op, SIGAD_ERANGE,
                          "%s: the number of entries that the spec asks for does not fit",
                          sg_shape_text(x, text));
        return refuse(tape, op, SIGAD_ESHAPE,
                      "%s: the spec asks for %" PRId64 " entries, not %" PRId64,
                      sg_shape_text(x, text), found, entries);
    }
    return SIGAD_OK;
}

static const sigad_plan *plan_for(sigad_tape *tape, const sigad_op *op,
                                  const sg_signature_kernels *kernels, sigad_tensor x,
                                  const sigad_sig_spec *given)
{
    sigad_sig_spec spec;
    sigad_array array;
    sigad_status status = sg_spec_read(&tape->context->error, op->name, given, &spec);
    if (status || !sg_tape_resolve(tape, op->name, x, &array)) return NULL;
    if (kernels->from_path)
        status = path_dimension(tape, op, &array, &spec);
    else
        status = transform_dimension(tape, op, &array,
                                     kernels == &sg_sig_to_log_sig_kernels ? sg_spec_sig_length
                                                                           : sg_spec_log_sig_length,
                                     &spec);
    return status ? NULL : sg_context_plan(tape->context, op->name, &spec);
}

sigad_tensor sg_signature_apply(sigad_tape *tape, const sigad_op *op,
                                const sg_signature_kernels *kernels, int n, const sigad_tensor *x,
                                const sigad_sig_spec *spec)
{
    attributes found = {NULL, kernels};
    if (sg_tape_ready(tape)) {
        found.plan = plan_for(tape, op, kernels, x[0], spec);
        if (!found.plan) return (sigad_tensor){0, 0};
    }
    return sigad_apply(tape, op, n, x, &found, sizeof found);
}

/* ---- the functions of the operation --------------------------------------------------------- */

/* Axes of x[0] that are one item. */
static int item_rank(const sigad_op_call *call)
{
    return SG_ATTRIBUTES(attributes, call)->kernels->from_path ? 2 : 1;
}

static int64_t batch_of(const sigad_op_call *call)
{
    return sg_product(call->x[0].rank - item_rank(call), call->x[0].shape);
}

static int64_t length_of_call(const sigad_op_call *call)
{
    return item_rank(call) == 2 ? call->x[0].shape[call->x[0].rank - 2] : 0;
}

sg_signature_batch sg_signature_batch_of_call(const sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    return (sg_signature_batch){.kernels = given->kernels,
                                .plan = given->plan,
                                .scalar = call->x[0].dtype == SIGAD_F32 ? SG_F32 : SG_F64,
                                .batch = batch_of(call),
                                .length = length_of_call(call),
                                .ragged = call->n == 2,
                                .threads = call->threads};
}

static sigad_status check_lengths(sigad_op_call *call)
{
    const sigad_array *path = &call->x[0], *lengths = &call->x[1];
    char path_text[SG_SHAPE_TEXT], text[SG_SHAPE_TEXT];
    sigad_status status = sg_need_dtype(call, 1, SIGAD_I64);
    if (status) return status;
    sigad_array batch = *path;
    batch.rank -= 2;
    if (!sg_same_shape(&batch, lengths))
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "lengths %s: must have the batch axes of path %s, one for each path",
                             sg_shape_text(lengths, text), sg_shape_text(path, path_text));
    call->saved_bytes = (size_t)lengths->elements * sizeof(int64_t);
    return SIGAD_OK;
}

static sigad_status infer_workspace(sigad_op_call *call)
{
    static const int what[] = {SG_BATCH_FWD, SG_BATCH_VJP, SG_BATCH_JVP, SG_BATCH_SOC};
    const sg_signature_batch batch = sg_signature_batch_of_call(call);
    for (int i = 0; i < 4; i++) {
        if (call->device == SIGAD_CUDA) {
            if (sg_signature_device_work(call, i, &call->workspace_bytes[i])) return SIGAD_ERANGE;
            continue;
        }
        const int64_t bytes = sg_signature_work_bytes(&batch, what[i]);
        if (bytes < 0) return SIGAD_ERANGE;
        call->workspace_bytes[i] = (size_t)bytes;
    }
    return SIGAD_OK;
}

sigad_status sg_signature_infer(sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    char text[SG_SHAPE_TEXT];
    int rank = x->rank - item_rank(call);
    sigad_status status = sg_need_floats(call, 1);
    if (!status && call->n == 2) status = check_lengths(call);
    if (status) return status;
    int64_t shape[SIGAD_MAX_RANK];
    memcpy(shape, x->shape, (size_t)rank * sizeof *shape);
    shape[rank] = sg_signature_y_entries(given->kernels, given->plan);
    if (infer_workspace(call))
        return sigad_op_fail(call, SIGAD_ERANGE, "%s: its workspace does not fit in memory",
                             sg_shape_text(x, text));
    return sg_infer_as(call, x->dtype, rank + 1, shape);
}

static sigad_status run(const sigad_op_call *call, int what, const void *y_bar, const void *x_dot,
                        void *out)
{
    sg_signature_batch batch = sg_signature_batch_of_call(call);
    batch.lengths = call->n == 2 ? call->saved : NULL;
    batch.x = call->x[0].data;
    batch.y_bar = y_bar;
    batch.x_dot = x_dot;
    batch.out = out;
    batch.work = call->workspace;
    sg_signature_run(&batch, what);
    return SIGAD_OK;
}

/* The lengths are kept, so that the derivatives use those that were checked. */
sigad_status sg_signature_op_fwd(sigad_op_call *call)
{
    if (call->n == 2) {
        int64_t length = length_of_call(call), count = call->x[1].elements;
        if (count) memcpy(call->saved, call->x[1].data, (size_t)count * sizeof(int64_t));
        int64_t bad = sg_signature_bad_length(call->saved, count, length);
        if (bad >= 0)
            return sigad_op_fail(call, SIGAD_ERANGE,
                                 "lengths[%" PRId64 "] is %" PRId64 ", must be in 0 .. %" PRId64,
                                 bad, ((const int64_t *)call->saved)[bad], length);
    }
    return run(call, SG_BATCH_FWD, NULL, NULL, call->y->data);
}

sigad_status sg_signature_op_vjp(sigad_op_call *call)
{
    const sigad_array *out = &call->x_cotangent[0];
    if (!out->data) return SIGAD_OK;
    if (sg_call_fresh(call, 0)) SG_RUN(call, clear, out->data, sg_array_bytes(out));
    return run(call, SG_BATCH_VJP, call->y_cotangent->data, NULL, out->data);
}

sigad_status sg_signature_op_jvp(sigad_op_call *call)
{
    if (!call->x_tangent[0].data) return SIGAD_OK;
    return run(call, SG_BATCH_JVP, NULL, call->x_tangent[0].data, call->y_tangent->data);
}

sigad_status sg_signature_op_soc(sigad_op_call *call)
{
    if (!call->x_tangent[0].data || !call->x_cotangent_tangent[0].data) return SIGAD_OK;
    return run(call, SG_BATCH_SOC, call->y_cotangent->data, call->x_tangent[0].data,
               call->x_cotangent_tangent[0].data);
}

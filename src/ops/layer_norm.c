/* y = h scale + shift, where h = (x - mean) / sqrt(variance + epsilon) over the last axis (Ba,
 * Kiros, Hinton 2016, "Layer normalization"). With g = y_cotangent and P the derivative of h by x,
 * a symmetric matrix for each row (ops/cpu/layer_norm.h): x_cotangent += P(g scale),
 * scale_cotangent += the sum over rows of g h,   shift_cotangent += that of g, y_tangent += scale
 * P(x_tangent) + scale_tangent h + shift_tangent, x_cotangent_tangent += P'(g scale) in direction
 * x_tangent + P(g scale_tangent), scale_cotangent_tangent += the sum over rows of g P(x_tangent).
 */
#include "ops/shape.h"

enum { X, SCALE, SHIFT };

typedef struct {
    double epsilon;
} attributes;

static sg_layer_norm kernel_of(const sigad_op_call *call)
{
    const sigad_array *x = &call->x[X];
    return (sg_layer_norm){x->dtype, sg_product(x->rank - 1, x->shape), x->shape[x->rank - 1],
                           x->data, call->saved};
}

/* out += the sum over the rows of an array of x's shape. */
static void add_rows(const sigad_op_call *call, const void *array, void *out, void *workspace)
{
    sg_layer_norm kernel = kernel_of(call);
    sg_sum sum;
    sg_sum_plan(&sum, 2, (int64_t[]){kernel.rows, kernel.n}, 1);
    SG_RUN(call, sum, &sum, kernel.dtype, array, 1, out, true, workspace);
}

/* The workspace holds an array of x's shape, and behind it what the sum of its rows needs. */
static size_t array_bytes(const sigad_op_call *call)
{
    return (sg_array_bytes(&call->x[X]) + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

static sigad_status check(const sigad_op_call *call)
{
    const sigad_array *x = &call->x[X];
    double epsilon = SG_ATTRIBUTES(attributes, call)->epsilon;
    char x_text[SG_SHAPE_TEXT], text[SG_SHAPE_TEXT];
    sg_shape_text(x, x_text);
    if (!x->rank) return sigad_op_fail(call, SIGAD_ESHAPE, "x %s needs at least one axis", x_text);
    int64_t n = x->shape[x->rank - 1];
    for (int i = SCALE; i <= SHIFT; i++)
        if (call->x[i].rank != 1 || call->x[i].shape[0] != n)
            return sigad_op_fail(call, SIGAD_ESHAPE, "x %s needs a %s [%lld], not %s", x_text,
                                 i == SCALE ? "scale" : "shift", (long long)n,
                                 sg_shape_text(&call->x[i], text));
    if (!(epsilon >= 0))
        return sigad_op_fail(call, SIGAD_EINVAL, "epsilon %g must be at least 0", epsilon);
    return SIGAD_OK;
}

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_need_floats(call, 3);
    if (!status) status = check(call);
    if (status) return status;
    sg_layer_norm kernel = kernel_of(call);
    sg_sum sum;
    sg_sum_plan(&sum, 2, (int64_t[]){kernel.rows, kernel.n}, 1);
    call->workspace_bytes[SIGAD_VJP] = call->workspace_bytes[SIGAD_SOC] =
        array_bytes(call) + sg_sum_workspace(&sum, kernel.dtype);
    call->saved_bytes = 2 * (size_t)kernel.rows * sg_dtype_bytes(kernel.dtype);
    return sg_infer_like(call, &call->x[X]);
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_layer_norm kernel = kernel_of(call);
    SG_RUN(call, layer_norm, &kernel, SG_ATTRIBUTES(attributes, call)->epsilon, call->x[SCALE].data,
           call->x[SHIFT].data, call->y->data);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    sg_layer_norm kernel = kernel_of(call);
    const sigad_array *out = call->x_cotangent;
    const sg_factor one = {NULL, 0}, g = {call->y_cotangent->data, kernel.n},
                    scale = {call->x[SCALE].data, 0};
    void *rest = (char *)call->workspace + array_bytes(call);
    if (out[X].data) SG_RUN(call, layer_norm_project, &kernel, one, g, scale, out[X].data);
    if (out[SHIFT].data) add_rows(call, g.data, out[SHIFT].data, rest);
    if (!out[SCALE].data) return SIGAD_OK;
    SG_RUN(call, clear, call->workspace, sg_array_bytes(&call->x[X]));
    SG_RUN(call, layer_norm_times, &kernel, g, call->workspace);
    add_rows(call, call->workspace, out[SCALE].data, rest);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_layer_norm kernel = kernel_of(call);
    const sigad_array *tangent = call->x_tangent;
    const sg_factor one = {NULL, 0}, scale = {call->x[SCALE].data, 0};
    const sg_factor v = {tangent[X].data, kernel.n}, scale_tangent = {tangent[SCALE].data, 0};
    void *y = call->y_tangent->data;
    if (v.data) SG_RUN(call, layer_norm_project, &kernel, scale, v, one, y);
    if (scale_tangent.data) SG_RUN(call, layer_norm_times, &kernel, scale_tangent, y);
    if (tangent[SHIFT].data)
        SG_RUN(call, add_to_rows, kernel.dtype, kernel.rows, kernel.n, tangent[SHIFT].data, y);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    sg_layer_norm kernel = kernel_of(call);
    const sigad_array *tangent = call->x_tangent, *out = call->x_cotangent_tangent;
    const sg_factor one = {NULL, 0}, g = {call->y_cotangent->data, kernel.n};
    const sg_factor scale = {call->x[SCALE].data, 0}, scale_tangent = {tangent[SCALE].data, 0},
                    v = {tangent[X].data, kernel.n};
    if (out[X].data && v.data)
        SG_RUN(call, layer_norm_bend, &kernel, g, scale, v.data, out[X].data);
    if (out[X].data && scale_tangent.data)
        SG_RUN(call, layer_norm_project, &kernel, one, g, scale_tangent, out[X].data);
    if (!out[SCALE].data || !v.data) return SIGAD_OK;
    SG_RUN(call, clear, call->workspace, sg_array_bytes(&call->x[X]));
    SG_RUN(call, layer_norm_project, &kernel, g, v, one, call->workspace);
    add_rows(call, call->workspace, out[SCALE].data, (char *)call->workspace + array_bytes(call));
    return SIGAD_OK;
}

static const sigad_op layer_norm = {SIGAD_OP_INIT, .name = "layer_norm", .infer = infer,
                                    SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_layer_norm(sigad_tape *tape, sigad_tensor x, sigad_tensor scale,
                              sigad_tensor shift, double epsilon)
{
    const attributes given = {epsilon};
    const sigad_tensor inputs[] = {x, scale, shift};
    return sigad_apply(tape, &layer_norm, 3, inputs, &given, sizeof given);
}

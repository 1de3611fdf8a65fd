/* y = x W + b on the last axis of x, whose other axes are rows of one product. With g =
 * y_cotangent: x_cotangent += g W^T,   W_cotangent += x^T g,   b_cotangent += the sum of g's rows.
 */
#include "ops/shape.h"

enum { X, WEIGHT, BIAS };

static int64_t rows_of(const sigad_op_call *call)
{
    return sg_product(call->x[X].rank - 1, call->x[X].shape);
}

static void plan_bias_sum(const sigad_op_call *call, sg_sum *sum)
{
    sg_sum_plan(sum, 2, (int64_t[]){rows_of(call), call->x[BIAS].shape[0]}, 1);
}

static sigad_status check_shapes(const sigad_op_call *call)
{
    const sigad_array *x = &call->x[X], *weight = &call->x[WEIGHT], *bias = &call->x[BIAS];
    char x_text[SG_SHAPE_TEXT], weight_text[SG_SHAPE_TEXT], bias_text[SG_SHAPE_TEXT];
    sg_shape_text(x, x_text);
    sg_shape_text(weight, weight_text);
    sg_shape_text(bias, bias_text);
    if (!x->rank)
        return sigad_op_fail(call, SIGAD_ESHAPE, "x %s needs at least one axis, [..., in]", x_text);
    int64_t in = x->shape[x->rank - 1];
    if (weight->rank != 2 || weight->shape[0] != in)
        return sigad_op_fail(call, SIGAD_ESHAPE, "x %s needs a weight [%lld,out], not %s", x_text,
                             (long long)in, weight_text);
    if (bias->rank != 1 || bias->shape[0] != weight->shape[1])
        return sigad_op_fail(call, SIGAD_ESHAPE, "weight %s needs a bias [%lld], not %s",
                             weight_text, (long long)weight->shape[1], bias_text);
    return SIGAD_OK;
}

/* op(a) op(b) + c, with rows as they lie in the tensors. */
static sg_gemm_plan plan_of(const sigad_op_call *call)
{
    int64_t in = call->x[WEIGHT].shape[0], out = call->x[WEIGHT].shape[1];
    return (sg_gemm_plan){.dtype = call->x[X].dtype,
                          .m = rows_of(call),
                          .n = out,
                          .k = in,
                          .lda = in,
                          .ldb = out,
                          .ldc = out,
                          .alpha = 1,
                          .beta = 1};
}

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_need_floats(call, 3);
    if (!status) status = check_shapes(call);
    if (status) return status;
    sg_gemm_plan plan = plan_of(call);
    if (!sg_gemm_fits(&plan))
        return sigad_op_fail(call, SIGAD_ERANGE,
                             "rows of more than 2147483647 elements are beyond the BLAS library");
    sg_infer_like(call, &call->x[X]);
    call->y->shape[call->y->rank - 1] = plan.n;
    sg_sum sum;
    plan_bias_sum(call, &sum);
    call->workspace_bytes[SIGAD_VJP] = sg_sum_workspace(&sum, call->x[X].dtype);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_gemm_plan plan = plan_of(call);
    SG_RUN(call, set_rows, plan.dtype, plan.m, plan.n, call->x[BIAS].data, call->y->data);
    SG_RUN(call, gemm, &plan, call->x[X].data, call->x[WEIGHT].data, call->y->data);
    return SIGAD_OK;
}

/* Adds what belongs to x and to the weight when `weight` and `x` stand for the other one, or
 * overwrites with it; NULL is skipped. */
static void add_cotangents(const sigad_op_call *call, const void *x, const void *weight,
                           const sigad_array *out, bool x_fresh, bool weight_fresh)
{
    sg_gemm_plan plan = plan_of(call);
    int64_t rows = plan.m, in = plan.k, columns = plan.n;
    const void *g = call->y_cotangent->data;
    if (out[X].data && weight) {
        plan.transpose_b = true;
        plan.m = rows, plan.n = in, plan.k = columns;
        plan.lda = columns, plan.ldb = columns, plan.ldc = in;
        plan.beta = x_fresh ? 0 : 1;
        SG_RUN(call, gemm, &plan, g, weight, out[X].data);
    }
    if (out[WEIGHT].data && x) {
        plan.transpose_a = true, plan.transpose_b = false;
        plan.m = in, plan.n = columns, plan.k = rows;
        plan.lda = in, plan.ldb = columns, plan.ldc = columns;
        plan.beta = weight_fresh ? 0 : 1;
        SG_RUN(call, gemm, &plan, x, g, out[WEIGHT].data);
    }
}

static sigad_status vjp(sigad_op_call *call)
{
    const sigad_array *out = call->x_cotangent;
    add_cotangents(call, call->x[X].data, call->x[WEIGHT].data, out, sg_call_fresh(call, X),
                   sg_call_fresh(call, WEIGHT));
    if (!out[BIAS].data) return SIGAD_OK;
    sg_sum sum;
    plan_bias_sum(call, &sum);
    SG_RUN(call, sum, &sum, call->x[X].dtype, call->y_cotangent->data, 1, out[BIAS].data,
           !sg_call_fresh(call, BIAS), call->workspace);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    sg_gemm_plan plan = plan_of(call);
    const sigad_array *tangent = call->x_tangent;
    void *y = call->y_tangent->data;
    if (tangent[X].data) SG_RUN(call, gemm, &plan, tangent[X].data, call->x[WEIGHT].data, y);
    if (tangent[WEIGHT].data) SG_RUN(call, gemm, &plan, call->x[X].data, tangent[WEIGHT].data, y);
    if (tangent[BIAS].data)
        SG_RUN(call, add_to_rows, plan.dtype, plan.m, plan.n, tangent[BIAS].data, y);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    add_cotangents(call, call->x_tangent[X].data, call->x_tangent[WEIGHT].data,
                   call->x_cotangent_tangent, false, false);
    return SIGAD_OK;
}

static const sigad_op linear = {SIGAD_OP_INIT, .name = "linear", .flags = SG_OP_FRESH,
                                .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_linear(sigad_tape *tape, sigad_tensor x, sigad_tensor weight, sigad_tensor bias)
{
    const sigad_tensor inputs[] = {x, weight, bias};
    return sigad_apply(tape, &linear, 3, inputs, NULL, 0);
}

/* y[t, :] = sum over s < width of x[t + s, :] W[s, :, :], for t = 0 .. length - width.
 *
 * The rows x[t .. t + width) lie one behind the other, so with W read as [width * in, out] every
 * y[t, :] is a row times a matrix, without any copy. Such rows overlap; those of every width-th t
 * do not. So y is `width` products ("phases"), whose rows start at t = 0, 1 .. width - 1 and lie
 * `width` steps apart. With g = y_cotangent and such a view x_p, g_p of each phase p: x_p_cotangent
 * += g_p W^T,   W_cotangent += the sum over p of x_p^T g_p. */
#include "ops/shape.h"

enum { X, WEIGHT };

/* `items` is the product of the leading axes of x, `steps` the length of y. */
typedef struct {
    int64_t items, length, in, width, out, steps;
} sizes;

static sizes sizes_of(const sigad_op_call *call)
{
    const sigad_array *x = &call->x[X], *weight = &call->x[WEIGHT];
    sizes s = {.items = sg_product(x->rank - 2, x->shape),
               .length = x->shape[x->rank - 2],
               .in = weight->shape[1],
               .width = weight->shape[0],
               .out = weight->shape[2]};
    s.steps = s.length - s.width + 1;
    return s;
}

static int64_t rows_of_phase(const sizes *s, int64_t phase)
{
    return s->steps / s->width + (phase < s->steps % s->width);
}

static sigad_status infer(sigad_op_call *call)
{
    const sigad_array *x = &call->x[X], *weight = &call->x[WEIGHT];
    char x_text[SG_SHAPE_TEXT], weight_text[SG_SHAPE_TEXT];
    sigad_status status = sg_need_floats(call, 2);
    if (status) return status;
    sg_shape_text(x, x_text);
    sg_shape_text(weight, weight_text);
    if (x->rank < 2 || weight->rank != 3)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "x %s and weight %s: they must be [...,length,in] and [width,in,out]",
                             x_text, weight_text);
    sizes s = sizes_of(call);
    if (x->shape[x->rank - 1] != s.in)
        return sigad_op_fail(call, SIGAD_ESHAPE, "x %s needs a weight [width,%lld,out], not %s",
                             x_text, (long long)x->shape[x->rank - 1], weight_text);
    if (s.width < 1 || s.width > s.length)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "width %lld of weight %s must be 1 .. %lld, the length of x %s",
                             (long long)s.width, weight_text, (long long)s.length, x_text);
    sg_gemm_plan plan = {0};
    if (!sg_multiply(s.width, s.in, &plan.lda) || !sg_multiply(s.width, s.out, &plan.ldc) ||
        !sg_gemm_fits(&plan))
        return sigad_op_fail(call, SIGAD_ERANGE,
                             "rows of more than 2147483647 elements are beyond the BLAS library");
    sg_infer_like(call, x);
    call->y->shape[x->rank - 2] = s.steps;
    call->y->shape[x->rank - 1] = s.out;
    return SIGAD_OK;
}

/* The bytes to skip for so many entries. */
static int64_t skip(const sigad_op_call *call, int64_t entries)
{
    return entries * (int64_t)sg_dtype_bytes(call->x[X].dtype);
}

/* Phases `first` .. `first + count` - 1, which have equally many rows. */
static void multiply_phases(const sigad_op_call *call, const void *x, const void *weight, void *y,
                            double beta, int64_t first, int64_t count)
{
    sizes s = sizes_of(call);
    sg_gemm_plan plan = {.dtype = call->x[X].dtype,
                         .m = rows_of_phase(&s, first),
                         .n = s.out,
                         .k = s.width * s.in,
                         .alpha = 1,
                         .beta = beta,
                         .axes = 2};
    plan.lda = plan.k, plan.ldb = s.out, plan.ldc = s.width * s.out;
    plan.axis[0] = (sg_gemm_axis){s.items, s.length * s.in, 0, s.steps * s.out};
    plan.axis[1] = (sg_gemm_axis){count, s.in, 0, s.out};
    SG_RUN(call, gemm, &plan, (const char *)x + skip(call, first * s.in), weight,
           (char *)y + skip(call, first * s.out));
}

static void multiply(const sigad_op_call *call, const void *x, const void *weight, void *y,
                     double beta)
{
    sizes s = sizes_of(call);
    int64_t longer = s.steps % s.width;
    if (longer) multiply_phases(call, x, weight, y, beta, 0, longer);
    multiply_phases(call, x, weight, y, beta, longer, s.width - longer);
}

/* Phases overlap in x, so they go one after the other. */
static void add_to_x(const sigad_op_call *call, const void *weight, void *out)
{
    sizes s = sizes_of(call);
    const char *g = call->y_cotangent->data;
    for (int64_t phase = 0; phase < s.width; phase++) {
        sg_gemm_plan plan = {.dtype = call->x[X].dtype,
                             .transpose_b = true,
                             .m = rows_of_phase(&s, phase),
                             .n = s.width * s.in,
                             .k = s.out,
                             .alpha = 1,
                             .beta = 1,
                             .axes = 1};
        plan.lda = s.width * s.out, plan.ldb = s.out, plan.ldc = plan.n;
        plan.axis[0] = (sg_gemm_axis){s.items, s.steps * s.out, 0, s.length * s.in};
        SG_RUN(call, gemm, &plan, g + skip(call, phase * s.out), weight,
               (char *)out + skip(call, phase * s.in));
    }
}

static void add_to_weight(const sigad_op_call *call, const void *x, void *out, bool fresh)
{
    sizes s = sizes_of(call);
    const char *g = call->y_cotangent->data;
    for (int64_t phase = 0; phase < s.width; phase++) {
        sg_gemm_plan plan = {.dtype = call->x[X].dtype,
                             .transpose_a = true,
                             .m = s.width * s.in,
                             .n = s.out,
                             .k = rows_of_phase(&s, phase),
                             .alpha = 1,
                             .beta = fresh && phase == 0 ? 0 : 1,
                             .axes = 1};
        plan.lda = plan.m, plan.ldb = s.width * s.out, plan.ldc = s.out;
        plan.axis[0] = (sg_gemm_axis){s.items, s.length * s.in, s.steps * s.out, 0};
        SG_RUN(call, gemm, &plan, (const char *)x + skip(call, phase * s.in),
               g + skip(call, phase * s.out), out);
    }
}

static sigad_status fwd(sigad_op_call *call)
{
    multiply(call, call->x[X].data, call->x[WEIGHT].data, call->y->data, 0);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    const sigad_array *out = call->x_cotangent;
    if (out[X].data && sg_call_fresh(call, X))
        SG_RUN(call, clear, out[X].data, sg_array_bytes(&out[X]));
    if (out[X].data) add_to_x(call, call->x[WEIGHT].data, out[X].data);
    if (out[WEIGHT].data)
        add_to_weight(call, call->x[X].data, out[WEIGHT].data, sg_call_fresh(call, WEIGHT));
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    const sigad_array *tangent = call->x_tangent;
    if (tangent[X].data)
        multiply(call, tangent[X].data, call->x[WEIGHT].data, call->y_tangent->data, 1);
    if (tangent[WEIGHT].data)
        multiply(call, call->x[X].data, tangent[WEIGHT].data, call->y_tangent->data, 1);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    const sigad_array *tangent = call->x_tangent, *out = call->x_cotangent_tangent;
    if (out[X].data && tangent[WEIGHT].data) add_to_x(call, tangent[WEIGHT].data, out[X].data);
    if (out[WEIGHT].data && tangent[X].data)
        add_to_weight(call, tangent[X].data, out[WEIGHT].data, false);
    return SIGAD_OK;
}

static const sigad_op conv1d = {SIGAD_OP_INIT, .name = "conv1d", .flags = SG_OP_FRESH,
                                .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_conv1d(sigad_tape *tape, sigad_tensor x, sigad_tensor weight)
{
    const sigad_tensor inputs[] = {x, weight};
    return sigad_apply(tape, &conv1d, 2, inputs, NULL, 0);
}

/* Elementwise operations of one operand, made from the list in ops/unary.h:
 * x_cotangent += f'(x) y_cotangent,  y_tangent += f'(x) x_tangent,
 * x_cotangent_tangent += f''(x) y_cotangent x_tangent. */
#include "ops/unary.h"
#include "ops/shape.h"

typedef struct {
    int32_t kind;
    double a, b;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    sigad_status status = sg_need_floats(call, 1);
    if (status) return status;
    if (given->kind == SG_UNARY_clip && !(given->a <= given->b)) {
        char text[SG_SHAPE_TEXT];
        return sigad_op_fail(call, SIGAD_EINVAL, "%s: low %g and high %g must be in order",
                             sg_shape_text(&call->x[0], text), given->a, given->b);
    }
    return sg_infer_like(call, &call->x[0]);
}

static sigad_status run(const sigad_op_call *call, sg_unary_order order, const void *p,
                        const void *q, void *out, bool fresh)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *x = &call->x[0];
    sg_unary_arrays arrays = {x->data, call->y->data, p, q, out, fresh};
    if (out)
        SG_RUN(call, unary, given->kind, order, x->dtype, x->elements, given->a, given->b, &arrays);
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    return run(call, SG_UNARY_VALUE, NULL, NULL, call->y->data, true);
}

static sigad_status vjp(sigad_op_call *call)
{
    return run(call, SG_UNARY_FIRST, call->y_cotangent->data, NULL, call->x_cotangent[0].data,
               sg_call_fresh(call, 0));
}

static sigad_status jvp(sigad_op_call *call)
{
    if (!call->x_tangent[0].data) return SIGAD_OK;
    return run(call, SG_UNARY_FIRST, call->x_tangent[0].data, NULL, call->y_tangent->data, false);
}

static sigad_status soc_of_curved(sigad_op_call *call)
{
    if (!call->x_tangent[0].data) return SIGAD_OK;
    return run(call, SG_UNARY_SECOND, call->y_cotangent->data, call->x_tangent[0].data,
               call->x_cotangent_tangent[0].data, false);
}

static sigad_status soc_of_piecewise(sigad_op_call *call)
{
    (void)call;
    return SIGAD_OK;
}

#define FLAGS_LINEAR    SIGAD_OP_LINEAR
#define FLAGS_PIECEWISE 0
#define FLAGS_CURVED    0
#define SOC_LINEAR      NULL
#define SOC_PIECEWISE   soc_of_piecewise
#define SOC_CURVED      soc_of_curved

static const sigad_op table[] = {
#define ROW(op_name, bend, value, first, second)                                         \
    {SIGAD_OP_INIT, .name = #op_name, .flags = SG_OP_FRESH | SG_OP_QUICK | FLAGS_##bend, \
     .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, SOC_##bend)},
    SG_UNARY(ROW)
#undef ROW
};

static sigad_tensor apply(sigad_tape *tape, int32_t kind, sigad_tensor x, double a, double b)
{
    attributes given = {kind, a, b};
    return sigad_apply(tape, &table[kind], 1, &x, &given, sizeof given);
}

#define ROW(name, bend, value, first, second)                   \
    sigad_tensor sigad_##name(sigad_tape *tape, sigad_tensor x) \
    {                                                           \
        return apply(tape, SG_UNARY_##name, x, 0, 0);           \
    }
SG_UNARY_PLAIN(ROW)
#undef ROW

sigad_tensor sigad_affine(sigad_tape *tape, sigad_tensor x, double scale, double shift)
{
    return apply(tape, SG_UNARY_affine, x, scale, shift);
}

sigad_tensor sigad_power(sigad_tape *tape, sigad_tensor x, double exponent)
{
    return apply(tape, SG_UNARY_power, x, exponent, 0);
}

sigad_tensor sigad_leaky_relu(sigad_tape *tape, sigad_tensor x, double slope)
{
    return apply(tape, SG_UNARY_leaky_relu, x, slope, 0);
}

sigad_tensor sigad_elu(sigad_tape *tape, sigad_tensor x, double alpha)
{
    return apply(tape, SG_UNARY_elu, x, alpha, 0);
}

sigad_tensor sigad_clip(sigad_tape *tape, sigad_tensor x, double low, double high)
{
    return apply(tape, SG_UNARY_clip, x, low, high);
}

/* Conversion of the element type; between floating types the derivative is converted likewise. */
#include "ops/shape.h"

typedef struct {
    int32_t dtype;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    int32_t dtype = SG_ATTRIBUTES(attributes, call)->dtype;
    if (!sg_dtype_bytes(dtype))
        return sigad_op_fail(call, SIGAD_EINVAL,
                             "dtype %d: it must be SIGAD_F32, SIGAD_F64 or SIGAD_I64", dtype);
    return sg_infer_as(call, dtype, call->x[0].rank, call->x[0].shape);
}

static sigad_status fwd(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    const sigad_array *x = &call->x[0];
    int64_t bad = SG_RUN(call, cast, sg_call_origin(call), x->elements, x->dtype, x->data,
                         call->y->dtype, call->y->data);
    if (bad < 0) return SIGAD_OK;
    double value =
        x->dtype == SIGAD_F32 ? ((const float *)x->data)[bad] : ((const double *)x->data)[bad];
    return sigad_op_fail(call, SIGAD_ERANGE, "%s: entry %lld is %g, which has no int64 value",
                         sg_shape_text(x, text), (long long)bad, value);
}

static sigad_status vjp(sigad_op_call *call)
{
    const sigad_array *from = call->y_cotangent, *to = &call->x_cotangent[0];
    if (to->data)
        SG_RUN(call, cast_add, to->elements, from->dtype, from->data, to->dtype, to->data);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    const sigad_array *from = &call->x_tangent[0], *to = call->y_tangent;
    if (from->data)
        SG_RUN(call, cast_add, to->elements, from->dtype, from->data, to->dtype, to->data);
    return SIGAD_OK;
}

static const sigad_op op_cast = {SIGAD_OP_INIT, .name = "cast", .flags = SIGAD_OP_LINEAR,
                                 .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_cast(sigad_tape *tape, sigad_tensor x, sigad_dtype dtype)
{
    const attributes given = {(int32_t)dtype};
    return sigad_apply(tape, &op_cast, 1, &x, &given, sizeof given);
}

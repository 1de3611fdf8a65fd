/* Tensors drawn at random: operations without inputs, so that a replay with another step draws
 * anew. */
#include "ops/shape.h"
#include <math.h>

typedef struct {
    int32_t dtype, rank;
    int64_t shape[SIGAD_MAX_RANK];
    double low, high;
    bool has_shape;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    if (!sg_is_floating(given->dtype))
        return sigad_op_fail(call, SIGAD_EDTYPE, "dtype %d: it must be SIGAD_F32 or SIGAD_F64",
                             given->dtype);
    sigad_status status =
        sg_need_sizes(call, given->rank, given->has_shape ? given->shape : NULL, 0);
    if (status) return status;
    if (!(given->low <= given->high) || !isfinite(given->high - given->low))
        return sigad_op_fail(call, SIGAD_EINVAL, "low %g and high %g must be finite and in order",
                             given->low, given->high);
    return sg_infer_as(call, given->dtype, given->rank, given->shape);
}

static sigad_status draw_uniform(sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    SG_RUN(call, uniform, sg_call_random_key(call), given->low, given->high, call->y->elements,
           given->dtype, call->y->data);
    return SIGAD_OK;
}

static sigad_status draw_normal(sigad_op_call *call)
{
    SG_RUN(call, normal, sg_call_random_key(call), call->y->elements, call->y->dtype,
           call->y->data);
    return SIGAD_OK;
}

static const sigad_op op_uniform = {SIGAD_OP_INIT, .name = "uniform", .infer = infer,
                                    SG_ON_EACH_DEVICE(draw_uniform, NULL, NULL, NULL)};
static const sigad_op op_normal = {SIGAD_OP_INIT, .name = "normal", .infer = infer,
                                   SG_ON_EACH_DEVICE(draw_normal, NULL, NULL, NULL)};

static sigad_tensor apply(sigad_tape *tape, const sigad_op *op, sigad_dtype dtype, int rank,
                          const int64_t *shape, double low, double high)
{
    attributes given = {.dtype = (int32_t)dtype,
                        .rank = rank,
                        .low = low,
                        .high = high,
                        .has_shape = shape != NULL};
    for (int i = 0; shape && i < rank && i < SIGAD_MAX_RANK; i++) given.shape[i] = shape[i];
    return sigad_apply(tape, op, 0, NULL, &given, sizeof given);
}

sigad_tensor sigad_uniform(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                           double low, double high)
{
    return apply(tape, &op_uniform, dtype, rank, shape, low, high);
}

sigad_tensor sigad_normal(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape)
{
    return apply(tape, &op_normal, dtype, rank, shape, 0, 0);
}

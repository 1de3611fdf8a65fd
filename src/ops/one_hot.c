/* Rows of zeros with a 1 at an index. */
#include "ops/shape.h"
#include <string.h>

typedef struct {
    int64_t size;
    int32_t dtype;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *index = &call->x[0];
    int64_t shape[SIGAD_MAX_RANK + 1];
    sg_shape_text(index, text);
    if (index->dtype != SIGAD_I64)
        return sigad_op_fail(call, SIGAD_EDTYPE, "the index is %s: it must be int64",
                             sg_dtype_name(index->dtype));
    if (!sg_is_floating(given->dtype))
        return sigad_op_fail(call, SIGAD_EDTYPE, "dtype %d: it must be SIGAD_F32 or SIGAD_F64",
                             given->dtype);
    if (given->size < 0)
        return sigad_op_fail(call, SIGAD_EINVAL, "%s: size %lld must be at least 0", text,
                             (long long)given->size);
    if (index->rank == SIGAD_MAX_RANK)
        return sigad_op_fail(call, SIGAD_ESHAPE, "%s: it has %d axes already, the most there are",
                             text, SIGAD_MAX_RANK);
    memcpy(shape, index->shape, sizeof index->shape);
    shape[index->rank] = given->size;
    return sg_infer_as(call, given->dtype, index->rank + 1, shape);
}

static sigad_status fwd(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    const sigad_array *index = &call->x[0];
    int64_t size = SG_ATTRIBUTES(attributes, call)->size;
    int64_t bad =
        SG_RUN(call, check_index, sg_call_origin(call), index->elements, size, index->data);
    if (bad >= 0)
        return sigad_op_fail(call, SIGAD_ERANGE,
                             "%s: index %lld at entry %lld must be at least 0 and less than %lld",
                             sg_shape_text(index, text), (long long)((int64_t *)index->data)[bad],
                             (long long)bad, (long long)size);
    SG_RUN(call, one_hot, index->elements, size, index->data, call->y->dtype, call->y->data);
    return SIGAD_OK;
}

static const sigad_op op_one_hot = {SIGAD_OP_INIT, .name = "one_hot", .infer = infer,
                                    SG_ON_EACH_DEVICE(fwd, NULL, NULL, NULL)};

sigad_tensor sigad_one_hot(sigad_tape *tape, sigad_tensor index, int64_t size, sigad_dtype dtype)
{
    const attributes given = {size, (int32_t)dtype};
    return sigad_apply(tape, &op_one_hot, 1, &index, &given, sizeof given);
}

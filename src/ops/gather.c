/* Entries along an axis by index (numpy.take); cotangents are added where the entries came from,
 * in the order of the index. */
#include "ops/shape.h"
#include <string.h>

enum { X = 0, INDEX = 1 };

typedef struct {
    int32_t axis;
} attributes;

static int axis_of(const sigad_op_call *call)
{
    int axis = SG_ATTRIBUTES(attributes, call)->axis;
    return axis < 0 ? axis + call->x[X].rank : axis;
}

static sg_gather_shape shape_of(const sigad_op_call *call)
{
    sg_split split = sg_split_at(&call->x[X], axis_of(call));
    return (sg_gather_shape){split.outer, split.n, split.inner, call->x[INDEX].elements};
}

static sigad_status infer(sigad_op_call *call)
{
    char text[SG_SHAPES_TEXT];
    const sigad_array *x = &call->x[X], *index = &call->x[INDEX];
    int64_t shape[2 * SIGAD_MAX_RANK];
    int axis;
    if (index->dtype != SIGAD_I64)
        return sigad_op_fail(call, SIGAD_EDTYPE, "the index is %s: it must be int64",
                             sg_dtype_name(index->dtype));
    sigad_status status = sg_need_axis(call, x, SG_ATTRIBUTES(attributes, call)->axis, &axis);
    if (status) return status;
    int rank = x->rank - 1 + index->rank;
    if (rank > SIGAD_MAX_RANK)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s: the result would have %d axes, %d is the most",
                             sg_shapes_text(call, 2, text), rank, SIGAD_MAX_RANK);
    memcpy(shape, x->shape, (size_t)axis * sizeof *shape);
    memcpy(shape + axis, index->shape, (size_t)index->rank * sizeof *shape);
    memcpy(shape + axis + index->rank, x->shape + axis + 1,
           (size_t)(x->rank - axis - 1) * sizeof *shape);
    call->workspace_bytes[SIGAD_VJP] =
        sg_call_place(call)->kernels->scatter_workspace(index->elements);
    return sg_infer_as(call, x->dtype, rank, shape);
}

static sigad_status fwd(sigad_op_call *call)
{
    char text[SG_SHAPE_TEXT];
    sg_gather_shape shape = shape_of(call);
    const int64_t *index = call->x[INDEX].data;
    int64_t bad = SG_RUN(call, check_index, sg_call_origin(call), shape.count, shape.size, index);
    if (bad >= 0)
        return sigad_op_fail(call, SIGAD_ERANGE,
                             "%s: index %lld at entry %lld must be at least 0 and less than %lld, "
                             "the size of axis %d",
                             sg_shape_text(&call->x[X], text), (long long)index[bad],
                             (long long)bad, (long long)shape.size, axis_of(call));
    SG_RUN(call, gather, call->y->dtype, shape, index, call->x[X].data, call->y->data);
    return SIGAD_OK;
}

static sigad_status vjp(sigad_op_call *call)
{
    if (call->x_cotangent[X].data)
        SG_RUN(call, scatter_add, call->y->dtype, shape_of(call), call->x[INDEX].data,
               call->y_cotangent->data, call->x_cotangent[X].data, call->workspace);
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    if (call->x_tangent[X].data)
        SG_RUN(call, gather_add, call->y->dtype, shape_of(call), call->x[INDEX].data,
               call->x_tangent[X].data, call->y_tangent->data);
    return SIGAD_OK;
}

static const sigad_op op_gather = {SIGAD_OP_INIT, .name = "gather", .flags = SIGAD_OP_LINEAR,
                                   .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_gather(sigad_tape *tape, sigad_tensor x, sigad_tensor index, int axis)
{
    const attributes given = {axis};
    const sigad_tensor inputs[] = {x, index};
    return sigad_apply(tape, &op_gather, 2, inputs, &given, sizeof given);
}

#include "ops/shape.h"
#include <stdio.h>
#include <string.h>

const char *sg_shapes_text(const sigad_op_call *call, int count, char buffer[SG_SHAPES_TEXT])
{
    size_t used = 0;
    buffer[0] = 0;
    for (int i = 0; i < count && used < SG_SHAPES_TEXT; i++) {
        char shape[SG_SHAPE_TEXT];
        const char *between = i == 0 ? "" : i + 1 < count ? ", " : " and ";
        int written = snprintf(buffer + used, SG_SHAPES_TEXT - used, "%s%s", between,
                               sg_shape_text(&call->x[i], shape));
        used += written > 0 ? (size_t)written : 0;
    }
    return buffer;
}

sigad_status sg_need_same_dtype(const sigad_op_call *call, int count)
{
    for (int i = 1; i < count; i++) {
        if (call->x[i].dtype == call->x[0].dtype) continue;
        return sigad_op_fail(call, SIGAD_EDTYPE,
                             "operands are %s and %s: they must have one dtype, use sigad_cast",
                             sg_dtype_name(call->x[0].dtype), sg_dtype_name(call->x[i].dtype));
    }
    return SIGAD_OK;
}

sigad_status sg_need_floats(const sigad_op_call *call, int count)
{
    for (int i = 0; i < count; i++) {
        if (sg_is_floating(call->x[i].dtype)) continue;
        return sigad_op_fail(call, SIGAD_EDTYPE,
                             "operand %d is %s: it must be float32 or float64, use sigad_cast", i,
                             sg_dtype_name(call->x[i].dtype));
    }
    return sg_need_same_dtype(call, count);
}

sigad_status sg_need_dtype(const sigad_op_call *call, int input, int32_t dtype)
{
    if (call->x[input].dtype == dtype) return SIGAD_OK;
    return sigad_op_fail(call, SIGAD_EDTYPE, "operand %d is %s: it must be %s", input,
                         sg_dtype_name(call->x[input].dtype), sg_dtype_name(dtype));
}

sigad_status sg_need_axis(const sigad_op_call *call, const sigad_array *x, int axis, int *normal)
{
    char text[SG_SHAPE_TEXT];
    if (axis >= -x->rank && axis < x->rank) {
        *normal = axis < 0 ? axis + x->rank : axis;
        return SIGAD_OK;
    }
    sg_shape_text(x, text);
    if (x->rank == 0)
        return sigad_op_fail(call, SIGAD_EINVAL, "%s: it has no axis %d, it is a scalar", text,
                             axis);
    return sigad_op_fail(call, SIGAD_EINVAL, "%s: it has no axis %d, axes are %d .. %d", text, axis,
                         -x->rank, x->rank - 1);
}

sigad_status sg_need_new_axis(const sigad_op_call *call, int axis, int *normal)
{
    char text[SG_SHAPE_TEXT];
    const sigad_array *x = &call->x[0];
    sg_shape_text(x, text);
    if (x->rank == SIGAD_MAX_RANK)
        return sigad_op_fail(call, SIGAD_ESHAPE, "%s: it has %d axes already, the most there are",
                             text, SIGAD_MAX_RANK);
    if (axis < -x->rank - 1 || axis > x->rank)
        return sigad_op_fail(call, SIGAD_EINVAL, "%s: a new axis %d must be %d .. %d", text, axis,
                             -x->rank - 1, x->rank);
    *normal = axis < 0 ? axis + x->rank + 1 : axis;
    return SIGAD_OK;
}

sigad_status sg_need_sizes(const sigad_op_call *call, int rank, const int64_t *shape,
                           int64_t lowest)
{
    if (rank < 0 || rank > SIGAD_MAX_RANK)
        return sigad_op_fail(call, SIGAD_EINVAL, "rank %d: it must be 0 .. %d", rank,
                             SIGAD_MAX_RANK);
    if (rank > 0 && !shape)
        return sigad_op_fail(call, SIGAD_EINVAL, "shape is NULL: %d sizes are needed", rank);
    for (int i = 0; i < rank; i++)
        if (shape[i] < lowest)
            return sigad_op_fail(call, SIGAD_EINVAL, "size %lld of axis %d: it must be at least %d",
                                 (long long)shape[i], i, (int)lowest);
    return SIGAD_OK;
}

sigad_status sg_infer_as(sigad_op_call *call, int32_t dtype, int rank, const int64_t *shape)
{
    call->y->dtype = dtype;
    call->y->rank = rank;
    if (rank > 0) memmove(call->y->shape, shape, (size_t)rank * sizeof *shape);
    const sg_call *whole = (const sg_call *)(const void *)call;
    return sg_array_measure(&whole->tape->context->error, whole->name, call->y);
}

bool sg_broadcast_shapes(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank,
                         int64_t *shape)
{
    int most = rank_a > rank_b ? rank_a : rank_b;
    int64_t result[SIGAD_MAX_RANK];
    for (int i = 0; i < most; i++) {
        int64_t size_a = i < most - rank_a ? 1 : a[i - (most - rank_a)];
        int64_t size_b = i < most - rank_b ? 1 : b[i - (most - rank_b)];
        if (size_a != size_b && size_a != 1 && size_b != 1) return false;
        result[i] = size_a == 1 ? size_b : size_a;
    }
    for (int i = 0; i < most; i++) shape[i] = result[i];
    *rank = most;
    return true;
}

sigad_status sg_infer_broadcast(sigad_op_call *call, int count, int32_t dtype)
{
    char text[SG_SHAPES_TEXT];
    int64_t shape[SIGAD_MAX_RANK];
    int rank = 0;
    bool same = true;
    for (int i = 1; i < count; i++) same = same && sg_same_shape(&call->x[0], &call->x[i]);
    if (same) return sg_infer_as(call, dtype, call->x[0].rank, call->x[0].shape);
    for (int i = 0; i < count; i++)
        if (!sg_broadcast_shapes(rank, shape, call->x[i].rank, call->x[i].shape, &rank, shape))
            return sigad_op_fail(call, SIGAD_ESHAPE,
                                 "%s do not broadcast: sizes of an axis, counted from the last, "
                                 "must be equal or 1",
                                 sg_shapes_text(call, count, text));
    return sg_infer_as(call, dtype, rank, shape);
}

sigad_status sg_infer_reduced(sigad_op_call *call, const sigad_array *x, int axis, int keep,
                              int32_t dtype)
{
    int64_t shape[SIGAD_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        bool reduced = axis == SIGAD_ALL || axis == i;
        if (!reduced || keep) shape[rank++] = reduced ? 1 : x->shape[i];
    }
    return sg_infer_as(call, dtype, rank, shape);
}

sigad_status sg_infer_with_axis(sigad_op_call *call, const sigad_array *x, int axis, int64_t size)
{
    int64_t shape[SIGAD_MAX_RANK + 1];
    for (int i = 0; i <= x->rank; i++) shape[i] = i == axis ? size : x->shape[i < axis ? i : i - 1];
    return sg_infer_as(call, x->dtype, x->rank + 1, shape);
}

sigad_status sg_infer_resized(sigad_op_call *call, const sigad_array *x, int axis, int64_t size)
{
    int64_t shape[SIGAD_MAX_RANK];
    for (int i = 0; i < x->rank; i++) shape[i] = i == axis ? size : x->shape[i];
    return sg_infer_as(call, x->dtype, x->rank, shape);
}

int64_t sg_product(int count, const int64_t *sizes)
{
    int64_t product = 1;
    for (int i = 0; i < count; i++) product *= sizes[i];
    return product;
}

sg_split sg_split_at(const sigad_array *x, int axis)
{
    if (axis == SIGAD_ALL) return (sg_split){1, sg_product(x->rank, x->shape), 1};
    return (sg_split){sg_product(axis, x->shape), x->shape[axis],
                      sg_product(x->rank - axis - 1, x->shape + axis + 1)};
}

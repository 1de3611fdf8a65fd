#include "ops/along.h"

/* After infer has checked it. */
static int normal_axis(const sigad_op_call *call)
{
    int axis = SG_ATTRIBUTES(sg_along, call)->axis;
    return axis < 0 ? axis + call->x[0].rank : axis;
}

sigad_status sg_infer_along(sigad_op_call *call, int32_t dtype)
{
    const sg_along *along = SG_ATTRIBUTES(sg_along, call);
    int axis = SIGAD_ALL;
    sigad_status status = sg_need_floats(call, 1);
    if (!status && along->axis != SIGAD_ALL)
        status = sg_need_axis(call, &call->x[0], along->axis, &axis);
    return status ? status : sg_infer_reduced(call, &call->x[0], axis, along->keep, dtype);
}

sigad_status sg_infer_along_some(sigad_op_call *call, int32_t dtype)
{
    char text[SG_SHAPE_TEXT];
    sigad_status status = sg_infer_along(call, dtype);
    if (status || sg_along_split(call).n > 0) return status;
    return sigad_op_fail(call, SIGAD_ESHAPE,
                         "%s: it has no entries along the axis, at least 1 is needed",
                         sg_shape_text(&call->x[0], text));
}

sg_split sg_along_split(const sigad_op_call *call)
{
    return sg_split_at(&call->x[0], normal_axis(call));
}

void sg_along_sum(const sigad_op_call *call, sg_sum *sum)
{
    sg_split split = sg_along_split(call);
    sg_sum_plan(sum, 3, (int64_t[]){split.outer, split.n, split.inner}, 2);
}

sg_view sg_along_spread(const sigad_op_call *call)
{
    sg_split split = sg_along_split(call);
    return (sg_view){.rank = 3,
                     .shape = {split.outer, split.n, split.inner},
                     .y_stride = {split.n * split.inner, split.inner, 1},
                     .x_stride = {split.inner, 0, 1}};
}

static size_t aligned(size_t bytes)
{
    return (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

/* Workspace: the terms, the result's array, the integers, the sum's own. */
static size_t result_at(const sigad_op_call *call)
{
    return aligned(sg_array_bytes(&call->x[0]));
}

static size_t index_at(const sigad_op_call *call)
{
    return result_at(call) + aligned(sg_array_bytes(call->y));
}

static size_t sum_at(const sigad_op_call *call)
{
    return index_at(call) + aligned((size_t)call->y->elements * sizeof(int64_t));
}

/* Never 0, so that there is a block to point into. */
size_t sg_along_workspace(const sigad_op_call *call)
{
    sg_sum sum;
    sg_along_sum(call, &sum);
    return sum_at(call) + SG_ALIGNMENT + sg_sum_workspace(&sum, call->x[0].dtype);
}

void *sg_along_result(const sigad_op_call *call)
{
    return (char *)call->workspace + result_at(call);
}

int64_t *sg_along_index(const sigad_op_call *call)
{
    char *workspace = call->workspace; /* NULL where this kind needs none */
    return workspace ? (int64_t *)(void *)(workspace + index_at(call)) : NULL;
}

void sg_along_run(const sigad_op_call *call, int kind, sg_along_arrays arrays)
{
    SG_RUN(call, along, kind, call->x[0].dtype, sg_along_split(call), &arrays);
}

void sg_along_reduce(const sigad_op_call *call, int kind, sg_along_arrays arrays, double divisor,
                     void *y, bool add)
{
    arrays.out = call->workspace;
    sg_along_run(call, kind, arrays);
    sg_along_sum_of(call, call->workspace, divisor, y, add);
}

void sg_along_sum_of(const sigad_op_call *call, const void *x, double divisor, void *y, bool add)
{
    sg_sum sum;
    sg_along_sum(call, &sum);
    SG_RUN(call, sum, &sum, call->x[0].dtype, x, divisor, y, add,
           (char *)call->workspace + sum_at(call));
}

#include "ops/mean_loss.h"

static size_t terms_bytes(const sigad_op_call *call, int64_t count)
{
    size_t bytes = (size_t)count * sg_dtype_bytes(call->x[0].dtype);
    return (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

size_t sg_mean_loss_workspace(const sigad_op_call *call, int64_t count)
{
    sg_sum sum;
    sg_sum_plan(&sum, 1, &count, 1);
    return terms_bytes(call, count) + sg_sum_workspace(&sum, call->x[0].dtype);
}

void sg_mean_loss(const sigad_op_call *call, int64_t count, void *y, bool add)
{
    sg_sum sum;
    sg_sum_plan(&sum, 1, &count, 1);
    SG_RUN(call, sum, &sum, call->x[0].dtype, call->workspace, (double)count, y, add,
           (char *)call->workspace + terms_bytes(call, count));
}

sg_mean_share sg_mean_loss_share(const sigad_op_call *call, int64_t count)
{
    return (sg_mean_share){call->y_cotangent->data, count};
}

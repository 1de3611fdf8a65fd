/* Losses end in a mean, which is taken of terms that stand in the workspace. */
#ifndef SG_MEAN_LOSS_H
#define SG_MEAN_LOSS_H
#include "ops/shape.h"

/* The workspace for `count` terms of x[0]'s dtype and their sum. */
size_t sg_mean_loss_workspace(const sigad_op_call *call, int64_t count);
/* y = or += the mean of the terms, which stand at the start of the workspace. */
void sg_mean_loss(const sigad_op_call *call, int64_t count, void *y, bool add);
/* The cotangent of each term: that of the mean, divided by their number. */
sg_mean_share sg_mean_loss_share(const sigad_op_call *call, int64_t count);
#endif

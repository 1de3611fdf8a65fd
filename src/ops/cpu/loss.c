#include "ops/cpu/loss.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/ranges.h"

typedef struct {
    sg_loss_loop body;
    const sg_loss_arrays *arrays;
    double share;
} job;

static void run(void *user, int64_t first, int64_t count)
{
    const job *j = user;
    j->body(j->arrays, j->share, first, count);
}

void sg_cpu_loss(sg_place *place, sg_loss loss, sg_loss_order order, int32_t dtype, int64_t n,
                 const sg_loss_arrays *arrays)
{
    job j = {sg_dense_of(dtype)->loss[loss][order], arrays,
             sg_cpu_mean_share(dtype, arrays->share)};
    sg_ranges(place->threads, n, 1, run, &j);
}

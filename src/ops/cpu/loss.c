#include "ops/cpu/loss.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/ranges.h"

typedef struct {
    sg_loss_loop body;
    const sg_loss_arrays *arrays;
} job;

static void run(void *user, int64_t first, int64_t count)
{
    const job *j = user;
    j->body(j->arrays, first, count);
}

void sg_cpu_loss(sg_loss loss, sg_loss_order order, int32_t dtype, int threads, int64_t n,
                 const sg_loss_arrays *arrays)
{
    job j = {sg_dense_of(dtype)->loss[loss][order], arrays};
    sg_ranges(threads, n, 1, run, &j);
}

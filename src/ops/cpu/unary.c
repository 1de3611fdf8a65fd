#include "ops/cpu/unary.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/parallel_rows.h"
#include "sigad/base.h"

typedef struct {
    sg_unary_loop body;
    int64_t entry_bytes;
    double a, b;
    const sg_unary_arrays *arrays;
} job;

static const void *from(const void *array, int64_t offset)
{
    return array ? (const char *)array + offset : NULL;
}

static void run_range(void *user, int64_t first, int64_t last)
{
    const job *j = user;
    int64_t offset = first * j->entry_bytes;
    const sg_unary_arrays *all = j->arrays;
    sg_unary_arrays part = {from(all->x, offset), from(all->y, offset),      from(all->p, offset),
                            from(all->q, offset), (char *)all->out + offset, all->fresh};
    j->body(last - first, j->a, j->b, &part);
}

/* Apart from the path of scalars, which so saves no registers. */
static __attribute__((noinline)) void run_job(const sg_place *place, int64_t n, job j)
{
    sg_parallel_rows(place->threads, n, 1, run_range, &j);
}

void sg_cpu_unary(sg_place *place, int kind, sg_unary_order order, int32_t dtype, int64_t n,
                  double a, double b, const sg_unary_arrays *arrays)
{
    sg_unary_loop body = sg_dense_of(dtype)->unary[kind][order];
    if (n <= SG_BLOCK)
        body(n, a, b, arrays);
    else
        run_job(place, n, (job){body, dtype == SIGAD_F64 ? 8 : 4, a, b, arrays});
}

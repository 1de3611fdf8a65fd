#include "ops/cpu/binary.h"
#include "ops/cpu/dense/dense.h"
#include "ops/cpu/parallel_rows.h"
#include <stddef.h>

typedef struct {
    sg_binary_loop body;
    int64_t entry_bytes;
    const sg_binary_arrays *arrays;
} job;

static const void *at(const void *array, int64_t offset)
{
    return array ? (const char *)array + offset : NULL;
}

static void run_entries(void *user, const sg_stretch *run)
{
    const job *j = user;
    const sg_binary_arrays *all = j->arrays;
    int64_t bytes = j->entry_bytes, start = run->start * bytes;
    sg_binary_entries e = {.n = run->n,
                           .rows = run->rows,
                           .step_a = run->step[0],
                           .step_b = run->step[1],
                           .step_p = all->p ? run->step[2] : 1,
                           .row_step_a = run->row_step[0],
                           .row_step_b = run->row_step[1],
                           .row_step_p = all->p ? run->row_step[2] : 0,
                           .a = at(all->a->data, run->offset[0] * bytes),
                           .b = at(all->b->data, run->offset[1] * bytes),
                           .p = all->p ? at(all->p->data, run->offset[2] * bytes) : NULL,
                           .y = at(all->y->data, start),
                           .g = at(all->g, start),
                           .out = (char *)all->out + start,
                           .fresh = all->fresh};
    j->body(&e);
}

/* Nothing broadcasts, and one thread does it: on a tape of scalars the walk would take longer than
 * the work. */
static bool is_small(const sg_binary_arrays *arrays)
{
    int64_t n = arrays->y->elements;
    return n <= SG_BLOCK && arrays->a->elements == n && arrays->b->elements == n &&
           (!arrays->p || arrays->p->elements == n);
}

static __attribute__((noinline)) void run_walk(const sg_place *place, job j)
{
    const sg_binary_arrays *arrays = j.arrays;
    const sigad_array *operands[] = {arrays->a, arrays->b, arrays->p};
    sg_walk plan;
    sg_walk_broadcast(&plan, arrays->y, arrays->p ? 3 : 2, operands);
    sg_walk_run_rows(&plan, place->threads, run_entries, &j);
}

void sg_cpu_binary(sg_place *place, int kind, sg_binary_order order, const sg_binary_arrays *arrays)
{
    const int32_t dtype = arrays->a->dtype;
    const sg_binary_loop body = sg_dense_of(dtype)->binary[kind][order];
    if (is_small(arrays))
        body(&(sg_binary_entries){.n = arrays->y->elements,
                                  .rows = 1,
                                  .step_a = 1,
                                  .step_b = 1,
                                  .step_p = 1,
                                  .a = arrays->a->data,
                                  .b = arrays->b->data,
                                  .p = arrays->p ? arrays->p->data : NULL,
                                  .y = arrays->y->data,
                                  .g = arrays->g,
                                  .out = arrays->out,
                                  .fresh = arrays->fresh});
    else
        run_walk(place, (job){body, dtype == SIGAD_F64 ? 8 : 4, arrays});
}

#include "ops/cpu/binary.h"
#include "ops/binary.h"
#include <stddef.h>

/* A run of n entries; a, b and p go on by their step. */
typedef struct {
    int64_t n, step_a, step_b, step_p;
    const void *a, *b, *p, *y, *g;
    void *out;
} entries;
typedef void (*loop)(const entries *e);

#define SG_KERNELS "ops/cpu/binary.inc"
#include "ops/cpu/both_reals.h"

typedef struct {
    loop body;
    int64_t entry_bytes;
    const sg_binary_arrays *arrays;
} job;

static const void *at(const void *array, int64_t offset)
{
    return array ? (const char *)array + offset : NULL;
}

static void run_entries(void *user, const sg_run *run)
{
    const job *j = user;
    const sg_binary_arrays *all = j->arrays;
    int64_t bytes = j->entry_bytes, start = run->start * bytes;
    entries e = {.n = run->n,
                 .step_a = run->step[0],
                 .step_b = run->step[1],
                 .step_p = all->p ? run->step[2] : 1,
                 .a = at(all->a->data, run->offset[0] * bytes),
                 .b = at(all->b->data, run->offset[1] * bytes),
                 .p = all->p ? at(all->p->data, run->offset[2] * bytes) : NULL,
                 .y = at(all->y->data, start),
                 .g = at(all->g, start),
                 .out = (char *)all->out + start};
    j->body(&e);
}

void sg_cpu_binary(int kind, sg_binary_order order, int threads, const sg_binary_arrays *arrays)
{
    int32_t dtype = arrays->a->dtype;
    job j = {SG_BY_DTYPE(dtype, loops)[kind][order], dtype == SIGAD_F64 ? 8 : 4, arrays};
    const sigad_array *operands[] = {arrays->a, arrays->b, arrays->p};
    sg_walk plan;
    sg_walk_broadcast(&plan, arrays->y, arrays->p ? 3 : 2, operands);
    sg_walk_run(&plan, threads, run_entries, &j);
}

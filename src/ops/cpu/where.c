#include "ops/cpu/where.h"

typedef struct {
    const void *condition, *a, *b;
    void *out;
    bool when;
} job;

#define SG_KERNELS "ops/cpu/where.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_where(sg_place *place, const sigad_array *condition, const sigad_array *a,
                  const sigad_array *b, const sigad_array *y)
{
    const sigad_array *operands[] = {condition, a, b};
    job j = {condition->data, a->data, b->data, y->data, false};
    sg_walk plan;
    sg_walk_broadcast(&plan, y, 3, operands);
    sg_walk_run(&plan, place->threads, SG_BY_DTYPE(y->dtype, choose), &j);
}

void sg_cpu_add_where(sg_place *place, const sigad_array *condition, bool when,
                      const sigad_array *p, const sigad_array *y, void *out)
{
    const sigad_array *operands[] = {condition, p};
    job j = {condition->data, p->data, NULL, out, when};
    sg_walk plan;
    sg_walk_broadcast(&plan, y, 2, operands);
    sg_walk_run(&plan, place->threads, SG_BY_DTYPE(y->dtype, add), &j);
}

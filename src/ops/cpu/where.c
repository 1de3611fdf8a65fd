#include "ops/cpu/where.h"
#include "ops/cpu/dense/dense.h"

void sg_cpu_where(sg_place *place, const sigad_array *condition, const sigad_array *a,
                  const sigad_array *b, const sigad_array *y)
{
    const sigad_array *operands[] = {condition, a, b};
    sg_where_arrays j = {condition->data, a->data, b->data, y->data, false};
    sg_walk plan;
    sg_walk_broadcast(&plan, y, 3, operands);
    sg_walk_run(&plan, place->threads, sg_dense_of(y->dtype)->choose, &j);
}

void sg_cpu_add_where(sg_place *place, const sigad_array *condition, bool when,
                      const sigad_array *p, const sigad_array *y, void *out)
{
    const sigad_array *operands[] = {condition, p};
    sg_where_arrays j = {condition->data, p->data, NULL, out, when};
    sg_walk plan;
    sg_walk_broadcast(&plan, y, 2, operands);
    sg_walk_run(&plan, place->threads, sg_dense_of(y->dtype)->add_where, &j);
}

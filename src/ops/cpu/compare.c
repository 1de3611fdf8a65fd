#include "ops/cpu/compare.h"
#include "ops/cpu/dense/dense.h"

#define OF_INTEGERS(name, relation)                                                  \
    static void name(void *user, const sg_stretch *run)                              \
    {                                                                                \
        const sg_compare_arrays *j = user;                                           \
        const int64_t *a = (const int64_t *)j->a + run->offset[0];                   \
        const int64_t *b = (const int64_t *)j->b + run->offset[1];                   \
        for (int64_t i = 0; i < run->n; i++)                                         \
            j->y[run->start + i] = a[i * run->step[0]] relation b[i * run->step[1]]; \
    }
OF_INTEGERS(equal_integers, ==)
OF_INTEGERS(less_integers, <)

static void walk(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y,
                 sg_stretch_body body)
{
    const sigad_array *operands[] = {a, b};
    sg_compare_arrays arrays = {a->data, b->data, y->data};
    sg_walk plan;
    sg_walk_broadcast(&plan, y, 2, operands);
    sg_walk_run(&plan, place->threads, body, &arrays);
}

void sg_cpu_equal(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y)
{
    walk(place, a, b, y, a->dtype == SIGAD_I64 ? equal_integers : sg_dense_of(a->dtype)->equal);
}

void sg_cpu_less(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y)
{
    walk(place, a, b, y, a->dtype == SIGAD_I64 ? less_integers : sg_dense_of(a->dtype)->less);
}

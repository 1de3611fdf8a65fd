#include "ops/cpu/compare.h"

typedef struct {
    const void *a, *b;
    int64_t *y;
} job;

#define COMPARE(name, type, relation)                                                \
    static void name(void *user, const sg_stretch *run)                              \
    {                                                                                \
        const job *j = user;                                                         \
        const type *a = (const type *)j->a + run->offset[0];                         \
        const type *b = (const type *)j->b + run->offset[1];                         \
        for (int64_t i = 0; i < run->n; i++)                                         \
            j->y[run->start + i] = a[i * run->step[0]] relation b[i * run->step[1]]; \
    }
COMPARE(equal_f32, float, ==)
COMPARE(equal_f64, double, ==)
COMPARE(equal_i64, int64_t, ==)
COMPARE(less_f32, float, <)
COMPARE(less_f64, double, <)
COMPARE(less_i64, int64_t, <)

static void walk(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y,
                 const sg_stretch_body body[3])
{
    const sigad_array *operands[] = {a, b};
    job j = {a->data, b->data, y->data};
    sg_walk plan;
    sg_walk_broadcast(&plan, y, 2, operands);
    sg_walk_run(&plan, place->threads, body[a->dtype - SIGAD_F32], &j);
}

void sg_cpu_equal(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y)
{
    walk(place, a, b, y, (const sg_stretch_body[]){equal_f32, equal_f64, equal_i64});
}

void sg_cpu_less(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y)
{
    walk(place, a, b, y, (const sg_stretch_body[]){less_f32, less_f64, less_i64});
}

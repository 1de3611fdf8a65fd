/* CPU kernels of sigad_where. Arrays broadcast to y; the condition is SIGAD_I64. */
#ifndef SG_CPU_WHERE_H
#define SG_CPU_WHERE_H
#include "ops/cpu/walk.h"
#include "ops/place.h"
#include <stdbool.h>

typedef struct {
    const void *condition, *a, *b;
    void *out;
    bool when;
} sg_where_arrays;

/* y = condition ? a : b */
void sg_cpu_where(sg_place *place, const sigad_array *condition, const sigad_array *a,
                  const sigad_array *b, const sigad_array *y);
/* out += p where (condition != 0) == when; `out` has y's shape. */
void sg_cpu_add_where(sg_place *place, const sigad_array *condition, bool when,
                      const sigad_array *p, const sigad_array *y, void *out);
#endif

/* CPU kernels of comparisons: y is SIGAD_I64, a and b have one dtype of any kind and broadcast. */
#ifndef SG_CPU_COMPARE_H
#define SG_CPU_COMPARE_H
#include "ops/cpu/walk.h"
#include "ops/place.h"

typedef struct {
    const void *a, *b;
    int64_t *y;
} sg_compare_arrays;

void sg_cpu_equal(sg_place *place, const sigad_array *a, const sigad_array *b,
                  const sigad_array *y);
void sg_cpu_less(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y);
#endif

/* CPU kernels of the operations in ops/unary.h. */
#ifndef SG_CPU_UNARY_H
#define SG_CPU_UNARY_H
#include "ops/place.h"
#include <stdbool.h>
#include <stdint.h>

/* What to compute, elementwise over n entries; arrays that a line does not name may be NULL. */
typedef enum {
    SG_UNARY_VALUE,  /* out  = f(x) */
    SG_UNARY_FIRST,  /* out += f'(x) p        with y = f(x) */
    SG_UNARY_SECOND, /* out += f''(x) p q     with y = f(x) */
    SG_UNARY_ORDERS
} sg_unary_order;

typedef struct {
    const void *x, *y, *p, *q;
    void *out;
    bool fresh; /* derivatives overwrite out */
} sg_unary_arrays;

void sg_cpu_unary(sg_place *place, int kind, sg_unary_order order, int32_t dtype, int64_t n,
                  double a, double b, const sg_unary_arrays *arrays);
#endif

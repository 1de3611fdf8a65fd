/* CPU kernels of the operations in ops/binary.h. */
#ifndef SG_CPU_BINARY_H
#define SG_CPU_BINARY_H
#include "ops/cpu/walk.h"

/* What to compute, elementwise; `out`, y and g have the full shape. */
typedef enum {
    SG_BINARY_VALUE, /* out  = f(a, b) */
    SG_BINARY_DA,
    SG_BINARY_DB, /* out += (df/da) p     with y = f(a, b) */
    SG_BINARY_DAB,
    SG_BINARY_DBB /* out += (d2f/dadb) p g */
} sg_binary_order;

typedef struct {
    const sigad_array *a, *b, *y;
    const sigad_array *p; /* of any shape that broadcasts */
    const void *g;
    void *out;
} sg_binary_arrays;

void sg_cpu_binary(int kind, sg_binary_order order, int threads, const sg_binary_arrays *arrays);
#endif

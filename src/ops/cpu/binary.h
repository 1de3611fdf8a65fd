/* CPU kernels of the operations in ops/binary.h. */
#ifndef SG_CPU_BINARY_H
#define SG_CPU_BINARY_H
#include "ops/cpu/walk.h"
#include "ops/place.h"
#include <stdbool.h>

/* What to compute, elementwise; `out`, y and g have the full shape. */
typedef enum {
    SG_BINARY_VALUE, /* out  = f(a, b) */
    SG_BINARY_DA,
    SG_BINARY_DB, /* out += (df/da) p     with y = f(a, b) */
    SG_BINARY_DAB,
    SG_BINARY_DBB, /* out += (d2f/dadb) p g */
    SG_BINARY_ORDERS
} sg_binary_order;

typedef struct {
    const sigad_array *a, *b, *y;
    const sigad_array *p; /* of any shape that broadcasts */
    const void *g;
    void *out;
    bool fresh; /* derivatives overwrite out */
} sg_binary_arrays;

/* What a loop gets: `rows` runs of n entries. On with the next entry a, b and p go by their step,
 * which is 0 or 1, and on with the next run by their row_step; y, g and out are dense. */
typedef struct {
    int64_t n, rows, step_a, step_b, step_p, row_step_a, row_step_b, row_step_p;
    const void *a, *b, *p, *y, *g;
    void *out;
    bool fresh;
} sg_binary_entries;

void sg_cpu_binary(sg_place *place, int kind, sg_binary_order order,
                   const sg_binary_arrays *arrays);
#endif

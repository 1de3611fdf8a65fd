/* The loops of the losses in ops/loss.h, elementwise; the mean is taken by ops/cpu/sum.h. */
#ifndef SG_CPU_LOSS_H
#define SG_CPU_LOSS_H
#include "ops/loss.h"
#include "sigad/op.h"
#include <stdbool.h>

typedef struct {
    const void *p, *t;
    const void *u; /* NULL: ones */
    double scale, a;
    void *out;
    bool fresh; /* derivatives overwrite out */
} sg_loss_arrays;

/* out[i] = the value, or out[i] += scale * derivative * u[i]. */
void sg_cpu_loss(sg_loss loss, sg_loss_order order, int32_t dtype, int threads, int64_t n,
                 const sg_loss_arrays *arrays);
#endif

/* The loops of the losses in ops/loss.h, elementwise; the mean is taken by ops/cpu/sum.h. */
#ifndef SG_CPU_LOSS_H
#define SG_CPU_LOSS_H
#include "ops/cpu/mean_share.h"
#include "ops/loss.h"
#include "ops/place.h"
#include <stdbool.h>

typedef struct {
    const void *p, *t;
    const void *u; /* NULL: ones */
    sg_mean_share share;
    double a;
    void *out;
    bool fresh; /* derivatives overwrite out */
} sg_loss_arrays;

/* out[i] = the value, or out[i] += share * derivative * u[i]. */
void sg_cpu_loss(sg_place *place, sg_loss loss, sg_loss_order order, int32_t dtype, int64_t n,
                 const sg_loss_arrays *arrays);
#endif

/* Rows of x brought to mean 0 and variance 1: h = (x - mean) r with r = 1 / sqrt(variance +
 * epsilon). Mean and r of each row are saved. */
#ifndef SG_CPU_LAYER_NORM_H
#define SG_CPU_LAYER_NORM_H
#include "ops/place.h"

typedef struct {
    int32_t dtype;
    int64_t rows, n;
    const void *x; /* [rows, n] */
    void *saved;   /* [rows, 2] */
} sg_layer_norm;

/* A factor of each entry: one row for all rows, or an array of x's shape, or (data NULL) ones. */
typedef struct {
    const void *data;
    int64_t step; /* entries from one row to the next: 0 or n */
} sg_factor;

/* out = h scale + shift, of which the last two are rows; writes what is saved. */
void sg_cpu_layer_norm(sg_place *place, const sg_layer_norm *l, double epsilon, const void *scale,
                       const void *shift, void *out);
/* out += a h */
void sg_cpu_layer_norm_times(sg_place *place, const sg_layer_norm *l, sg_factor a, void *out);
/* out += a P(b c), where P is the derivative of h by x, a symmetric matrix for each row:
   P(u) = r (u - mean(u) - h mean(u h)). */
void sg_cpu_layer_norm_project(sg_place *place, const sg_layer_norm *l, sg_factor a, sg_factor b,
                               sg_factor c, void *out);
/* out += the derivative of P(b c) by x in direction v, with b c fixed. */
void sg_cpu_layer_norm_bend(sg_place *place, const sg_layer_norm *l, sg_factor b, sg_factor c,
                            const void *v, void *out);
#endif

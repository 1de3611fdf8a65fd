/* Cross entropy of rows of logits and labels, row by row. For each row two numbers are saved, from
 * which exp gives the softmax p again: the largest logit and 1 / sum(exp(x - largest)). */
#ifndef SG_CPU_CROSS_ENTROPY_H
#define SG_CPU_CROSS_ENTROPY_H
#include "ops/cpu/mean_share.h"
#include "ops/place.h"

typedef struct {
    int32_t dtype;
    int64_t rows, classes;
    const void *x;         /* [rows, classes] */
    const int64_t *labels; /* [rows], each 0 .. classes - 1 */
    void *saved;           /* [rows, 2] */
} sg_cross_entropy;

/* terms[row] = -log p[label]; writes what is saved. */
void sg_cpu_cross_entropy_fwd(sg_place *place, const sg_cross_entropy *c, void *terms);
/* out += share (p - [label]) */
void sg_cpu_cross_entropy_vjp(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                              void *out);
/* terms[row] = <p, u> - u[label] */
void sg_cpu_cross_entropy_jvp(sg_place *place, const sg_cross_entropy *c, const void *u,
                              void *terms);
/* out += share p (u - <p, u>) */
void sg_cpu_cross_entropy_soc(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                              const void *u, void *out);
#endif

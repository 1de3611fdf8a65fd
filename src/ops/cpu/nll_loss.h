/* One entry of each row, chosen by its label. */
#ifndef SG_CPU_NLL_LOSS_H
#define SG_CPU_NLL_LOSS_H
#include "ops/cpu/mean_share.h"
#include "ops/place.h"

/* terms[row] = -x[row, label]. */
void sg_cpu_nll_terms(sg_place *place, int32_t dtype, int64_t rows, int64_t classes, const void *x,
                      const int64_t *labels, void *terms);
/* out[row, label] -= share. */
void sg_cpu_nll_vjp(sg_place *place, int32_t dtype, int64_t rows, int64_t classes,
                    const int64_t *labels, sg_mean_share share, void *out);
#endif

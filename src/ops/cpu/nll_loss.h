/* One entry of each row, chosen by its label. */
#ifndef SG_CPU_NLL_LOSS_H
#define SG_CPU_NLL_LOSS_H
#include "sigad/op.h"

/* terms[row] = -x[row, label]. */
void sg_cpu_nll_terms(int32_t dtype, int threads, int64_t rows, int64_t classes, const void *x,
                      const int64_t *labels, void *terms);
/* out[row, label] -= scale. */
void sg_cpu_nll_vjp(int32_t dtype, int threads, int64_t rows, int64_t classes,
                    const int64_t *labels, double scale, void *out);
#endif

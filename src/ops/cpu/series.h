/* Coefficients of log(1 + x) and exp(x) - 1 by Horner: Y_k = x / k + rest_k x Y_(k+1). */
#ifndef SG_SERIES_H
#define SG_SERIES_H
#include "ops/cpu/signature.h"

static inline double sg_series_rest(const sigad_plan *plan, sg_series series, int32_t k)
{
    return series == SG_LOG ? -1.0 : plan->inverse[k];
}

#endif

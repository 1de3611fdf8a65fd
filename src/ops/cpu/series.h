/* Coefficients of log(1 + x) and exp(x) - 1 by Horner: Y_k = x / k + rest_k x Y_(k+1). */
#ifndef SG_SERIES_H
#define SG_SERIES_H
#include "ops/cpu/signature.h"

/* Tensor kernels make at least so many words of a level at once, if it has them. */
enum { SG_SERIES_SEGMENT = 32 };

static inline double sg_series_rest(const sigad_plan *plan, sg_series series, int32_t k)
{
    return series == SG_LOG ? -1.0 : plan->inverse[k];
}

/* Whether the logarithm at Lyndon words has a closed form, row by row (tensor/log_words.inc). */
static inline bool sg_log_is_closed(const sigad_plan *plan)
{
    return plan->degree <= 3 && sg_plan_has_tables(plan);
}

/* Entries of the stage in which they make them. */
static inline int64_t sg_series_stage(const sigad_plan *plan)
{
    int64_t letters = plan->letters;
    return letters < SG_SERIES_SEGMENT ? letters * SG_SERIES_SEGMENT : letters;
}

#endif

#include "ops/cpu/series.h"
#include <complex.h>

/* Two adjoints, a stage, and all of Y_n .. Y_2; Y_k has offset[n + 2 - k] entries. */
int64_t sg_series_vjp_work(const sigad_plan *plan)
{
    int64_t total = sg_work_add(0, 2, sg_plan_low_words(plan));
    total = sg_work_add(total, 1, sg_series_stage(plan));
    for (int32_t m = 2; m <= plan->degree; m++) total = sg_work_add(total, 1, plan->offset[m]);
    return total;
}

#define SG_BODY "ops/cpu/series_vjp.inc"
#include "ops/cpu/complex_scalar.inc"

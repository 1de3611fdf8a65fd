#include "ops/cpu/series.h"
#include "ops/cpu/tensor/tensor.h"
#include <complex.h>

int64_t sg_series_work(const sigad_plan *plan)
{
    return sg_work_add(sg_work_add(0, 1, sg_plan_low_words(plan)), 1, sg_series_stage(plan));
}

#define SG_KERNELS "ops/cpu/series_real.inc"
#include "ops/cpu/both_reals.h"

#define SG_BODY "ops/cpu/series.inc"
#include "ops/cpu/complex_scalar.inc"

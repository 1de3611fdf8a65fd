#include "ops/cpu/series.h"
#include <complex.h>

int64_t sg_series_work(const sigad_plan *plan)
{
    return sg_work_add(0, 1, sg_plan_low_words(plan));
}

#define SG_BODY "ops/cpu/series.inc"
#include "ops/cpu/each_scalar.inc"

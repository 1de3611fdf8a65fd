#include "ops/cpu/signature.h"
#include "ops/cpu/steps.h"
#include <complex.h>
#include <string.h>

int64_t sg_sig_work(const sigad_plan *plan, int64_t length)
{
    (void)length;
    int64_t total = sg_work_add(0, 1, (int64_t)plan->degree * plan->moving_count);
    return sg_work_add(total, 1, sg_plan_low_words(plan));
}

#define SG_BODY "ops/cpu/sig.inc"
#include "ops/cpu/each_scalar.inc"

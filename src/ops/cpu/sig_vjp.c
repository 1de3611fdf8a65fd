#include "ops/cpu/signature.h"
#include "ops/cpu/steps.h"
#include <complex.h>

int64_t sg_sig_vjp_work(const sigad_plan *plan, int64_t length)
{
    int64_t low = sg_plan_low_words(plan);
    sg_cuts cuts = sg_cut(sg_steps(plan, length));
    int64_t total = sg_work_add(0, 1, (int64_t)plan->degree * plan->moving_count);
    total = sg_work_add(total, 1, plan->moving_count);
    return sg_work_add(total, 4 + cuts.kept + cuts.spans, low);
}

#define SG_BODY "ops/cpu/sig_vjp.inc"
#include "ops/cpu/each_scalar.inc"

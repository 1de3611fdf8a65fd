#include "ops/cpu/signature.h"
#include <complex.h>

int64_t sg_sig_to_log_sig_work(const sigad_plan *plan, int64_t length)
{
    (void)length;
    return sg_series_work(plan);
}

int64_t sg_sig_to_log_sig_vjp_work(const sigad_plan *plan, int64_t length)
{
    (void)length;
    return sg_work_add(sg_series_vjp_work(plan), 1, plan->log_sig_length);
}

#define SG_BODY "ops/cpu/sig_to_log_sig.inc"
#include "ops/cpu/each_scalar.inc"

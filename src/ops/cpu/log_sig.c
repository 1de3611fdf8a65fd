#include "ops/cpu/signature.h"
#include <complex.h>

int64_t sg_log_sig_work(const sigad_plan *plan, int64_t length)
{
    int64_t most = sg_work_max(sg_sig_work(plan, length), sg_sig_to_log_sig_work(plan, length));
    return sg_work_add(most, 1, plan->sig_length);
}

int64_t sg_log_sig_vjp_work(const sigad_plan *plan, int64_t length)
{
    int64_t most = sg_work_max(sg_sig_work(plan, length), sg_sig_to_log_sig_vjp_work(plan, length));
    most = sg_work_max(most, sg_sig_vjp_work(plan, length));
    return sg_work_add(most, 2, plan->sig_length);
}

#define SG_BODY "ops/cpu/log_sig.inc"
#include "ops/cpu/each_scalar.inc"

#include "ops/cpu/signature.h"
#include <complex.h>

int64_t sg_logsig_to_sig_work(const sigad_plan *plan, int64_t length)
{
    (void)length;
    if (!sg_plan_has_tables(plan)) return sg_series_work(plan);
    int64_t most = sg_work_max(sg_series_work(plan), sg_work_add(0, 1, plan->log_sig_length));
    return sg_work_add(most, 1, sg_plan_words(plan));
}

int64_t sg_logsig_to_sig_vjp_work(const sigad_plan *plan, int64_t length)
{
    (void)length;
    if (!sg_plan_has_tables(plan)) return sg_series_vjp_work(plan);
    int64_t total = sg_work_add(sg_series_vjp_work(plan), 1, plan->log_sig_length);
    return sg_work_add(total, 2, sg_plan_words(plan));
}

#define SG_BODY "ops/cpu/logsig_to_sig.inc"
#include "ops/cpu/each_scalar.inc"

#include "ops/cpu/signature.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include <complex.h>
#include <string.h>

#define SG_KERNELS "ops/cpu/sig_vjp_real.inc"
#include "ops/cpu/both_reals.h"

/* ---- complex numbers ------------------------------------------------------------------------ */

enum { SG_UNDO = 16 };

int64_t sg_sig_vjp_work_c64(const sigad_plan *plan, int64_t length)
{
    int64_t low = sg_plan_low_words(plan);
    sg_cuts cuts = sg_cut(sg_steps(plan, length), SG_UNDO);
    int64_t total = sg_work_add(0, 1, (int64_t)plan->degree * plan->moving_count);
    total = sg_work_add(total, 1, plan->moving_count);
    return sg_work_add(total, 4 + cuts.kept + cuts.spans, low);
}

#define SG_BODY "ops/cpu/sig_vjp.inc"
#include "ops/cpu/complex_scalar.inc"

#include "ops/cpu/signature.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include <complex.h>
#include <string.h>

#define SG_KERNELS "ops/cpu/sig_real.inc"
#include "ops/cpu/both_reals.h"

/* ---- complex numbers ------------------------------------------------------------------------ */

/* Increments whose share of the top level is added at once, and columns at a time: 8 chains of 256
 * doubles are half of a first-level cache. */
enum { SG_TOP_BLOCK = 8, SG_TILE = 256 };

int64_t sg_sig_work_c64(const sigad_plan *plan, int64_t length)
{
    (void)length;
    int64_t top = sg_block(plan->size[plan->degree - 1]);
    int64_t total = sg_work_add(0, 1, (int64_t)plan->degree * plan->moving_count);
    total = sg_work_add(total, 1, sg_plan_low_words(plan));
    total = sg_work_add(total, 1, SG_TOP_BLOCK * (int64_t)plan->letters);
    return sg_work_add(total, SG_TOP_BLOCK, top);
}

#define SG_BODY "ops/cpu/sig.inc"
#include "ops/cpu/complex_scalar.inc"

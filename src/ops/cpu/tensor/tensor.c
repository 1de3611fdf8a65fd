#include "ops/cpu/tensor/tensor.h"
#include "ops/cpu/steps.h"

int64_t sg_tensor_elements(const sigad_plan *plan, int64_t length, int64_t bytes, bool backward)
{
    sg_tensor_shape shape;
    sg_tensor_area area;
    int64_t steps = sg_steps(plan, length);
    if (steps == 0 || !sg_tensor_serves(plan)) return 0;
    int64_t closed = 0;
    if (!backward && sg_tensor_has_volumes(plan))
        closed =
            (bytes == sizeof(float) ? sg_tensor_f32 : sg_tensor_f64)[plan->isa]->closed_bytes(plan);
    if (backward && sg_tensor_vjp_is_closed(plan, steps)) {
        const sg_tensor_kernels *kernels =
            (bytes == sizeof(float) ? sg_tensor_f32 : sg_tensor_f64)[plan->isa];
        closed = kernels->closed_vjp_bytes(plan, length);
        if (sg_tensor_vjp_is_always_closed(plan)) return closed / bytes;
        steps = SG_FIELD_STEPS; /* of shorter paths */
    }
    int64_t total = sg_tensor_place(plan, steps, bytes, backward, NULL, &shape, &area);
    if (total >= 0 && total < closed) total = closed;
    return total < 0 ? -1 : total / bytes;
}

bool sg_tensor_core(const sigad_plan *plan, int64_t steps, int64_t bytes)
{
    if (plan->degree == 2)
        return plan->letters >= SG_TENSOR_PAIR_LETTERS && steps >= SG_TENSOR_PAIR_STEPS &&
               !plan->spec.lead_lag && plan->spec.kernel != SIGAD_KERNEL_PLAIN;
    if (plan->degree != 3 || plan->letters * bytes < SG_TENSOR_CORE_ROW) return false;
    if (plan->spec.kernel == SIGAD_KERNEL_AUTO) return steps >= SG_TENSOR_CORE_STEPS;
    return plan->spec.kernel == SIGAD_KERNEL_CORE;
}

extern const sg_tensor_kernels sg_tensor_f32_base, sg_tensor_f64_base;
#if defined(__x86_64__)
extern const sg_tensor_kernels sg_tensor_f32_avx2, sg_tensor_f64_avx2;
extern const sg_tensor_kernels sg_tensor_f32_avx512, sg_tensor_f64_avx512;
const sg_tensor_kernels *const sg_tensor_f32[3] = {&sg_tensor_f32_base, &sg_tensor_f32_avx2,
                                                   &sg_tensor_f32_avx512};
const sg_tensor_kernels *const sg_tensor_f64[3] = {&sg_tensor_f64_base, &sg_tensor_f64_avx2,
                                                   &sg_tensor_f64_avx512};
#else
const sg_tensor_kernels *const sg_tensor_f32[3] = {&sg_tensor_f32_base, &sg_tensor_f32_base,
                                                   &sg_tensor_f32_base};
const sg_tensor_kernels *const sg_tensor_f64[3] = {&sg_tensor_f64_base, &sg_tensor_f64_base,
                                                   &sg_tensor_f64_base};
#endif

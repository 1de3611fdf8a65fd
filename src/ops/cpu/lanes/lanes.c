#include "ops/cpu/lanes/lanes.h"

bool sg_lanes_serve(const sigad_plan *plan)
{
    return plan->letters >= 2 && plan->letters <= SG_LANE_LETTERS && plan->degree >= 2 &&
           plan->degree <= SG_LANE_DEGREE && sg_plan_words(plan) <= SG_LANE_WORDS;
}

bool sg_lanes_transform(const sigad_plan *plan)
{
    return plan->degree <= SG_LANE_DEGREE && sg_plan_low_words(plan) <= SG_LANE_LOW_WORDS;
}

extern const sg_lane_kernels sg_lanes_f32_base, sg_lanes_f64_base;
#if defined(__x86_64__)
extern const sg_lane_kernels sg_lanes_f32_avx2, sg_lanes_f64_avx2;
extern const sg_lane_kernels sg_lanes_f32_avx512, sg_lanes_f64_avx512;
const sg_lane_kernels *const sg_lanes_f32[3] = {&sg_lanes_f32_base, &sg_lanes_f32_avx2,
                                                &sg_lanes_f32_avx512};
const sg_lane_kernels *const sg_lanes_f64[3] = {&sg_lanes_f64_base, &sg_lanes_f64_avx2,
                                                &sg_lanes_f64_avx512};
#else
const sg_lane_kernels *const sg_lanes_f32[3] = {&sg_lanes_f32_base, &sg_lanes_f32_base,
                                                &sg_lanes_f32_base};
const sg_lane_kernels *const sg_lanes_f64[3] = {&sg_lanes_f64_base, &sg_lanes_f64_base,
                                                &sg_lanes_f64_base};
#endif

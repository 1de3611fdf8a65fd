#include "ops/cpu/dense/dense.h"
#include "sigad/base.h"

extern const sg_dense sg_dense_f32_base, sg_dense_f64_base;
#if defined(__x86_64__)
extern const sg_dense sg_dense_f32_avx2, sg_dense_f64_avx2;
extern const sg_dense sg_dense_f32_avx512, sg_dense_f64_avx512;
#    define EACH_ISA(name)                             \
        {                                              \
            &name##_base, &name##_avx2, &name##_avx512 \
        }
#else
#    define EACH_ISA(name)                           \
        {                                            \
            &name##_base, &name##_base, &name##_base \
        }
#endif
const sg_dense *const sg_dense_f32[SG_ISAS] = EACH_ISA(sg_dense_f32);
const sg_dense *const sg_dense_f64[SG_ISAS] = EACH_ISA(sg_dense_f64);

const sg_dense *sg_dense_of(int32_t dtype)
{
    return (dtype == SIGAD_F64 ? sg_dense_f64 : sg_dense_f32)[sg_isa_chosen()];
}

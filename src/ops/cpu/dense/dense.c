#include "ops/cpu/dense/dense.h"
#include "sigad/base.h"
#include <stdatomic.h>

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

/* Asked for once in a process: the answer is needed for each operation, however small. */
static sg_isa isa(void)
{
    static atomic_int known; /* one more than the answer */
    int found = atomic_load_explicit(&known, memory_order_relaxed);
    if (!found) {
        found = (int)sg_isa_best() + 1;
        atomic_store_explicit(&known, found, memory_order_relaxed);
    }
    return (sg_isa)(found - 1);
}

const sg_dense *sg_dense_of(int32_t dtype)
{
    return dtype == SIGAD_F64 ? sg_dense_f64[isa()] : sg_dense_f32[isa()];
}

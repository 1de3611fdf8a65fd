/* The driver of a build: the tables that are compiled into it, and what the runtime is asked for.
 */
#ifndef SG_CUDA_DRIVER_H
#define SG_CUDA_DRIVER_H
#include "ops/cuda/kernels.h"
#include "ops/kernels.h"

extern "C" {
extern const struct sg_rule_kernels sg_cuda_rules; /* train/rules/rules.h */
}

#define SG_CUDA_DRIVER(properties, upload, release, open_blas, close_blas)       \
    {                                                                            \
        &sg_cuda_kernels_f32, &sg_cuda_kernels_f64, properties, upload, release, \
            &sg_cuda_runtime_of_build, &sg_cuda_dense_kernels, &sg_cuda_rules,   \
            &sg_cuda_dual_of_build, open_blas, close_blas                        \
    }
#endif

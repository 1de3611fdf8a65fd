// The table of the kernels of dense operations on CUDA.
#include "ops/cuda/dense/functions.cuh"

extern "C" const sg_kernels sg_cuda_dense_kernels = {
#define ENTRY(name) sg_cuda_##name,
    SG_CUDA_KERNELS(ENTRY)
#undef ENTRY
};

#define REAL  float
#define TABLE sg_cuda_kernels_f32
#include "ops/cuda/kernels.inc"

#define REAL  double
#define TABLE sg_cuda_kernels_f64
#include "ops/cuda/kernels.inc"

// The kernels that are many: each is compiled in a file of its own, forward_f32.cu and so on.
#pragma once
#include "ops/cuda/kernels.h"

template <class T>
int queue_forward(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z, sg_cuda_rows out,
                  void *stream);
template <class T>
int queue_backward(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                   sg_cuda_rows cotangent, void *kept, void *z_bar, void *path_bar, void *stream);

// The kernels for dual numbers: of those of signatures, the ones for any degree alone.
#include "ops/cuda/backward.cuh"
#include "ops/cuda/dual.cuh"
#include "ops/cuda/forward.cuh"
#include "ops/cuda/one_level.cuh"
#include "ops/cuda/queue.cuh"

template <>
int queue_forward<dual>(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                        sg_cuda_rows out, void *stream)
{
    using words = one_level<dual, SG_CUDA_MOST_DEGREE, false>;
    return launch(forward_kernel<dual, words>, q->blocks, q->threads, q->shared_bytes, stream, *p,
                  *q, static_cast<const dual *>(z), static_cast<dual *>(out.data), out.stride,
                  out.scalar);
}

template <>
int queue_backward<dual>(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                         sg_cuda_rows cotangent, void *kept, void *z_bar, void *path_bar,
                         void *stream)
{
    using words = one_level_adjoint<dual, SG_CUDA_MOST_DEGREE, false>;
    return launch(backward_kernel<dual, words>, q->blocks, q->threads, q->shared_bytes, stream, *p,
                  *q, static_cast<const dual *>(z),
                  static_cast<const dual *>(cotangent.data) + cotangent.scalar, cotangent.stride,
                  static_cast<dual *>(kept), static_cast<dual *>(z_bar),
                  static_cast<dual *>(path_bar));
}

// out = value + slope e; without slopes, they are 0.
template <class T> SG_KERNEL(256) dual_kernel(int64_t n, const T *value, const T *slope, dual *out)
{
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < n; i += step)
        out[i] = dual(value[i], slope ? slope[i] : 0.0);
}

template <class T> SG_KERNEL(256) add_slopes_kernel(int64_t n, const dual *x, T *out)
{
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < n; i += step)
        out[i] += static_cast<T>(x[i].slope);
}

template <class T>
static int join_as(int64_t n, const void *value, const void *slope, void *out, void *stream)
{
    return launch(dual_kernel<T>, blocks_for(n), 256, 0, stream, n, static_cast<const T *>(value),
                  static_cast<const T *>(slope), static_cast<dual *>(out));
}

template <class T> static int add_slopes_as(int64_t n, const void *x, void *out, void *stream)
{
    return launch(add_slopes_kernel<T>, blocks_for(n), 256, 0, stream, n,
                  static_cast<const dual *>(x), static_cast<T *>(out));
}

static int join(int32_t bytes, int64_t n, const void *value, const void *slope, void *out,
                void *stream)
{
    return bytes == sizeof(float) ? join_as<float>(n, value, slope, out, stream)
                                  : join_as<double>(n, value, slope, out, stream);
}

static int add_slopes(int32_t bytes, int64_t n, const void *x, void *out, void *stream)
{
    return bytes == sizeof(float) ? add_slopes_as<float>(n, x, out, stream)
                                  : add_slopes_as<double>(n, x, out, stream);
}

#define REAL  dual
#define TABLE sg_cuda_kernels_dual
#include "ops/cuda/kernels.inc"

extern "C" const sg_cuda_dual sg_cuda_dual_of_build = {&sg_cuda_kernels_dual, join, add_slopes};

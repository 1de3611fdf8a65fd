// Paths of one letter: level n is z^n / n! with z from the first point to the last. A thread a
// path.
#pragma once
#include "ops/cuda/increments.cuh"

template <class T> SG_DEVICE T line_increment(const sg_cuda_paths &p, int64_t path)
{
    const int64_t length = path_length(p, path);
    const T *x = static_cast<const T *>(p.x) + path * p.length;
    return length > 1 ? x[length - 1] - x[0] : T(0);
}

template <class T>
SG_KERNEL(256)
line_kernel(sg_cuda_paths p, int degree, T *out, int64_t stride, int scalar)
{
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < p.batch; i += step) {
        const T z = line_increment<T>(p, i);
        T *sig = out + i * stride, power = T(1);
        if (scalar) *sig++ = power;
        for (int n = 1; n <= degree; n++) sig[n - 1] = power = power * z / T(n);
    }
}

template <class T>
SG_KERNEL(256)
line_bar_kernel(sg_cuda_paths p, int degree, const T *cotangent, int64_t stride, T *path_bar)
{
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < p.batch; i += step) {
        const T z = line_increment<T>(p, i), *g = cotangent + i * stride;
        T *to = path_bar + i * p.length, power = T(1), sum = 0;
        for (int n = 1; n <= degree; n++) {
            sum += g[n - 1] * power;
            power = power * z / T(n);
        }
        const int64_t length = path_length(p, i);
        for (int64_t t = 0; t < p.length; t++) to[t] = T(0);
        if (length < 2) continue;
        to[0] = -sum;
        to[length - 1] = sum;
    }
}

template <class T> struct line {
    static int forward(const sg_cuda_paths *p, int32_t degree, sg_cuda_rows out, void *stream)
    {
        return launch(line_kernel<T>, blocks_for(p->batch), 256, 0, stream, *p, degree,
                      static_cast<T *>(out.data), out.stride, out.scalar);
    }

    static int backward(const sg_cuda_paths *p, int32_t degree, sg_cuda_rows cotangent,
                        void *path_bar, void *stream)
    {
        return launch(line_bar_kernel<T>, blocks_for(p->batch), 256, 0, stream, *p, degree,
                      static_cast<const T *>(cotangent.data) + cotangent.scalar, cotangent.stride,
                      static_cast<T *>(path_bar));
    }
};

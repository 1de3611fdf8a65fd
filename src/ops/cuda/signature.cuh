// Signatures, forward and backward, for one scalar: which kernel a layout means.
#pragma once
#include "ops/cuda/any.cuh"
#include "ops/cuda/backward.cuh"

// Increments that are too wide for shared memory: z [path][chunk][step][width].
template <class T> SG_KERNEL(256) increments_kernel(sg_cuda_paths p, sg_cuda_layout q, T *z)
{
    const int64_t rows = p.batch * q.chunks * q.chunk_steps;
    for (int64_t i = block_index() * block_threads() + thread_index(); i < rows * q.width;
         i += grid_blocks() * block_threads()) {
        const int64_t row = i / q.width, group = row / q.chunk_steps;
        track<T> track;
        track.find(p, group / q.chunks, group % q.chunks, q.chunk_steps);
        z[i] = track.increment(p, row % q.chunk_steps, static_cast<int>(i % q.width));
    }
}

template <class T> struct signature {
    static int increments(const sg_cuda_paths *p, const sg_cuda_layout *q, void *z, void *stream)
    {
        const int64_t entries = p->batch * q->chunks * q->chunk_steps * q->width;
        return launch(increments_kernel<T>, blocks_for(entries), 256, 0, stream, *p, *q,
                      static_cast<T *>(z));
    }

    template <class Words>
    static int forward_of(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                          sg_cuda_rows out, void *stream)
    {
        return launch(forward_kernel<T, Words, 256>, q->blocks, q->threads, q->shared_bytes, stream,
                      *p, *q, static_cast<const T *>(z), static_cast<T *>(out.data), out.stride,
                      out.scalar);
    }

    static int forward(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                       sg_cuda_rows out, void *stream)
    {
        switch (q->degree) {
        case 1:
            return forward_of<any_words<T, 1, true>>(p, q, z, out, stream);
        case 2:
            return forward_of<any_words<T, 2, true>>(p, q, z, out, stream);
        case 3:
            return forward_of<any_words<T, 3, true>>(p, q, z, out, stream);
        case 4:
            return forward_of<any_words<T, 4, true>>(p, q, z, out, stream);
        case 5:
            return forward_of<any_words<T, 5, true>>(p, q, z, out, stream);
        case 6:
            return forward_of<any_words<T, 6, true>>(p, q, z, out, stream);
        default:
            return forward_of<any_words<T, SG_CUDA_MOST_DEGREE, false>>(p, q, z, out, stream);
        }
    }

    template <class Words>
    static int backward_of(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                           sg_cuda_rows cotangent, void *kept, void *z_bar, void *stream)
    {
        return launch(backward_kernel<T, Words, 256>, q->blocks, q->threads, q->shared_bytes,
                      stream, *p, *q, static_cast<const T *>(z),
                      static_cast<const T *>(cotangent.data) + cotangent.scalar, cotangent.stride,
                      static_cast<T *>(kept), static_cast<T *>(z_bar));
    }

    static int backward(const sg_cuda_paths *p, const sg_cuda_layout *q, const void *z,
                        sg_cuda_rows cotangent, void *kept, void *z_bar, void *stream)
    {
        switch (q->degree) {
        case 1:
            return backward_of<any_adjoint<T, 1, true>>(p, q, z, cotangent, kept, z_bar, stream);
        case 2:
            return backward_of<any_adjoint<T, 2, true>>(p, q, z, cotangent, kept, z_bar, stream);
        case 3:
            return backward_of<any_adjoint<T, 3, true>>(p, q, z, cotangent, kept, z_bar, stream);
        case 4:
            return backward_of<any_adjoint<T, 4, true>>(p, q, z, cotangent, kept, z_bar, stream);
        case 5:
            return backward_of<any_adjoint<T, 5, true>>(p, q, z, cotangent, kept, z_bar, stream);
        case 6:
            return backward_of<any_adjoint<T, 6, true>>(p, q, z, cotangent, kept, z_bar, stream);
        default:
            return backward_of<any_adjoint<T, SG_CUDA_MOST_DEGREE, false>>(p, q, z, cotangent, kept,
                                                                           z_bar, stream);
        }
    }

    static int path_bar(const sg_cuda_paths *p, int32_t parts, const void *z_bar, void *path_bar,
                        void *stream)
    {
        return launch(path_bar_kernel<T>, blocks_for(p->batch * p->length * p->dimension), 256, 0,
                      stream, *p, parts, static_cast<const T *>(z_bar), static_cast<T *>(path_bar));
    }
};

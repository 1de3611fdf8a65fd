// What stands around the two kernels of signatures, for one scalar.
#pragma once
#include "ops/cuda/path_bar.cuh"

// Increments that are too wide for shared memory: z [group][step][width].
template <class T> SG_KERNEL(256) increments_kernel(sg_cuda_paths p, sg_cuda_layout q, T *z)
{
    const int64_t rows = groups_of(p, q) * q.piece_steps;
    for (int64_t i = block_index() * block_threads() + thread_index(); i < rows * q.width;
         i += grid_blocks() * block_threads()) {
        const int64_t row = i / q.width;
        track<T> track;
        track.find(p, q, row / q.piece_steps);
        z[i] = track.increment(p, row % q.piece_steps, static_cast<int>(i % q.width));
    }
}

template <class T>
SG_KERNEL(256)
path_bar_kernel(sg_cuda_paths p, int parts, const T *z_bar, T *path_bar)
{
    paths_bar(p, parts, z_bar, path_bar, 0, p.batch,
              block_index() * block_threads() + thread_index(), grid_blocks() * block_threads());
}

template <class T> struct signature {
    static int increments(const sg_cuda_paths *p, const sg_cuda_layout *q, void *z, void *stream)
    {
        const int64_t entries = p->batch * q->chunks * q->pieces * q->piece_steps * q->width;
        return launch(increments_kernel<T>, blocks_for(entries), 256, 0, stream, *p, *q,
                      static_cast<T *>(z));
    }

    static int path_bar(const sg_cuda_paths *p, int32_t parts, const void *z_bar, void *path_bar,
                        void *stream)
    {
        return launch(path_bar_kernel<T>, blocks_for(p->batch * p->length * p->dimension), 256, 0,
                      stream, *p, parts, static_cast<const T *>(z_bar), static_cast<T *>(path_bar));
    }
};

// What stands around the two kernels of signatures, for one scalar.
#pragma once
#include "ops/cuda/increments.cuh"

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

// d/d path of all: point p ends increment p-1 and begins increment p. Parts are added in order;
// increments past a path's length are not looked at.
template <class T>
SG_KERNEL(256)
path_bar_kernel(sg_cuda_paths p, int parts, const T *z_bar, T *path_bar)
{
    const int64_t steps = steps_of(p, p.length), all = p.batch * p.length * p.dimension;
    for (int64_t i = block_index() * block_threads() + thread_index(); i < all;
         i += grid_blocks() * block_threads()) {
        const int k = static_cast<int>(i % p.dimension);
        const int64_t point = i / p.dimension % p.length, path = i / p.dimension / p.length;
        const int64_t length = path_length(p, path);
        const auto increment_bar = [=](const T *z, int64_t t) {
            if (!p.lead_lag) return z[t * p.letters + k];
            return z[2 * t * p.letters + p.dimension + k] + z[(2 * t + 1) * p.letters + k];
        };
        T sum = 0;
        for (int part = 0; part < parts; part++) {
            const T *z = z_bar + (part * p.batch + path) * steps * p.letters;
            if (point > 0 && point < length) sum += increment_bar(z, point - 1);
            if (point + 1 < length) sum -= increment_bar(z, point);
        }
        path_bar[i] = sum;
    }
}

template <class T> struct signature {
    static int increments(const sg_cuda_paths *p, const sg_cuda_layout *q, void *z, void *stream)
    {
        const int64_t entries = p->batch * q->chunks * q->chunk_steps * q->width;
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

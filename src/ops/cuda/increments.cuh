// The increments of the augmented path, made where they are needed: time, lead-lag, lengths and the
// cut of time into chunks are known here and nowhere else.
#pragma once
#include "ops/cuda/launch.cuh"

SG_DEVICE int64_t path_length(const sg_cuda_paths &p, int64_t path)
{
    if (!p.lengths) return p.length;
    const int64_t length = p.lengths[path];
    return length < 0 ? 0 : length > p.length ? p.length : length;
}

SG_DEVICE int64_t steps_of(const sg_cuda_paths &p, int64_t length)
{
    const int64_t steps = length > 1 ? length - 1 : 0;
    return p.lead_lag ? 2 * steps : steps;
}

SG_DEVICE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Groups of threads: a piece of a chunk of a path each.
SG_DEVICE int64_t groups_of(const sg_cuda_paths &p, const sg_cuda_layout &q)
{
    return p.batch * q.chunks * q.pieces;
}

// The steps that a group walks through, if its path is as long as any.
struct span {
    int64_t path, first, end;

    SG_DEVICE span(const sg_cuda_layout &q, int64_t group) : path(group / q.pieces / q.chunks)
    {
        const int64_t chunk = group / q.pieces % q.chunks * q.chunk_steps;
        const int64_t piece = group % q.pieces * q.piece_steps;
        first = chunk + piece;
        end = chunk + least(piece + q.piece_steps, q.chunk_steps);
    }
};

// What a group walks through.
template <class T> struct track {
    const T *x;                   // the path's first point
    int64_t first;                // the first step
    int64_t count;                // real steps; increments after them are 0
    typename plain<T>::type time; // the increment of the time channel

    SG_DEVICE void find(const sg_cuda_paths &p, const sg_cuda_layout &q, int64_t group)
    {
        const span here(q, group);
        const bool there = here.path < p.batch;
        const int64_t steps = there ? steps_of(p, path_length(p, here.path)) : 0;
        x = static_cast<const T *>(p.x) + (there ? here.path * p.length * p.dimension : 0);
        first = here.first;
        count = least(steps, here.end) - first;
        time = static_cast<decltype(time)>(steps ? p.end_time / static_cast<double>(steps) : 0.0);
    }

    // Letter k of step t of them. In even steps the lead moves, in odd ones the lag.
    SG_DEVICE T increment(const sg_cuda_paths &p, int64_t t, int k) const
    {
        if (t >= count || k >= p.letters) return T(0);
        if (p.time_aug && k == p.letters - 1) return T(time);
        int64_t point = first + t;
        if (p.lead_lag) {
            const bool lead = k >= p.dimension, odd = point & 1;
            if (lead == odd) return T(0);
            if (lead) k -= p.dimension;
            point /= 2;
        }
        const T *from = x + point * p.dimension + k;
        return from[p.dimension] - from[0];
    }
};

SG_DEVICE int64_t blocks_of_steps(const sg_cuda_layout &q)
{
    return (q.piece_steps + q.block_steps - 1) / q.block_steps;
}

SG_DEVICE int steps_in_block(const sg_cuda_layout &q, int64_t block)
{
    return static_cast<int>(least(q.piece_steps - block * q.block_steps, q.block_steps));
}

// Where the increments of blocks of steps lie in shared memory: two buffers, of which one is filled
// while the other is read, each [group][step][letter], groups one row apart from multiples of the
// banks.
template <class T> struct stage {
    track<T> *tracks; // [groups]
    T *rows;
    int filled; // the buffer that was filled last
    static_assert(sizeof(track<T>) == SG_CUDA_TRACK_BYTES, "layout.c counts with them");

    SG_DEVICE stage(const sg_cuda_layout &q, unsigned char *shared)
        : tracks(reinterpret_cast<track<T> *>(shared)),
          rows(reinterpret_cast<T *>(tracks + q.groups)), filled(0)
    {
    }

    SG_DEVICE T *row(const sg_cuda_layout &q, int buffer, int group, int step) const
    {
        const int64_t before = static_cast<int64_t>(buffer) * q.groups + group;
        return rows + (before * (q.block_steps + 1) + step) * q.width;
    }

    SG_DEVICE T *end(const sg_cuda_layout &q) const
    {
        return q.stored ? rows : row(q, 2, 0, 0);
    }

    // Of the groups from `group` on. Tracks are read by fill alone.
    SG_DEVICE void find_tracks(const sg_cuda_paths &p, const sg_cuda_layout &q, int64_t group)
    {
        for (int g = thread_index(); g < q.groups; g += block_threads())
            tracks[g].find(p, q, group + g);
        __syncthreads();
    }

    // A block of steps of every group, into the buffer that was not filled last: a thread makes a
    // short row, or an entry of a long one.
    SG_DEVICE void fill(const sg_cuda_paths &p, const sg_cuda_layout &q, int64_t block)
    {
        enum { SHORT = 8 };
        const int pieces = q.width <= SHORT ? 1 : q.width, entries = q.width / pieces;
        const int n = steps_in_block(q, block);
        filled ^= 1;
        for (int i = thread_index(); i < q.groups * n * pieces; i += block_threads()) {
            const int piece = i % pieces, step = i / pieces % n, g = i / pieces / n;
            const track<T> from = tracks[g];
            T *const to = row(q, filled, g, step) + piece;
            for (int k = 0; k < entries; k++)
                to[k] = from.increment(p, block * q.block_steps + step, piece + k);
        }
    }
};

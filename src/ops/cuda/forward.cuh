// S = exp(z_1) .. exp(z_T) multiplied from the left, the last increment first. `Words` are the
// words of one thread; the kernel lays threads over them, brings increments and stores the result.
#pragma once
#include "ops/cuda/increments.cuh"

// Where a thread stands in its block.
struct standing {
    int group, index; // index: among the threads of its group
    bool active;

    SG_DEVICE explicit standing(const sg_cuda_layout &q)
        : group(thread_index() / q.per_group), index(thread_index() % q.per_group),
          active(group < q.groups)
    {
    }
};

// What a block does next: slices part, part + parts, .. of groups = (path, chunk) from `group` on.
struct task {
    int64_t group;
    int part;

    SG_DEVICE task(const sg_cuda_layout &q, int64_t number)
        : group(number / q.parts * q.groups), part(static_cast<int>(number % q.parts))
    {
    }
};

// Threads of a slice that have words of their own; the others walk along with node 0.
SG_DEVICE int slice_threads(const sg_cuda_layout &q, int slice)
{
    const int64_t left =
        static_cast<int64_t>(q.nodes) * q.tiles - static_cast<int64_t>(slice) * q.per_group;
    return left < q.per_group ? static_cast<int>(left) : q.per_group;
}

// The increments of the first block of steps that will be asked for.
template <class T>
SG_DEVICE void bring_first(const sg_cuda_paths &p, const sg_cuda_layout &q, stage<T> &s,
                           int64_t block)
{
    if (!q.stored && q.chunk_steps) s.fill(p, q, block);
}

constexpr int64_t NO_BLOCK = -1;

// Row 0 of this thread's group in a block of steps that was brought before; the next one is on its
// way while this is walked through.
template <class T>
SG_DEVICE const T *bring(const sg_cuda_paths &p, const sg_cuda_layout &q, stage<T> &s, const T *z,
                         int64_t group, int64_t block, int64_t next, const standing &me)
{
    if (q.stored) return z + ((group + me.group) * q.chunk_steps + block * q.block_steps) * q.width;
    __syncthreads(); // this block has been brought, and the one before it been read
    const T *const rows = s.row(q, s.filled, me.group, 0);
    if (next != NO_BLOCK) s.fill(p, q, next);
    return rows;
}

template <class T, class Words, int MOST_THREADS>
SG_KERNEL(MOST_THREADS)
forward_kernel(sg_cuda_paths p, sg_cuda_layout q, const T *z, T *out, int64_t stride, int scalar)
{
    SG_SHARED(unsigned char, shared);
    stage<T> s(q, shared);
    const standing me(q);
    for (int64_t number = block_index(); number < q.tasks; number += grid_blocks()) {
        const task now(q, number);
        const int64_t group = now.group + me.group;
        if (!q.stored) s.find_tracks(p, q, now.group);
        for (int slice = now.part; slice < q.slices; slice += q.parts) {
            const bool owns = me.active && me.index < slice_threads(q, slice);
            Words words(q, owns ? slice * q.per_group + me.index : 0);
            const int64_t blocks = blocks_of_steps(q);
            bring_first(p, q, s, blocks - 1);
            for (int64_t block = blocks - 1; block >= 0; block--) {
                const T *row = bring(p, q, s, z, now.group, block, block - 1, me);
                if (me.active && group < p.batch * q.chunks)
                    for (int i = steps_in_block(q, block) - 1; i >= 0; i--)
                        words.step(row + i * q.width);
            }
            if (!owns || group >= p.batch * q.chunks) continue;
            T *tensor = out + group * stride;
            if (scalar && slice == 0 && me.index == 0) tensor[0] = T(1);
            words.store(tensor + scalar);
        }
    }
}

// S = exp(z_1) .. exp(z_T) multiplied from the left, the last increment first. `Words` are the
// words of one thread; the kernel lays threads over them, brings increments and stores the result.
#pragma once
#include "ops/cuda/increments.cuh"
#include "ops/cuda/pieces.cuh"

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

// What a block does next: slices part, part + parts, .. of the groups from `group` on.
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
    if (!q.stored && q.piece_steps) s.fill(p, q, block);
}

constexpr int64_t NO_BLOCK = -1;

// Row 0 of this thread's group in a block of steps that was brought before; the next one is on its
// way while this is walked through.
template <class T>
SG_DEVICE const T *bring(const sg_cuda_paths &p, const sg_cuda_layout &q, stage<T> &s, const T *z,
                         int64_t group, int64_t block, int64_t next, const standing &me)
{
    if (q.stored) return z + ((group + me.group) * q.piece_steps + block * q.block_steps) * q.width;
    __syncthreads(); // this block has been brought, and the one before it been read
    const T *const rows = s.row(q, s.filled, me.group, 0);
    if (next != NO_BLOCK) s.fill(p, q, next);
    return rows;
}

template <class T, class Words>
SG_KERNEL_OF(Words::MOST_THREADS, SG_CUDA_SIDE_BY_SIDE)
forward_kernel(sg_cuda_paths p, sg_cuda_layout q, const T *z, T *out, int64_t stride, int scalar)
{
    SG_SHARED(unsigned char, shared);
    stage<T> s(q, shared);
    const standing me(q);
    const int64_t low = tensor_entries(q.letters, q.degree - 1);
    for (int64_t number = block_index(); number < q.tasks; number += grid_blocks()) {
        const task now(q, number);
        const int64_t group = now.group + me.group;
        const bool active = me.active && group < groups_of(p, q);
        if (!q.stored) s.find_tracks(p, q, now.group);
        for (int slice = now.part; slice < q.slices; slice += q.parts) {
            const bool owns = active && me.index < slice_threads(q, slice);
            Words words(q, owns ? slice * q.per_group + me.index : 0);
            const int64_t blocks = blocks_of_steps(q);
            bring_first(p, q, s, blocks - 1);
            for (int64_t block = blocks - 1; block >= 0; block--) {
                const T *row = bring(p, q, s, z, now.group, block, block - 1, me);
                if (active)
                    for (int i = steps_in_block(q, block) - 1; i >= 0; i--)
                        words.step(row + i * q.width);
            }
            T *const tensor = out + group / q.pieces * stride + scalar;
            if (scalar && owns && slice + me.index + group % q.pieces == 0) tensor[-1] = T(1);
            if constexpr (Words::DEGREE > 1)
                if (q.pieces > 1) {
                    join_pieces(q, words, me.group, owns, s.rows,
                                out + now.group / q.pieces * stride + scalar);
                    continue;
                }
            if (!owns) continue;
            words.store_low(tensor);
            store_top(q, words, tensor + low);
        }
    }
}

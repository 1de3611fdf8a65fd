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

// Brings steps t .. t + n-1 of all groups within reach; row 0 of this thread's group.
template <class T>
SG_DEVICE const T *bring(const sg_cuda_paths &p, const sg_cuda_layout &q, stage<T> &s, const T *z,
                         int64_t group, int64_t t, int n, const standing &me)
{
    if (q.stored) return z + ((group + me.group) * q.chunk_steps + t) * q.width;
    __syncthreads(); // the steps before these have been read
    s.fill(p, q, t, n);
    __syncthreads();
    return s.row(q, me.group, 0);
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
            const int64_t steps = q.chunk_steps, size = q.block_steps;
            for (int64_t t = (steps + size - 1) / size * size - size; t >= 0; t -= size) {
                const int n = static_cast<int>(steps - t < size ? steps - t : size);
                const T *row = bring(p, q, s, z, now.group, t, n, me);
                if (me.active && group < p.batch * q.chunks)
                    for (int i = n - 1; i >= 0; i--) words.step(row + i * q.width);
            }
            if (!owns || group >= p.batch * q.chunks) continue;
            T *tensor = out + group * stride;
            if (scalar && slice == 0 && me.index == 0) tensor[0] = T(1);
            words.store(tensor + scalar);
        }
    }
}

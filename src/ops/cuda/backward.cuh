// z_bar for every increment, from the cotangent of the signature. A first pass runs the levels
// below the top and keeps each thread's state at the end of every block of steps; the second walks
// the blocks in the order of time and takes the state back step by step. What threads add to z_bar
// they leave in columns of shared memory, which are summed in a fixed order: the same bits on every
// run.
#pragma once
#include "ops/cuda/chain.cuh"
#include "ops/cuda/forward.cuh"
#include "ops/cuda/path_bar.cuh"

// Adds up the columns of n steps from step t of each group on. z_bar [part][path][step][letter].
template <class T, class Words>
SG_DEVICE void sum_columns(const sg_cuda_paths &p, const sg_cuda_layout &q, const task &now,
                           int slice, int64_t t, int n, const T *columns, T *z_bar)
{
    const int lanes = q.sum_lanes, letters = q.letters, pairs = q.groups * n * letters;
    const int64_t steps = steps_of(p, p.length);
    for (int i = thread_index(); i < (pairs * lanes + WARP - 1) / WARP * WARP;
         i += block_threads()) {
        const int pair = i / lanes, letter = pair % letters, step = pair / letters % n;
        const int g = pair / letters / n;
        const span here(q, now.group + g);
        const int64_t at = here.first + t + step;
        const bool wanted = pair < pairs && here.path < p.batch && at < least(here.end, steps);
        T sum = 0;
        if (wanted)
            sum = Words::sum(
                q, letter,
                column_range<T>{columns + step * q.sum_rows * block_threads() + g * q.per_group,
                                slice * q.per_group, slice_threads(q, slice), block_threads(),
                                i % lanes, lanes});
        sum = lane_sum(sum, lanes);
        if (!wanted || i % lanes) continue;
        T *to = z_bar + ((now.part * p.batch + here.path) * steps + at) * letters + letter;
        *to = slice == now.part ? sum : *to + sum;
    }
}

template <class T, class Words>
SG_KERNEL_OF(Words::MOST_THREADS, SG_CUDA_SIDE_BY_SIDE)
backward_kernel(sg_cuda_paths p, sg_cuda_layout q, const T *z, const T *cotangent, int64_t stride,
                T *kept, T *z_bar, T *path_bar)
{
    SG_SHARED(unsigned char, shared);
    stage<T> s(q, shared);
    T *const columns = s.end(q), *const column = columns + thread_index();
    const standing me(q);
    const int threads = block_threads();
    const int64_t low = tensor_entries(q.letters, q.degree - 1);
    const int64_t blocks = blocks_of_steps(q), block_kept = int64_t(q.kept) * threads;
    kept += block_index() * blocks * block_kept + thread_index();
    for (int64_t number = block_index(); number < q.tasks; number += grid_blocks()) {
        const task now(q, number);
        const bool active = me.active && now.group + me.group < groups_of(p, q);
        if (!q.stored) s.find_tracks(p, q, now.group);
        for (int slice = now.part; slice < q.slices; slice += q.parts) {
            const bool owns = active && me.index < slice_threads(q, slice);
            Words words(q, owns ? slice * q.per_group + me.index : 0);
            bring_first(p, q, s, blocks - 1);
            for (int64_t block = blocks - 1; block >= 0; block--) {
                const T *row = bring(p, q, s, z, now.group, block, block ? block - 1 : 0, me);
                if (!active) continue;
                for (int i = steps_in_block(q, block) - 1; i >= 0; i--)
                    words.step_low(row + i * q.width);
                words.keep(kept + block * block_kept, threads);
            }
            const T *const whole = cotangent + (now.group + me.group) / q.pieces * stride;
            const T *own = whole;
            if constexpr (Words::DEGREE > 1)
                if (q.pieces > 1)
                    own = piece_cotangents(q, words, me.group, owns,
                                           cotangent + now.group / q.pieces * stride, columns) +
                          me.group * low;
            words.begin(own, whole + low, owns);
            for (int64_t block = 0; block < blocks; block++) {
                const int64_t t = block * q.block_steps;
                const int n = steps_in_block(q, block);
                const T *row = bring(p, q, s, z, now.group, block,
                                     block + 1 < blocks ? block + 1 : NO_BLOCK, me);
                if (active) words.recall(kept + block * block_kept, threads);
                for (int from = 0; from < n; from += q.sum_steps) {
                    const int some = n - from < q.sum_steps ? n - from : q.sum_steps;
                    if (active)
                        for (int i = 0; i < some; i++)
                            words.step_back(row + (from + i) * q.width,
                                            column + i * q.sum_rows * threads, threads);
                    __syncthreads();
                    sum_columns<T, Words>(p, q, now, slice, t + from, some, columns, z_bar);
                    __syncthreads(); // the columns have been read
                }
            }
        }
        if (q.whole) // this block has written all of z_bar for its paths
            paths_bar(p, 1, z_bar, path_bar, now.group / q.pieces,
                      (now.group + q.groups) / q.pieces, thread_index(), threads);
    }
}

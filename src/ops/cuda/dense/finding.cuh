// What is wrong with the numbers that a kernel is given, noted for the host (sg_finding).
#pragma once
#include "ops/cuda/dense/common.cuh"

// One block looks at all entries, so that the first bad one is found without atomics.
template <class Bad>
SG_KERNEL(BLOCK)
look_for_kernel(sg_origin origin, int64_t n, Bad is_bad, sg_finding *finding)
{
    SG_SHARED(int64_t, first);
    const int me = thread_index();
    int64_t mine = n;
    for (int64_t i = me; i < n && mine == n; i += block_threads())
        if (is_bad(i)) mine = i;
    first[me] = mine;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if (me < half && first[me + half] < first[me]) first[me] = first[me + half];
    }
    if (me || first[0] == n || finding->kind) return;
    finding->origin = origin;
    finding->entry = first[0];
    is_bad.describe(first[0], finding);
}

template <class Bad> static void look_for(sg_place *place, sg_origin origin, int64_t n, Bad is_bad)
{
    if (n > 0)
        queue(place, look_for_kernel<Bad>, 1, BLOCK, BLOCK * sizeof(int64_t), origin, n, is_bad,
              place->finding);
}

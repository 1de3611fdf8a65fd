// Arrays with strides of their own over one box of entries, as ops/cpu/walk.h plans it.
#pragma once
#include "ops/cuda/dense/common.cuh"

struct box {
    int operands, rank;
    int64_t entries;
    int64_t shape[SIGAD_MAX_RANK];
    int64_t stride[SG_WALK_OPERANDS][SIGAD_MAX_RANK];
};

inline box box_of(const sg_walk &plan)
{
    box b = {};
    b.operands = plan.n;
    b.rank = plan.rank;
    b.entries = 1;
    for (int i = 0; i < plan.rank; i++) {
        b.shape[i] = plan.shape[i];
        b.entries *= plan.shape[i];
        for (int k = 0; k < plan.n; k++) b.stride[k][i] = plan.stride[k][i];
    }
    return b;
}

inline box box_of(const sigad_array *y, int n, const sigad_array *const *operands)
{
    sg_walk plan;
    sg_walk_broadcast(&plan, y, n, operands);
    return box_of(plan);
}

// The offsets of entry i. Index is 32 bits wide where that will do, since it is divided.
template <int N, class Index> SG_DEVICE void offsets_in(const box &b, Index i, int64_t (&offset)[N])
{
    for (int axis = b.rank - 1; axis > 0; axis--) {
        const Index size = static_cast<Index>(b.shape[axis]), next = i / size;
        const Index at = i - next * size;
        for (int k = 0; k < N; k++) offset[k] += static_cast<int64_t>(at) * b.stride[k][axis];
        i = next;
    }
    for (int k = 0; k < N; k++) offset[k] += static_cast<int64_t>(i) * b.stride[k][0];
}

// Of the first N operands.
template <int N> SG_DEVICE void offsets_at(const box &b, int64_t i, int64_t (&offset)[N])
{
    for (int k = 0; k < N; k++) offset[k] = 0;
    if (b.entries <= UINT32_MAX)
        offsets_in(b, static_cast<uint32_t>(i), offset);
    else
        offsets_in(b, i, offset);
}

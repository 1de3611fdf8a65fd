// From a layout to the words of a thread that it means; `run` is given a type that names them.
#pragma once
#include "ops/cuda/leaf.cuh"
#include "ops/cuda/one_level.cuh"
#include "ops/cuda/two_levels.cuh"

template <class T, int MOST, bool EXACT> struct untiled {
    using forward = one_level<T, MOST, EXACT>;
    using backward = one_level_adjoint<T, MOST, EXACT>;
};
template <class T, int N, int K, int Q> struct tiled {
    using forward = two_levels<T, N, K, Q>;
    using backward = two_levels_adjoint<T, N, K, Q>;
};
template <class T, int N, int K> struct leaves {
    template <bool BACKWARD>
    static constexpr int LEVELS = SG_CUDA_LEAF_LEVELS(K, N, sizeof(T), BACKWARD);
    using forward = leaf_words<T, N, LEVELS<false>, K>;
    using backward = leaf_words_adjoint<T, N, LEVELS<true>, K>;
};

template <class T, class Run> int choose_untiled(int degree, const Run &run)
{
    switch (degree) {
    case 1:
        return run(untiled<T, 1, true>());
#ifndef SIGAD_FEW_TILES
    case 6:
        return run(untiled<T, 6, true>());
    case 7:
        return run(untiled<T, 7, true>());
    case 8:
        return run(untiled<T, 8, true>());
#endif
    default:
        return run(untiled<T, SG_CUDA_MOST_DEGREE, false>());
    }
}

template <class T, class Run> int choose_tiled(int degree, const Run &run)
{
    constexpr int K = sizeof(T) == sizeof(float) ? 8 : 4, Q = 8;
    switch (degree) {
#ifndef SIGAD_FEW_TILES
    case 2:
        return run(tiled<T, 2, K, Q>());
    case 5:
        return run(tiled<T, 5, K, Q>());
#endif
    case 3:
        return run(tiled<T, 3, K, Q>());
    default:
        return run(tiled<T, 4, K, Q>());
    }
}

template <class T, int K, class Run> int choose_leaves(int degree, const Run &run)
{
    switch (degree) {
#ifndef SIGAD_FEW_TILES
    case 2:
        return run(leaves<T, 2, K>());
    case 6:
        return run(leaves<T, 6, K>());
    case 7:
        return run(leaves<T, 7, K>());
    case 8:
        return run(leaves<T, 8, K>());
#endif
    case 3:
        return run(leaves<T, 3, K>());
    case 4:
        return run(leaves<T, 4, K>());
    default:
        return run(leaves<T, 5, K>());
    }
}

// The same choice as choose_tile's in layout.c.
template <class T, class Run> int choose(const sg_cuda_layout *q, const Run &run)
{
    if (q->tile_q) return choose_tiled<T>(q->degree, run);
    if (q->levels == 1) return choose_untiled<T>(q->degree, run);
    switch (q->letters) {
#ifndef SIGAD_FEW_TILES
    case 2:
        return choose_leaves<T, 2>(q->degree, run);
    case 4:
        return choose_leaves<T, 4>(q->degree, run);
    case 5:
        return choose_leaves<T, 5>(q->degree, run);
#endif
    default:
        return choose_leaves<T, 3>(q->degree, run);
    }
}

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
template <class T, int N, int K> struct two_leaves {
    using forward = leaf_words<T, N, 2, K>;
    using backward = leaf_words_adjoint<T, N, 2, K>;
};
template <class T, int N, int K> struct most_leaves {
    template <bool BACKWARD>
    static constexpr int LEVELS = SG_CUDA_LEAF_LEVELS(K, N, sizeof(T), BACKWARD);
    using forward = leaf_words<T, N, LEVELS<false>, K>;
    using backward = leaf_words_adjoint<T, N, LEVELS<true>, K>;
};
template <class T, int N, int K, class Run> int choose_levels(int levels, const Run &run)
{
    return levels == 2 ? run(two_leaves<T, N, K>()) : run(most_leaves<T, N, K>());
}

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

template <class T, int K, class Run> int choose_leaves(const sg_cuda_layout *q, const Run &run)
{
    switch (q->degree) {
#ifndef SIGAD_FEW_TILES
    case 2:
        return choose_levels<T, 2, K>(q->levels, run);
    case 6:
        return choose_levels<T, 6, K>(q->levels, run);
    case 7:
        return choose_levels<T, 7, K>(q->levels, run);
    case 8:
        return choose_levels<T, 8, K>(q->levels, run);
#endif
    case 3:
        return choose_levels<T, 3, K>(q->levels, run);
    case 4:
        return choose_levels<T, 4, K>(q->levels, run);
    default:
        return choose_levels<T, 5, K>(q->levels, run);
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
        return choose_leaves<T, 2>(q, run);
    case 4:
        return choose_leaves<T, 4>(q, run);
    case 5:
        return choose_leaves<T, 5>(q, run);
#endif
    default:
        return choose_leaves<T, 3>(q, run);
    }
}

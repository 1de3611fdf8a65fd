// From a layout to the words of a thread that it means; `run` is given a type that names them.
#pragma once
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

template <class T, int K, int Q, class Run> int choose_degree(int degree, const Run &run)
{
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

// The tiles are those of sg_cuda_tile (layout.c).
template <class T, class Run> int choose(const sg_cuda_layout *q, const Run &run)
{
    switch (q->tile_q) {
    case 0:
        switch (q->degree) {
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
#ifndef SIGAD_FEW_TILES
    case 2:
        return choose_degree<T, 2, 2>(q->degree, run);
    case 4:
        return choose_degree<T, 4, 4>(q->degree, run);
    case 5:
        return choose_degree<T, 5, 5>(q->degree, run);
#endif
    case 3:
        return choose_degree<T, 3, 3>(q->degree, run);
    default:
        return choose_degree < T, sizeof(T) == sizeof(float) ? 8 : 4, 8 > (q->degree, run);
    }
}

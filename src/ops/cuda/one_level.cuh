// The words of one thread, for any degree up to MOST or for exactly that one: a suffix u of degree
// - 1 letters and up to SG_CUDA_TILE words k u of the top level.
#pragma once
#include "ops/cuda/chain.cuh"

// As leaf_word (leaf.cuh), for one letter.
struct top_letter {
    int letter;

    SG_DEVICE int without_last(int) const
    {
        return letter;
    }
};

template <class T, int MOST, bool EXACT> struct one_level {
    static constexpr int TILE = SG_CUDA_TILE;
    static constexpr int DEGREE = 1; // pieces of time are not joined
    static constexpr int MOST_THREADS =
        EXACT ? sg_cuda_most_threads({1, TILE, 0, MOST, sizeof(T), false}) : SG_CUDA_DEEP_BLOCK;
    chain<T, MOST, EXACT, 1> low;
    int first; // letter k of the tile
    T top[TILE];

    SG_DEVICE one_level(const sg_cuda_layout &q, int index)
        : low(q, index), first(index / q.nodes * TILE)
    {
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++) top[k] = T(0);
    }

    SG_DEVICE void step(const T *z)
    {
        T in[MOST] = {};
        low.step(z, in);
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++) top[k] += z[first + k] * in[0];
    }

    SG_DEVICE void store_low(T *tensor) const
    {
        int64_t words;
        low.store(tensor, &words);
    }

    template <class F> SG_DEVICE void each_top(const F &f)
    {
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++)
            if (first + k < low.letters) f(top_letter{first + k}, top[k]);
    }
};

template <class T, int MOST, bool EXACT> struct one_level_adjoint {
    static constexpr int TILE = SG_CUDA_TILE;
    static constexpr int DEGREE = 1;
    static constexpr int MOST_THREADS =
        EXACT ? sg_cuda_most_threads({1, TILE, 0, MOST, sizeof(T), true}) : SG_CUDA_DEEP_BLOCK;
    chain_adjoint<T, MOST, EXACT, 1> low;
    int first;
    T top_bar[TILE]; // constant in time

    SG_DEVICE one_level_adjoint(const sg_cuda_layout &q, int index)
        : low(q, index), first(index / q.nodes * TILE)
    {
    }

    SG_DEVICE void step_low(const T *z)
    {
        T in[MOST] = {};
        low.step(z, in);
    }
    SG_DEVICE void keep(T *place, int stride) const
    {
        low.keep(place, stride);
    }
    SG_DEVICE void recall(const T *place, int stride)
    {
        low.recall(place, stride);
    }

    // Below the top level and there.
    SG_DEVICE void begin(const T *cotangent, const T *above, bool real)
    {
        int64_t words;
        low.begin(cotangent, real, &words);
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++)
            top_bar[k] =
                real && first + k < low.letters ? above[(first + k) * words + low.suffix] : T(0);
    }

    // Column: TILE rows for letters k, then one for each letter of the suffix.
    SG_DEVICE void step_back(const T *z, T *column, int stride)
    {
        T in[MOST][MOST] = {}, in_bar[MOST] = {};
        low.undo(z, in);
        const T last = in[low.degree - 1][0];
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++) {
            column[k * stride] = top_bar[k] * last;
            in_bar[0] += z[first + k] * top_bar[k];
        }
        low.back(z, in, in_bar, column + TILE * stride, stride);
    }

    static SG_DEVICE T sum(const sg_cuda_layout &q, int letter, const column_range<T> &range)
    {
        const int64_t all = static_cast<int64_t>(q.tiles) * q.nodes;
        return range.sum(letter % TILE, q.nodes, all, letter / TILE * int64_t(q.nodes)) +
               range.sum_chain(TILE, q.degree - 1, q.letters, letter);
    }
};

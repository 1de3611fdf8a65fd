// The words of one thread, for any degree up to MOST or for exactly that one: a suffix u of degree
// - 1 letters and up to SG_CUDA_TILE words k u of the top level.
#pragma once
#include "ops/cuda/chain.cuh"

template <class T, int MOST, bool EXACT> struct one_level {
    static constexpr int TILE = SG_CUDA_TILE;
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

    SG_DEVICE void store(T *tensor) const
    {
        int64_t words;
        tensor = low.store(tensor, &words);
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++)
            if (first + k < low.letters) tensor[(first + k) * words + low.suffix] = top[k];
    }
};

template <class T, int MOST, bool EXACT> struct one_level_adjoint {
    static constexpr int TILE = SG_CUDA_TILE;
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

    SG_DEVICE void begin(const T *cotangent, bool real)
    {
        int64_t words;
        cotangent = low.begin(cotangent, real, &words);
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++)
            top_bar[k] = real && first + k < low.letters
                             ? cotangent[(first + k) * words + low.suffix]
                             : T(0);
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

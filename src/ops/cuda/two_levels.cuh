// The words of one thread for many letters and a degree known when the kernel is compiled: a suffix
// u of degree - 2 letters, words k u of the level below the top for K letters k, and words q k u of
// the top level for Q letters q, all in registers. A path's threads are [tiles of q][tiles of
// k][suffixes], so that neighbours store to neighbouring places. Tiles that stick out see
// increments of 0 and are not stored.
#pragma once
#include "ops/cuda/chain.cuh"

// Where a thread's tile begins.
template <int K, int Q> struct tile_of {
    int k, q;
    SG_DEVICE tile_of(const sg_cuda_layout &layout, int index)
        : k(index / layout.nodes % tiles_k(layout) * K),
          q(index / layout.nodes / tiles_k(layout) * Q)
    {
    }
    static SG_DEVICE int tiles_k(const sg_cuda_layout &layout)
    {
        return (layout.letters + K - 1) / K;
    }
};

// As leaf_word, for the two letters of a word in a tile.
struct tile_word {
    int first, second, letters;

    SG_DEVICE int without_last(int n) const
    {
        return n == 0 ? first * letters + second : n == 1 ? first : 0;
    }
    SG_DEVICE int last(int n) const
    {
        return n == 0 ? 0 : n == 1 ? second : first * letters + second;
    }
};

// What a thread has below the top level.
template <class T, class Low, int K, int Q>
SG_DEVICE void store_middle(const Low &low, const tile_of<K, Q> &tile, const T (&middle)[K],
                            T *tensor)
{
    int64_t words;
    tensor = low.store(tensor, &words);
    SG_UNROLL(K)
    for (int k = 0; k < K; k++)
        if (tile.q == 0 && tile.k + k < low.letters)
            tensor[(tile.k + k) * words + low.suffix] = middle[k];
}

template <class T, int N, int K, int Q> struct two_levels {
    static constexpr int DEGREE = N, ABOVE = 2, LETTERS = 0;
    static constexpr int MOST_THREADS = sg_cuda_most_threads({2, K, Q, N, sizeof(T), false});
    chain<T, N, true, 2> low;
    tile_of<K, Q> tile;
    T middle[K], top[K][Q];

    SG_DEVICE two_levels(const sg_cuda_layout &q, int index) : low(q, index), tile(q, index)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            middle[k] = T(0);
            SG_UNROLL(Q)
            for (int x = 0; x < Q; x++) top[k][x] = T(0);
        }
    }

    SG_DEVICE void step(const T *z)
    {
        T in[N] = {}, zq[Q], zk[K];
        low.step(z, in);
        load_row(z + tile.q, zq);
        load_row(z + tile.k, zk);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            const T v = middle[k] + zk[k] * in[1];
            middle[k] += zk[k] * in[0];
            SG_UNROLL(Q)
            for (int x = 0; x < Q; x++) top[k][x] += zq[x] * v;
        }
    }

    SG_DEVICE void store_low(T *tensor) const
    {
        store_middle(low, tile, middle, tensor);
    }

    template <class F> SG_DEVICE void each_top(const F &f)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            if (tile.k + k >= low.letters) continue;
            SG_UNROLL(Q)
            for (int x = 0; x < Q; x++)
                if (tile.q + x < low.letters)
                    f(tile_word{tile.q + x, tile.k + k, low.letters}, top[k][x]);
        }
    }
};

template <class T, int N, int K, int Q> struct two_levels_adjoint {
    static constexpr int DEGREE = N, LETTERS = 0;
    static constexpr int MOST_THREADS = sg_cuda_most_threads({2, K, Q, N, sizeof(T), true});
    chain_adjoint<T, N, true, 2> low;
    tile_of<K, Q> tile;
    T middle[K], middle_bar[K];
    T top_bar[K][Q]; // constant in time

    SG_DEVICE two_levels_adjoint(const sg_cuda_layout &q, int index) : low(q, index), tile(q, index)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) middle[k] = T(0);
    }

    SG_DEVICE void step_low(const T *z)
    {
        T in[N] = {}, zk[K];
        low.step(z, in);
        load_row(z + tile.k, zk);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) middle[k] += zk[k] * in[0];
    }

    SG_DEVICE void keep(T *place, int stride) const
    {
        place = low.keep(place, stride);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) place[k * stride] = middle[k];
    }
    SG_DEVICE void recall(const T *place, int stride)
    {
        place = low.recall(place, stride);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) middle[k] = place[k * stride];
    }

    SG_DEVICE void store_low(T *tensor) const
    {
        store_middle(low, tile, middle, tensor);
    }

    // Below the top level and there.
    SG_DEVICE void begin(const T *cotangent, const T *above, bool real)
    {
        int64_t words;
        cotangent = low.begin(cotangent, real, &words);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            const int64_t at = (tile.k + k) * words + low.suffix;
            const bool there = real && tile.k + k < low.letters;
            middle_bar[k] = there && tile.q == 0 ? cotangent[at] : T(0);
            SG_UNROLL(Q)
            for (int x = 0; x < Q; x++)
                top_bar[k][x] = there && tile.q + x < low.letters
                                    ? above[(tile.q + x) * words * low.letters + at]
                                    : T(0);
        }
    }

    // Column: Q rows for letters q, K for letters k, then one for each letter of the suffix.
    SG_DEVICE void step_back(const T *z, T *column, int stride)
    {
        T in[N][N] = {}, in_bar[N] = {}, zq[Q], zk[K], zq_bar[Q] = {};
        low.undo(z, in);
        load_row(z + tile.q, zq);
        load_row(z + tile.k, zk);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            middle[k] -= zk[k] * in[N - 2][0];
            const T v = middle[k] + zk[k] * in[N - 2][1];
            T v_bar = 0;
            SG_UNROLL(Q)
            for (int x = 0; x < Q; x++) {
                zq_bar[x] += top_bar[k][x] * v;
                v_bar += top_bar[k][x] * zq[x];
            }
            column[(Q + k) * stride] = v_bar * in[N - 2][1] + middle_bar[k] * in[N - 2][0];
            in_bar[0] += zk[k] * middle_bar[k];
            in_bar[1] += zk[k] * v_bar;
            middle_bar[k] += v_bar;
        }
        SG_UNROLL(Q)
        for (int x = 0; x < Q; x++) column[x * stride] = zq_bar[x];
        low.back(z, in, in_bar, column + (Q + K) * stride, stride);
    }

    static SG_DEVICE T sum(const sg_cuda_layout &q, int letter, const column_range<T> &range)
    {
        const int64_t nodes = q.nodes, row = nodes * tile_of<K, Q>::tiles_k(q),
                      all = nodes * q.tiles;
        return range.sum(letter % Q, row, all, letter / Q * row) +
               range.sum(Q + letter % K, nodes, row, letter / K * nodes) +
               range.sum_chain(Q + K, N - 2, q.letters, letter);
    }
};

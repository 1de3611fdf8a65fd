// The words of one thread for few letters: a suffix u of N - D letters and all words of the D
// levels above that end in it, in registers. The more levels, the less of a thread's time goes into
// the chain of its suffix; SG_CUDA_LEAF_LEVELS says how many have room.
#pragma once
#include "ops/cuda/chain.cuh"

// What a word hands on to those one letter longer, from what it took from below.
template <class T, int MOST, int MORE>
SG_DEVICE void hand_on(T value, T z, const T (&in)[MOST], T (&out)[MORE])
{
    SG_UNROLL(MORE)
    for (int e = 1; e <= MORE; e++) out[e - 1] = (value + z * in[e]) * inverse<T>(e);
}

// The letters of a word that stand before its thread's suffix, a number in base K; its first ones
// are what is left without the last n, which are the others.
template <int K> struct leaf_word {
    int letters;

    static SG_DEVICE constexpr int power(int n)
    {
        int all = 1;
        for (int i = 0; i < n; i++) all *= K;
        return all;
    }
    SG_DEVICE constexpr int without_last(int n) const
    {
        return letters / power(n);
    }
    SG_DEVICE constexpr int last(int n) const
    {
        return letters % power(n);
    }
};

// K words of a level, one letter k before a common rest, and the D - 1 levels above each of them.
// in[e] is what they take from below: the value at the rest for e = 0, and so on, scaled so that z
// is the only coefficient.
template <class T, int D, int K> struct leaf {
    T value[K];
    leaf<T, D - 1, K> above[K];

    SG_DEVICE void clear()
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            value[k] = T(0);
            above[k].clear();
        }
    }

    template <int MOST> SG_DEVICE void step(const T (&z)[K], const T (&in)[MOST])
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            T out[D - 1];
            hand_on(value[k], z[k], in, out);
            value[k] += z[k] * in[0];
            above[k].step(z, out);
        }
    }

    // `words`: of the level below. `at`: where the rest stands there.
    SG_DEVICE void store_low(T *level, int64_t words, int64_t at) const
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            level[at + k * words] = value[k];
            above[k].store_low(level + words * K, words * K, at + k * words);
        }
    }

    // Calls f(word, value) for the words of the top level; `rest` are the letters of this tree
    // before these, and there are `below` such.
    template <class F> SG_DEVICE void each_top(const F &f, int rest = 0, int below = 1)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) above[k].each_top(f, rest + k * below, below * K);
    }
};

template <class T, int K> struct leaf<T, 1, K> {
    T value[K];

    SG_DEVICE void clear()
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) value[k] = T(0);
    }

    template <int MOST> SG_DEVICE void step(const T (&z)[K], const T (&in)[MOST])
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) value[k] += z[k] * in[0];
    }

    SG_DEVICE void store_low(T *, int64_t, int64_t) const
    {
    }

    template <class F> SG_DEVICE void each_top(const F &f, int rest = 0, int below = 1)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) f(leaf_word<K>{rest + k * below}, value[k]);
    }
};

// The same walked backwards; of the top level only the cotangent is held, which is constant in
// time.
template <class T, int D, int K> struct leaf_adjoint {
    T value[K], bar[K];
    leaf_adjoint<T, D - 1, K> above[K];
    static constexpr int KEPT = K + K * leaf_adjoint<T, D - 1, K>::KEPT;

    SG_DEVICE void clear()
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            value[k] = T(0);
            above[k].clear();
        }
    }

    template <int MOST> SG_DEVICE void step_low(const T (&z)[K], const T (&in)[MOST])
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            T out[D - 1];
            hand_on(value[k], z[k], in, out);
            value[k] += z[k] * in[0];
            above[k].step_low(z, out);
        }
    }

    SG_DEVICE void keep(T *place, int stride) const
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            place[k * stride] = value[k];
            above[k].keep(place + (K + k * leaf_adjoint<T, D - 1, K>::KEPT) * stride, stride);
        }
    }
    SG_DEVICE void recall(const T *place, int stride)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            value[k] = place[k * stride];
            above[k].recall(place + (K + k * leaf_adjoint<T, D - 1, K>::KEPT) * stride, stride);
        }
    }

    // As in `leaf`.
    SG_DEVICE void store_low(T *level, int64_t words, int64_t at) const
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            level[at + k * words] = value[k];
            above[k].store_low(level + words * K, words * K, at + k * words);
        }
    }

    SG_DEVICE void begin(const T *level, const T *top, int64_t words, int64_t at, bool real)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            bar[k] = real ? level[at + k * words] : T(0);
            above[k].begin(level + words * K, top, words * K, at + k * words, real);
        }
    }

    // Takes one step back, and adds to the cotangents of z and of what came from below.
    template <int MOST>
    SG_DEVICE void back(const T (&z)[K], const T (&in)[MOST], T (&in_bar)[MOST], T (&z_bar)[K])
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            T out[D - 1], out_bar[D - 1] = {};
            value[k] -= z[k] * in[0];
            hand_on(value[k], z[k], in, out);
            above[k].back(z, out, out_bar, z_bar);
            z_bar[k] += bar[k] * in[0];
            in_bar[0] += z[k] * bar[k];
            SG_UNROLL(D)
            for (int e = 1; e < D; e++) {
                const T v = out_bar[e - 1] * inverse<T>(e);
                z_bar[k] += v * in[e];
                in_bar[e] += z[k] * v;
                bar[k] += v;
            }
        }
    }
};

template <class T, int K> struct leaf_adjoint<T, 1, K> {
    T bar[K];
    static constexpr int KEPT = 0;

    SG_DEVICE void clear()
    {
    }
    template <int MOST> SG_DEVICE void step_low(const T (&)[K], const T (&)[MOST])
    {
    }
    SG_DEVICE void keep(T *, int) const
    {
    }
    SG_DEVICE void recall(const T *, int)
    {
    }

    SG_DEVICE void store_low(T *, int64_t, int64_t) const
    {
    }

    SG_DEVICE void begin(const T *, const T *top, int64_t words, int64_t at, bool real)
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) bar[k] = real ? top[at + k * words] : T(0);
    }

    template <int MOST>
    SG_DEVICE void back(const T (&z)[K], const T (&in)[MOST], T (&in_bar)[MOST], T (&z_bar)[K])
    {
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) {
            z_bar[k] += bar[k] * in[0];
            in_bar[0] += z[k] * bar[k];
        }
    }
};

template <class T, int N, int D, int K> struct leaf_words {
    static constexpr int DEGREE = N, ABOVE = D, LETTERS = K;
    static constexpr int MOST_THREADS = sg_cuda_most_threads({D, K, 0, N, sizeof(T), false});
    chain<T, N, true, D, K> low;
    leaf<T, D, K> high;

    SG_DEVICE leaf_words(const sg_cuda_layout &q, int index) : low(q, index)
    {
        high.clear();
    }

    SG_DEVICE void step(const T *row)
    {
        T in[N] = {}, z[K];
        low.step(row, in);
        load_row(row, z);
        high.step(z, in);
    }

    SG_DEVICE void store_low(T *tensor) const
    {
        int64_t words;
        tensor = low.store(tensor, &words);
        high.store_low(tensor, words, low.suffix);
    }

    template <class F> SG_DEVICE void each_top(const F &f)
    {
        high.each_top(f);
    }
};

template <class T, int N, int D, int K> struct leaf_words_adjoint {
    static constexpr int DEGREE = N, LETTERS = K;
    static constexpr int MOST_THREADS = sg_cuda_most_threads({D, K, 0, N, sizeof(T), true});
    chain_adjoint<T, N, true, D, K> low;
    leaf_adjoint<T, D, K> high;

    SG_DEVICE leaf_words_adjoint(const sg_cuda_layout &q, int index) : low(q, index)
    {
        high.clear();
    }

    SG_DEVICE void step_low(const T *row)
    {
        T in[N] = {}, z[K];
        low.step(row, in);
        load_row(row, z);
        high.step_low(z, in);
    }

    SG_DEVICE void keep(T *place, int stride) const
    {
        high.keep(low.keep(place, stride), stride);
    }
    SG_DEVICE void recall(const T *place, int stride)
    {
        high.recall(low.recall(place, stride), stride);
    }

    SG_DEVICE void store_low(T *tensor) const
    {
        int64_t words;
        tensor = low.store(tensor, &words);
        high.store_low(tensor, words, low.suffix);
    }

    // Below the top level and there.
    SG_DEVICE void begin(const T *cotangent, const T *top, bool real)
    {
        int64_t words;
        cotangent = low.begin(cotangent, real, &words);
        high.begin(cotangent, top, words, low.suffix, real);
    }

    // Column: K rows for all letters, then one for each letter of the suffix.
    SG_DEVICE void step_back(const T *row, T *column, int stride)
    {
        T in[N][N] = {}, in_bar[N] = {}, z[K], z_bar[K] = {};
        low.undo(row, in);
        load_row(row, z);
        high.back(z, in[N - D], in_bar, z_bar);
        SG_UNROLL(K)
        for (int k = 0; k < K; k++) column[k * stride] = z_bar[k];
        low.back(row, in, in_bar, column + K * stride, stride);
    }

    static SG_DEVICE T sum(const sg_cuda_layout &q, int letter, const column_range<T> &range)
    {
        return range.sum(letter, q.nodes, q.nodes, 0) + range.sum_chain(K, N - D, K, letter);
    }
};

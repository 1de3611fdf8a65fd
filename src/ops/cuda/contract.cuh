// Contractions of a tensor by another from one side, by a block of threads; tensors have levels 1
// .. one after another.
#pragma once
#include "ops/cuda/launch.cuh"

SG_BOTH int64_t tensor_entries(int letters, int degree)
{
    int64_t words = 1, all = 0;
    for (int n = 1; n <= degree; n++) {
        words *= letters;
        all += words;
    }
    return all;
}

SG_BOTH int64_t level_words(int letters, int level)
{
    return tensor_entries(letters, level) - tensor_entries(letters, level - 1);
}

// Calls of(w, lane, lanes), a sum's part, for each word of a level, several lanes to a word where
// there are fewer words than threads; and done(w, sum) on one of them.
template <class T, class Of, class Done>
SG_DEVICE void each_word(int64_t words, const Of &of, const Done &done)
{
    int lanes = 1;
    while (lanes < WARP && words * lanes * 2 <= block_threads()) lanes *= 2;
    const int64_t all = (words * lanes + WARP - 1) / WARP * WARP;
    for (int64_t i = thread_index(); i < all; i += block_threads()) {
        const int64_t w = i / lanes;
        const int lane = static_cast<int>(i % lanes);
        const T sum = lane_sum(w < words ? of(w, lane, lanes) : T(0), lanes);
        if (w < words && lane == 0) done(w, sum);
    }
}

// out[w] = first g[w] + rest times the sum over v of by[v] g[v w], FROM_LEFT, or of g[w v] by[v],
// for w of levels 1 .. levels; added if `add`. g has levels up to top.
template <bool FROM_LEFT, class T>
SG_DEVICE void contract(int letters, int top, int levels, T first, T rest, const T *g, const T *by,
                        bool add, T *out)
{
    int64_t words = 1;
    for (int i = 1; i <= levels; i++) {
        words *= letters;
        const auto of = [=](int64_t w, int lane, int lanes) {
            const T *above = g, *factor = by;
            int64_t size = 1, level = words;
            T sum = 0;
            for (int m = i + 1; m <= top; m++) {
                above += level;
                level *= letters;
                size *= letters;
                for (int64_t v = lane; v < size; v += lanes)
                    sum += above[FROM_LEFT ? v * words + w : w * size + v] * factor[v];
                factor += size;
            }
            return sum;
        };
        each_word<T>(words, of, [=](int64_t w, T sum) {
            const T value = first * g[w] + rest * sum;
            out[w] = add ? out[w] + value : value;
        });
        g += words;
        out += words;
    }
}

// The values of one thread in a product that grows at one side: those at all suffixes of a word w
// of length `degree` (the product grows at the left) or at all its prefixes (it grows at the
// right). They need no others, so no thread waits for another.
#pragma once
#include "ops/cuda/chain.cuh"

template <class T, bool SUFFIXES, int MOST, bool EXACT, int LETTERS>
struct line_of_words : degree_of<MOST, EXACT> {
    static constexpr int UNROLLED = EXACT ? MOST : 1;
    using degree_of<MOST, EXACT>::degree;
    unsigned w, power[MOST + 1]; // of the number of letters
    T value[MOST + 1];           // by length

    SG_DEVICE line_of_words(int letters, int top, int64_t whole)
        : degree_of<MOST, EXACT>(top), w(static_cast<unsigned>(whole))
    {
        const letters_of<LETTERS> base(letters);
        power[0] = 1;
        value[0] = T(1);
        SG_UNROLL(UNROLLED)
        for (int l = 1; l <= degree; l++) {
            power[l] = power[l - 1] * static_cast<unsigned>(base.letters);
            value[l] = T(0);
        }
    }

    // The suffix, or the prefix, of length l.
    SG_DEVICE unsigned word(int l) const
    {
        return SUFFIXES ? w % power[l] : w / power[degree - l];
    }
    SG_DEVICE bool owns(int l) const
    {
        return SUFFIXES ? w < power[l] : w % power[degree - l] == 0;
    }

    // One more factor, top level first, since it needs the others as they were.
    SG_DEVICE void multiply(const T *factor)
    {
        SG_UNROLL(UNROLLED)
        for (int l = degree; l >= 1; l--) {
            const unsigned whole = word(l);
            const T *level = factor;
            T sum = value[l];
            SG_UNROLL(UNROLLED)
            for (int i = 1; i <= l; i++) {
                sum += level[SUFFIXES ? whole / power[l - i] : whole % power[i]] * value[l - i];
                level += power[i];
            }
            value[l] = sum;
        }
    }

    SG_DEVICE void store(T *tensor) const
    {
        SG_UNROLL(UNROLLED)
        for (int l = 1; l <= degree; l++) {
            if (owns(l)) tensor[word(l)] = value[l];
            tensor += power[l];
        }
    }
    SG_DEVICE void load(const T *tensor)
    {
        SG_UNROLL(UNROLLED)
        for (int l = 1; l <= degree; l++) {
            value[l] = tensor[word(l)];
            tensor += power[l];
        }
    }
};

template <class T, bool SUFFIXES>
using any_line_of_words = line_of_words<T, SUFFIXES, SG_CUDA_MOST_DEGREE, false, 0>;

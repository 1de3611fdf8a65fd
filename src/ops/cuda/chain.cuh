// What a thread holds of its suffix. Words that end in the suffix u depend on the values at u's own
// suffixes, the chain, and on nothing else (docs/kernels.md, "The tree of suffixes"); so a thread
// recomputes the chain for itself, and no thread waits for another's values.
#pragma once
#include "ops/cuda/launch.cuh"

template <class T> SG_DEVICE constexpr T inverse(int n)
{
    return T(1) / T(n);
}

// n entries from a boundary of 16 bytes on; what follows them up to the next one may be read, too.
template <class T, int n> SG_DEVICE void load_row(const T *from, T (&to)[n])
{
#ifdef __CUDACC__
    constexpr int WIDE = 16 / sizeof(T);
    SG_UNROLL(n)
    for (int i = 0; i < n; i += WIDE) {
        const int4 bits = *reinterpret_cast<const int4 *>(from + i);
        T part[WIDE];
        memcpy(part, &bits, sizeof bits);
        SG_UNROLL(WIDE)
        for (int j = 0; j < WIDE; j++)
            if (i + j < n) to[i + j] = part[j];
    }
#else
    memcpy(to, from, sizeof to);
#endif
}

// Degree and letters are known when the kernel is compiled, or not.
template <int MOST, bool EXACT> struct degree_of {
    static constexpr int degree = MOST;
    SG_DEVICE explicit degree_of(int)
    {
    }
};
template <int MOST> struct degree_of<MOST, false> {
    int degree;
    SG_DEVICE explicit degree_of(int n) : degree(n)
    {
    }
};

template <int LETTERS> struct letters_of {
    static constexpr int letters = LETTERS;
    SG_DEVICE explicit letters_of(int)
    {
    }
};
template <> struct letters_of<0> {
    int letters;
    SG_DEVICE explicit letters_of(int d) : letters(d)
    {
    }
};

// A suffix of degree - ABOVE letters.
template <class T, int MOST, bool EXACT, int ABOVE, int LETTERS = 0>
struct chain : degree_of<MOST, EXACT>, letters_of<LETTERS> {
    // Loops are unrolled where that leaves arrays in registers.
    static constexpr int UNROLLED = EXACT ? MOST : 1;
    using degree_of<MOST, EXACT>::degree;
    using letters_of<LETTERS>::letters;

    int suffix;
    bool first_tile;  // of the threads that share the suffix
    int letter[MOST]; // of the suffix, last one first, counted from 1
    T value[MOST];    // at the suffixes of the suffix, by length

    SG_DEVICE chain(const sg_cuda_layout &q, int index)
        : degree_of<MOST, EXACT>(q.degree), letters_of<LETTERS>(q.letters), suffix(index % q.nodes),
          first_tile(index < q.nodes)
    {
        int rest = suffix;
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++) {
            letter[j] = rest % letters;
            rest /= letters;
            value[j] = T(0);
        }
    }

    // The suffix of length j belongs to the thread whose other letters are the first one.
    SG_DEVICE bool owns(int64_t level_words) const
    {
        return first_tile && suffix < level_words;
    }

    // S <- exp(z) S. `in` is left as what words one letter longer need: in[e] for level
    // degree - ABOVE + 1 + e, scaled so that z is the only coefficient.
    SG_DEVICE void step(const T *z, T (&in)[MOST])
    {
        SG_UNROLL(UNROLLED)
        for (int e = 0; e < MOST && e < degree; e++) in[e] = inverse<T>(e + 1);
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++) {
            const T zj = z[letter[j]], before = value[j];
            value[j] += zj * in[0];
            SG_UNROLL(UNROLLED)
            for (int e = 1; e < MOST && e <= degree - j; e++)
                in[e - 1] = (before + zj * in[e]) * inverse<T>(e);
        }
    }

    // Stores the levels of the chain; the level above them begins at what is returned, and has
    // `words` words times the number of letters.
    SG_DEVICE T *store(T *tensor, int64_t *words) const
    {
        *words = 1;
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++) {
            *words *= letters;
            if (owns(*words)) tensor[suffix] = value[j];
            tensor += *words;
        }
        return tensor;
    }
};

// Walked backwards: the state before a step is what was added less; the adjoint is linear, so each
// thread carries its own share of it, and the shares are never summed. Only z_bar is.
template <class T, int MOST, bool EXACT, int ABOVE, int LETTERS = 0>
struct chain_adjoint : chain<T, MOST, EXACT, ABOVE, LETTERS> {
    using forward = chain<T, MOST, EXACT, ABOVE, LETTERS>;
    using forward::degree, forward::letter, forward::value, forward::UNROLLED;
    T bar[MOST];

    SG_DEVICE chain_adjoint(const sg_cuda_layout &q, int index) : forward(q, index)
    {
    }

    SG_DEVICE T *keep(T *place, int stride) const
    {
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++, place += stride) *place = value[j];
        return place;
    }
    SG_DEVICE const T *recall(const T *place, int stride)
    {
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++, place += stride) value[j] = *place;
        return place;
    }

    // Takes its share of the cotangent; like store.
    SG_DEVICE const T *begin(const T *cotangent, bool real, int64_t *words)
    {
        *words = 1;
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++) {
            *words *= forward::letters;
            bar[j] = real && forward::owns(*words) ? cotangent[forward::suffix] : T(0);
            cotangent += *words;
        }
        return cotangent;
    }

    // in[j] is what suffixes of length j hand to longer ones.
    SG_DEVICE void undo(const T *z, T (&in)[MOST][MOST])
    {
        SG_UNROLL(UNROLLED)
        for (int e = 0; e < MOST && e < degree; e++) in[0][e] = inverse<T>(e + 1);
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j <= degree - ABOVE; j++) {
            const T zj = z[letter[j]];
            value[j] -= zj * in[j - 1][0];
            SG_UNROLL(UNROLLED)
            for (int e = 1; e < MOST && e <= degree - j; e++)
                in[j][e - 1] = (value[j] + zj * in[j - 1][e]) * inverse<T>(e);
        }
    }

    // From the cotangent of what the whole suffix hands on, in_bar, to z_bar at its letters: a row
    // of the column for each.
    SG_DEVICE void back(const T *z, const T (&in)[MOST][MOST], T (&in_bar)[MOST], T *column,
                        int stride)
    {
        SG_UNROLL(UNROLLED)
        for (int j = MOST - 1; j >= 1; j--)
            if (j <= degree - ABOVE) {
                const T zj = z[letter[j]];
                T sum = bar[j] * in[j - 1][0], old = in_bar[0];
                in_bar[0] = zj * bar[j];
                SG_UNROLL(UNROLLED)
                for (int e = 1; e < MOST && e <= degree - j; e++) {
                    const T v = old * inverse<T>(e);
                    old = in_bar[e];
                    in_bar[e] = zj * v;
                    sum += v * in[j - 1][e];
                    bar[j] += v;
                }
                column[(j - 1) * stride] = sum;
            }
    }
};

// Stores the words of the top level that a thread has.
template <class T, class Words>
SG_DEVICE void store_top(const sg_cuda_layout &q, Words &words, T *level)
{
    words.each_top([&](auto word, T value) {
        level[int64_t(word.without_last(0)) * q.nodes + words.low.suffix] = value;
    });
}

// ---- sums over columns --------------------------------------------------------------------------

// The columns of threads first .. first + count-1 of a path, and which of them a lane sums.
template <class T> struct column_range {
    const T *column;
    int first, count, stride, lane, lanes;

    // Sums the entries of a row at threads i with start <= i % period < start + run.
    SG_DEVICE T sum(int row, int64_t run, int64_t period, int64_t start) const
    {
        const auto below = [=](int64_t i) {
            const int64_t part = i % period - start;
            return i / period * run + (part < 0 ? 0 : part < run ? part : run);
        };
        const T *const entry = column + row * stride;
        const int64_t end = below(first + static_cast<int64_t>(count));
        T sum = 0;
        for (int64_t r = below(first) + lane; r < end; r += lanes)
            sum += entry[r / run * period + start + r % run - first];
        return sum;
    }

    // The rows that chain_adjoint::back wrote, at one letter.
    SG_DEVICE T sum_chain(int row, int length, int letters, int letter) const
    {
        T all = 0;
        int64_t run = 1;
        for (int j = 0; j < length; j++, run *= letters)
            all += sum(row + j, run, run * letters, letter * run);
        return all;
    }
};

// The words of one thread for any number of letters and any degree up to MOST, or for exactly that
// degree. A thread owns a suffix u of length m = degree - 1 and up to TILE words k u of the top
// level; its suffix's own suffixes, the chain, it recomputes for itself, so that no thread waits
// for another's values. See docs/kernels.md, "The tree of suffixes".
#pragma once
#include "ops/cuda/launch.cuh"

template <class T> SG_DEVICE constexpr T inverse(int n)
{
    return T(1) / T(n);
}

// Sums row[i] over the entries i = first .. first + count-1 with start <= i % period < start + run,
// those of one of the lanes; row begins at entry first.
template <class T>
SG_DEVICE T sum_runs(const T *row, int first, int count, int64_t run, int64_t period, int64_t start,
                     int lane, int lanes)
{
    const auto below = [=](int64_t i) {
        const int64_t part = i % period - start;
        return i / period * run + (part < 0 ? 0 : part < run ? part : run);
    };
    const int64_t end = below(first + static_cast<int64_t>(count));
    T sum = 0;
    for (int64_t r = below(first) + lane; r < end; r += lanes)
        sum += row[r / run * period + start + r % run - first];
    return sum;
}

// Known when the kernel is compiled, or not.
template <int MOST, bool EXACT> struct degree_of {
    static constexpr int degree = MOST;
    SG_DEVICE explicit degree_of(const sg_cuda_layout &)
    {
    }
};
template <int MOST> struct degree_of<MOST, false> {
    int degree;
    SG_DEVICE explicit degree_of(const sg_cuda_layout &q) : degree(q.degree)
    {
    }
};

template <class T, int MOST, bool EXACT> struct any_words : degree_of<MOST, EXACT> {
    // Loops are unrolled where that leaves arrays in registers.
    static constexpr int TILE = SG_CUDA_TILE, UNROLLED = EXACT ? MOST : 1;
    using degree_of<MOST, EXACT>::degree;

    int letters, suffix, first_letter;
    bool first_tile;
    int letter[MOST]; // of the suffix, last one first
    T chain[MOST];    // at the suffixes of the suffix, by length
    T top[TILE];

    SG_DEVICE any_words(const sg_cuda_layout &q, int index)
        : degree_of<MOST, EXACT>(q), letters(q.letters), suffix(index % q.nodes),
          first_letter(index / q.nodes * TILE), first_tile(index < q.nodes)
    {
        int rest = suffix;
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++) {
            letter[j] = rest % letters;
            rest /= letters;
            chain[j] = T(0);
        }
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++) top[k] = T(0);
    }

    // The suffix of length j belongs to the thread whose other letters are the first one.
    SG_DEVICE bool owns(int64_t level_words) const
    {
        return first_tile && suffix < level_words;
    }

    // S <- exp(z) S along the chain; `in` is left as what the words k u need: in[0] for the top.
    SG_DEVICE void step_chain(const T *z, T (&in)[MOST])
    {
        SG_UNROLL(UNROLLED)
        for (int e = 0; e < MOST && e < degree; e++) in[e] = inverse<T>(e + 1);
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++) {
            const T zj = z[letter[j]], before = chain[j];
            chain[j] += zj * in[0];
            SG_UNROLL(UNROLLED)
            for (int e = 1; e < MOST && e <= degree - j; e++)
                in[e - 1] = (before + zj * in[e]) * inverse<T>(e);
        }
    }

    SG_DEVICE void step_low(const T *z)
    {
        T in[MOST] = {};
        step_chain(z, in);
    }

    SG_DEVICE void step(const T *z)
    {
        T in[MOST] = {};
        step_chain(z, in);
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++) top[k] += z[first_letter + k] * in[0];
    }

    SG_DEVICE void store(T *tensor) const
    {
        int64_t words = letters;
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++) {
            if (owns(words)) tensor[suffix] = chain[j];
            tensor += words;
            words *= letters;
        }
        words /= letters;
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++)
            if (first_letter + k < letters) tensor[(first_letter + k) * words + suffix] = top[k];
    }
};

// The same walked backwards: the state before a step is what was added less, and the adjoint of the
// chain is linear, so each thread carries its own share of it; only z_bar is summed over threads.
template <class T, int MOST, bool EXACT> struct any_adjoint : any_words<T, MOST, EXACT> {
    using words = any_words<T, MOST, EXACT>;
    using words::chain, words::degree, words::first_letter, words::letter, words::letters;
    using words::TILE, words::UNROLLED;

    T bar[MOST];     // of the chain
    T top_bar[TILE]; // constant in time

    SG_DEVICE any_adjoint(const sg_cuda_layout &q, int index) : words(q, index)
    {
    }

    SG_DEVICE void keep(T *place, int stride) const
    {
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++)
            place[static_cast<int64_t>(j - 1) * stride] = chain[j];
    }
    SG_DEVICE void recall(const T *place, int stride)
    {
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++)
            chain[j] = place[static_cast<int64_t>(j - 1) * stride];
    }

    SG_DEVICE void begin(const T *cotangent, bool real)
    {
        int64_t count = letters;
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++) {
            bar[j] = real && words::owns(count) ? cotangent[words::suffix] : T(0);
            cotangent += count;
            count *= letters;
        }
        count /= letters;
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++)
            top_bar[k] = real && first_letter + k < letters
                             ? cotangent[(first_letter + k) * count + words::suffix]
                             : T(0);
    }

    // Column of what this thread adds to z_bar: TILE rows for first letters, then one for each
    // letter of the suffix.
    SG_DEVICE void step_back(const T *z, T *column, int stride)
    {
        T in[MOST][MOST] = {}; // [length][..], as handed to the suffix that is one longer
        SG_UNROLL(UNROLLED)
        for (int e = 0; e < MOST && e < degree; e++) in[0][e] = inverse<T>(e + 1);
        T last = in[0][0];
        SG_UNROLL(UNROLLED)
        for (int j = 1; j < MOST && j < degree; j++) {
            const T zj = z[letter[j]];
            chain[j] -= zj * in[j - 1][0];
            SG_UNROLL(UNROLLED)
            for (int e = 1; e < MOST && e <= degree - j; e++)
                in[j][e - 1] = (chain[j] + zj * in[j - 1][e]) * inverse<T>(e);
            last = in[j][0];
        }
        T in_bar[MOST] = {};
        SG_UNROLL(TILE)
        for (int k = 0; k < TILE; k++) {
            column[k * stride] = top_bar[k] * last;
            in_bar[0] += z[first_letter + k] * top_bar[k];
        }
        column += TILE * stride;
        SG_UNROLL(UNROLLED)
        for (int j = MOST - 1; j >= 1; j--)
            if (j < degree) {
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

    // This lane's part of z_bar at one letter: the columns of threads first .. first + count-1.
    static SG_DEVICE T sum(const sg_cuda_layout &q, int letter, int first, int count,
                           const T *column, int stride, int lane, int lanes)
    {
        const int64_t all = static_cast<int64_t>(q.tiles) * q.nodes;
        T sum = sum_runs(column + letter % TILE * stride, first, count, q.nodes, all,
                         static_cast<int64_t>(letter / TILE) * q.nodes, lane, lanes);
        int64_t run = 1;
        for (int j = 1; j < q.degree; j++) {
            sum += sum_runs(column + (TILE + j - 1) * stride, first, count, run, run * q.letters,
                            letter * run, lane, lanes);
            run *= q.letters;
        }
        return sum;
    }
};

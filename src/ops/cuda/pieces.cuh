// A chunk of time whose pieces the groups of one block have walked, each as if it were alone:
// Chen's identity puts them together in shared memory. Only levels below the top one go through it:
// with A_g the product of the pieces after piece g,
//     S[w] = sum over g of  C_g[w] + sum over w = x y of C_g[x] A_g[y],
// and a group has the tile of the top level in which it adds that up in registers. The cotangent of
// C_g is that of S contracted with the product of the pieces before it from the left, and with A_g
// from the right. Every sum has one writer and one order.
#pragma once
#include "ops/cuda/contract.cuh"
#include "ops/cuda/line_of_words.cuh"

// out[g] = the product of the pieces after g, or before it. What the lines are at the end is handed
// to done(line): the product of all.
template <class T, int N, int LETTERS, bool SUFFIXES, class Done>
SG_DEVICE void scan_pieces(const sg_cuda_layout &q, int thread, const T *own, T *out,
                           const Done &done)
{
    const int low = static_cast<int>(tensor_entries(q.letters, N - 1));
    const int words = static_cast<int>(level_words(q.letters, N - 1));
    for (int w = thread; w < words; w += block_threads()) {
        line_of_words<T, SUFFIXES, N - 1, true, LETTERS> line(q.letters, N - 1, w);
        for (int i = 0; i < q.pieces; i++) {
            const int at = (SUFFIXES ? q.pieces - 1 - i : i) * low;
            line.store(out + at);
            line.multiply(own + at);
        }
        done(line);
    }
}

// ---- forward ------------------------------------------------------------------------------------

// value += sum over w = x y of C[x] A[y], for the words of the top level that a thread has: for
// each length of y an outer product of what varies in x and in y.
template <class T, class Words> SG_DEVICE void add_product(Words &words, const T *C, const T *A)
{
    constexpr int N = Words::DEGREE, BELOW = N - Words::ABOVE;
    const letters_of<Words::LETTERS> base(words.low.letters);
    int power[N] = {1};
    SG_UNROLL(N)
    for (int i = 1; i < N; i++) power[i] = power[i - 1] * base.letters;
    const T *x = C + tensor_entries(base.letters, N - 2), *y = A; // their levels
    SG_UNROLL(N)
    for (int s = 1; s < N; s++) { // letters of y
        words.each_top([&](auto word, T &value) {
            if (s <= BELOW)
                value += x[word.without_last(0) * power[BELOW - s] + words.low.suffix / power[s]] *
                         y[words.low.suffix % power[s]];
            else
                value += x[word.without_last(s - BELOW)] *
                         y[word.last(s - BELOW) * power[BELOW] + words.low.suffix];
        });
        if (s + 1 < N) x -= power[N - s - 1];
        y += power[s];
    }
}

// Stores the product of all pieces. The area is of the bytes that layout.c counts.
template <class T, class Words>
SG_DEVICE void join_pieces(const sg_cuda_layout &q, Words &words, int group, bool owns, T *area,
                           T *tensor)
{
    constexpr int N = Words::DEGREE, LETTERS = Words::LETTERS;
    const int low = static_cast<int>(tensor_entries(q.letters, N - 1));
    const int top = static_cast<int>(level_words(q.letters, N));
    T *const own = area, *const after = area + q.pieces * low;
    __syncthreads(); // the last increments, which were there, have been read
    if (owns) words.store_low(own + group * low);
    __syncthreads();
    scan_pieces<T, N, LETTERS, true>(q, thread_index(), own, after,
                                     [=](const auto &line) { line.store(tensor); });
    __syncthreads();
    if (owns) add_product(words, own + group * low, after + group * low);
    __syncthreads(); // all products have been made
    if (owns) store_top(q, words, area + group * top);
    __syncthreads();
    for (int w = thread_index(); w < top; w += block_threads()) {
        T sum = area[w];
        for (int g = 1; g < q.pieces; g++) sum += area[g * top + w];
        tensor[low + w] = sum;
    }
}

// ---- backward -----------------------------------------------------------------------------------

// Sums for pieces side by side, which share what they read.
template <class T> struct few {
    static constexpr int COUNT = 4;
    T of[COUNT];

    few() = default;
    SG_DEVICE few(T value)
    {
        SG_UNROLL(COUNT)
        for (int i = 0; i < COUNT; i++) of[i] = value;
    }
    SG_DEVICE few &operator+=(const few &other)
    {
        SG_UNROLL(COUNT)
        for (int i = 0; i < COUNT; i++) of[i] += other.of[i];
        return *this;
    }
};

template <class T> SG_DEVICE few<T> from_lane(const few<T> &v, int away)
{
    few<T> out;
    SG_UNROLL(few<T>::COUNT)
    for (int i = 0; i < few<T>::COUNT; i++) out.of[i] = from_lane(v.of[i], away);
    return out;
}

// out[g][v] = sum over words x of by[g][x] from[g][x v], LEFT, or of from[g][v x] by[g][x], for v
// below the top level; `from` is that of the whole chunk, if LEFT, and always on the top level.
template <class T, int N, int LETTERS, bool LEFT>
SG_DEVICE void contract_pieces(const sg_cuda_layout &q, const T *from, const T *from_top,
                               const T *by, T *out)
{
    constexpr int COUNT = few<T>::COUNT;
    const letters_of<LETTERS> base(q.letters);
    const int low = static_cast<int>(tensor_entries(base.letters, N - 1));
    const int quads = (q.pieces + COUNT - 1) / COUNT, from_stride = LEFT ? 0 : low;
    int words = 1, offset = 0;
    for (int i = 1; i < N; i++) { // letters of v
        words *= base.letters;
        const auto piece = [=](int64_t item, int n) {
            const int g = static_cast<int>(item / words) * COUNT + n;
            return g < q.pieces ? g : q.pieces - 1;
        };
        const auto of = [=](int64_t item, int lane, int lanes) {
            const int v = static_cast<int>(item % words);
            int size = 1, all = words, at = offset, x_at = 0; // of x, of x v, and their levels
            few<T> sum;
            SG_UNROLL(COUNT)
            for (int n = 0; n < COUNT; n++)
                sum.of[n] = lane ? T(0) : from[piece(item, n) * from_stride + at + v];
            for (int m = i + 1; m <= N; m++) {
                at += all;
                all *= base.letters;
                size *= base.letters;
                for (int x = lane; x < size; x += lanes) {
                    const int xv = LEFT ? x * words + v : v * size + x;
                    SG_UNROLL(COUNT)
                    for (int n = 0; n < COUNT; n++)
                        sum.of[n] +=
                            by[piece(item, n) * low + x_at + x] *
                            (m == N ? from_top[xv] : from[piece(item, n) * from_stride + at + xv]);
                }
                x_at += size;
            }
            return sum;
        };
        each_word<few<T>>(int64_t(words) * quads, of, [=](int64_t item, const few<T> &sum) {
            for (int n = 0; n < COUNT; n++) {
                const int64_t g = item / words * COUNT + n;
                if (g < q.pieces) out[g * low + offset + item % words] = sum.of[n];
            }
        });
        offset += words;
    }
}

// From the cotangent of the whole chunk to those of the pieces, below the top level; where they
// stand in the area, [group][word], is returned.
template <class T, class Words>
SG_DEVICE const T *piece_cotangents(const sg_cuda_layout &q, const Words &words, int group,
                                    bool owns, const T *cotangent, T *area)
{
    constexpr int N = Words::DEGREE, LETTERS = Words::LETTERS;
    const int low = static_cast<int>(tensor_entries(q.letters, N - 1));
    const int half = (block_threads() / WARP + 1) / 2 * WARP, thread = thread_index();
    T *const own = area, *const before = own + q.pieces * low,
             *const after = before + q.pieces * low;
    const auto nothing = [](const auto &) {};
    if (owns) words.store_low(own + group * low);
    __syncthreads();
    scan_pieces<T, N, LETTERS, false>(q, thread, own, before, nothing);
    scan_pieces<T, N, LETTERS, true>(q, (thread + half) % block_threads(), own, after, nothing);
    __syncthreads();
    contract_pieces<T, N, LETTERS, true>(q, cotangent, cotangent + low, before, own);
    __syncthreads();
    contract_pieces<T, N, LETTERS, false>(q, own, cotangent + low, after, before);
    __syncthreads();
    return before;
}

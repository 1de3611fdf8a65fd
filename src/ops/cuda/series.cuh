// y = log(1 + x) or exp(x) - 1 of tensors without scalar term, by Horner's rule in the tensor
// algebra, Y_k = x / k + rest_k x Y_(k+1), and its transpose; see src/ops/cpu/series.h. A block of
// threads takes one item after another; the Y_k lie in memory of the block's own.
#pragma once
#include "ops/cuda/contract.cuh"

template <class T> SG_DEVICE T rest_of(const sg_cuda_series &s, int k)
{
    return s.exponential ? T(1) / T(k) : T(-1);
}

// Word w of level m, of length `words`, of x / k + rest x Y.
template <class T>
SG_DEVICE T horner_word(int letters, int m, int64_t words, int64_t w, T first, T rest, const T *x,
                        const T *Y)
{
    // Levels m-1, m-2, .. of x begin one after another before level m, those of Y at 1, 2, ..
    const int64_t below = tensor_entries(letters, m - 1);
    const T *left = x + below;
    T sum = 0;
    int64_t head = w, size = 1, head_words = words, right = 0;
    for (int i = m - 1; i >= 1; i--) {
        head /= letters;
        head_words /= letters;
        left -= head_words;
        size *= letters;
        sum += left[head] * Y[right + w % size];
        right += size;
    }
    return first * x[below + w] + rest * sum;
}

// Y_k at all its levels, 1 .. degree + 1 - k.
template <class T>
SG_DEVICE void horner_levels(const sg_cuda_series &s, int k, const T *x, const T *Y, T *out)
{
    const T first = T(1) / T(k), rest = rest_of<T>(s, k);
    int64_t words = 1;
    for (int m = 1; m <= s.degree + 1 - k; m++) {
        words *= s.letters;
        for (int64_t w = thread_index(); w < words; w += block_threads())
            out[w] = horner_word(s.letters, m, words, w, first, rest, x, Y);
        out += words;
    }
}

// y at the words of a list of places in a tensor.
template <class T>
SG_DEVICE void horner_places(const sg_cuda_series &s, const T *x, const T *Y, T *y)
{
    for (int64_t i = thread_index(); i < s.count; i += block_threads()) {
        int64_t w = s.place[i], words = s.letters;
        int m = 1;
        for (; w >= words; m++) {
            w -= words;
            words *= s.letters;
        }
        y[i] = horner_word(s.letters, m, words, w, T(1), rest_of<T>(s, 1), x, Y);
    }
}

// work: [blocks][2][entries of a tensor without its top level]
template <class T>
SG_KERNEL(256)
series_kernel(sg_cuda_series s, const T *x, int64_t x_stride, T *y, int64_t y_stride, int scalar,
              T *work)
{
    // Items take the two buffers in turn, so that what is written next has been read long ago.
    const int64_t low = tensor_entries(s.letters, s.degree - 1);
    T *Y = work + block_index() * 2 * low, *next = Y + low;
    for (int64_t item = block_index(); item < s.batch; item += grid_blocks()) {
        const T *const in = x + item * x_stride;
        T *out = y + item * y_stride;
        for (int k = s.degree; k >= 2; k--) {
            horner_levels(s, k, in, Y, next);
            T *const swap = Y;
            Y = next;
            next = swap;
            __syncthreads();
        }
        if (scalar) {
            if (thread_index() == 0) *out = T(s.exponential);
            out++;
        }
        if (s.place)
            horner_places(s, in, Y, out);
        else
            horner_levels(s, 1, in, Y, out);
    }
}

// ---- the transpose ------------------------------------------------------------------------------

// work: [blocks], each: the cotangent if it comes by places [all]; two cotangents of Y [low] each;
// Y_degree, .., Y_2
template <class T>
SG_KERNEL(256)
series_bar_kernel(sg_cuda_series s, const T *x, int64_t x_stride, const T *y_bar, int64_t y_stride,
                  T *x_bar, int64_t bar_stride, int scalar, T *work, int64_t work_stride)
{
    const int d = s.letters, n = s.degree;
    const int64_t low = tensor_entries(d, n - 1), all = tensor_entries(d, n);
    work += block_index() * work_stride;
    T *const dense = work, *const kept = work + (s.place ? all : 0) + 2 * low;
    for (int64_t item = block_index(); item < s.batch; item += grid_blocks()) {
        const T *const in = x + item * x_stride, *g = y_bar + item * y_stride;
        T *const out = x_bar + item * bar_stride + scalar;
        if (scalar && thread_index() == 0) out[-1] = T(0);
        if (s.place) {
            for (int64_t i = thread_index(); i < all; i += block_threads()) dense[i] = T(0);
            __syncthreads();
            for (int64_t i = thread_index(); i < s.count; i += block_threads())
                dense[s.place[i]] = g[i];
            g = dense;
        }
        T *Y = kept; // of the last k
        for (int k = n; k >= 2; k--) {
            T *const next = k == n ? kept : Y + tensor_entries(d, n - k);
            horner_levels(s, k, in, Y, next);
            Y = next;
            __syncthreads();
        }
        if (n == 1) __syncthreads();
        T *bar = kept - 2 * low, *next_bar = bar + low;
        for (int k = 1; k <= n; k++) { // here Y is Y_(k+1)
            const T rest = rest_of<T>(s, k);
            contract<false>(d, n + 1 - k, n + 1 - k, T(1) / T(k), rest, g, Y, k > 1, out);
            contract<true>(d, n + 1 - k, n - k, T(0), rest, g, in, false, next_bar);
            __syncthreads();
            g = next_bar;
            next_bar = bar;
            bar = const_cast<T *>(g);
            if (k + 2 <= n) Y -= tensor_entries(d, n - 1 - k);
        }
    }
}

template <class T> struct series {
    static int forward(const sg_cuda_series *s, sg_cuda_rows x, sg_cuda_rows y, void *work,
                       void *stream)
    {
        return launch(series_kernel<T>, s->blocks, s->threads, 0, stream, *s,
                      static_cast<const T *>(x.data) + x.scalar, x.stride, static_cast<T *>(y.data),
                      y.stride, y.scalar, static_cast<T *>(work));
    }

    static int backward(const sg_cuda_series *s, sg_cuda_rows x, sg_cuda_rows y_bar,
                        sg_cuda_rows x_bar, void *work, void *stream)
    {
        return launch(series_bar_kernel<T>, s->blocks, s->threads, 0, stream, *s,
                      static_cast<const T *>(x.data) + x.scalar, x.stride,
                      static_cast<const T *>(y_bar.data) + y_bar.scalar, y_bar.stride,
                      static_cast<T *>(x_bar.data), x_bar.stride, x_bar.scalar,
                      static_cast<T *>(work), s->work_stride);
    }
};

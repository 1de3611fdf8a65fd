// Chen products of the chunks that time was cut into: the whole signature; for the backward, what
// stands before and after each chunk, and the chunk's own cotangent.
#pragma once
#include "ops/cuda/contract.cuh"

// The values of one thread in a product that grows at one side: those at all suffixes of a word w
// of length `top` (the product grows at the left) or at all its prefixes (it grows at the right).
// They need no others, so no thread waits for another.
template <class T, bool SUFFIXES> struct line_of_words {
    static constexpr int MOST = SG_CUDA_MOST_DEGREE;
    int top;
    unsigned w, power[MOST + 1]; // of the number of letters
    T value[MOST + 1];           // by length

    SG_DEVICE line_of_words(int letters, int degree, int64_t word)
        : top(degree), w(static_cast<unsigned>(word))
    {
        power[0] = 1;
        value[0] = T(1);
        for (int l = 1; l <= top; l++) {
            power[l] = power[l - 1] * static_cast<unsigned>(letters);
            value[l] = T(0);
        }
    }

    // The suffix, or the prefix, of length l.
    SG_DEVICE unsigned word(int l) const
    {
        return SUFFIXES ? w % power[l] : w / power[top - l];
    }
    SG_DEVICE bool owns(int l) const
    {
        return SUFFIXES ? w < power[l] : w % power[top - l] == 0;
    }

    // One more factor, top level first, since it needs the others as they were.
    SG_DEVICE void multiply(const T *factor)
    {
        for (int l = top; l >= 1; l--) {
            const unsigned whole = word(l);
            const T *level = factor;
            T sum = value[l];
            for (int i = 1; i <= l; i++) {
                sum += level[SUFFIXES ? whole / power[l - i] : whole % power[i]] * value[l - i];
                level += power[i];
            }
            value[l] = sum;
        }
    }

    SG_DEVICE void store(T *tensor) const
    {
        for (int l = 1; l <= top; l++) {
            if (owns(l)) tensor[word(l)] = value[l];
            tensor += power[l];
        }
    }
};

SG_BOTH int64_t level_words(int letters, int level)
{
    return tensor_entries(letters, level) - tensor_entries(letters, level - 1);
}

// out = the product of all chunks [path][chunk][tensor].
template <class T>
SG_KERNEL(256)
join_kernel(int letters, int degree, int64_t chunks, int64_t batch, const T *chunk, T *out,
            int64_t stride, int scalar)
{
    const int64_t words = level_words(letters, degree), entries = tensor_entries(letters, degree);
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < batch * words;
         i += step) {
        const int64_t path = i / words;
        line_of_words<T, true> line(letters, degree, i % words);
        for (int64_t c = chunks - 1; c >= 0; c--)
            line.multiply(chunk + (path * chunks + c) * entries);
        T *const to = out + path * stride;
        if (scalar && line.w == 0) to[0] = T(1);
        line.store(to + scalar);
    }
}

// before, after = the products of what stands before and after each chunk, all of `degree`.
template <class T>
SG_KERNEL(256)
scan_kernel(int letters, int degree, int64_t chunks, int64_t batch, const T *chunk, T *before,
            T *after)
{
    const int64_t words = level_words(letters, degree), entries = tensor_entries(letters, degree);
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < 2 * batch * words;
         i += step) {
        const int64_t path = i / words / 2, w = i % words;
        if (i / words % 2) {
            line_of_words<T, true> line(letters, degree, w);
            for (int64_t c = chunks - 1; c >= 0; c--) {
                line.store(after + (path * chunks + c) * entries);
                line.multiply(chunk + (path * chunks + c) * entries);
            }
        } else {
            line_of_words<T, false> line(letters, degree, w);
            for (int64_t c = 0; c < chunks; c++) {
                line.store(before + (path * chunks + c) * entries);
                line.multiply(chunk + (path * chunks + c) * entries);
            }
        }
    }
}

// out[v] = sum of before[x] after[y] g[x v y], a chunk's cotangent; `half` holds it contracted from
// the left alone. A block a chunk.
template <class T>
SG_KERNEL(256)
chunk_bar_kernel(int letters, int degree, int64_t chunks, int64_t batch, const T *g, int64_t stride,
                 const T *before, const T *after, T *half, T *out)
{
    const int64_t low = tensor_entries(letters, degree - 1);
    const int64_t all = tensor_entries(letters, degree);
    for (int64_t i = block_index(); i < batch * chunks; i += grid_blocks()) {
        contract_left(letters, degree, degree, T(1), T(1), g + i / chunks * stride,
                      before + i * low, half + i * all);
        __syncthreads();
        contract_right(letters, degree, T(1), T(1), half + i * all, after + i * low, false,
                       out + i * all);
    }
}

template <class T> struct product {
    static int join(const sg_cuda_layout *q, int64_t batch, const void *chunk, sg_cuda_rows out,
                    void *stream)
    {
        return launch(join_kernel<T>, blocks_for(batch * level_words(q->letters, q->degree)), 256,
                      0, stream, q->letters, q->degree, q->chunks, batch,
                      static_cast<const T *>(chunk), static_cast<T *>(out.data), out.stride,
                      out.scalar);
    }

    static int scan(const sg_cuda_layout *q, int64_t batch, const void *chunk, void *before,
                    void *after, void *stream)
    {
        return launch(scan_kernel<T>, blocks_for(2 * batch * level_words(q->letters, q->degree)),
                      256, 0, stream, q->letters, q->degree, q->chunks, batch,
                      static_cast<const T *>(chunk), static_cast<T *>(before),
                      static_cast<T *>(after));
    }

    static int chunk_bar(const sg_cuda_layout *q, int64_t batch, sg_cuda_rows cotangent,
                         const void *before, const void *after, void *half, void *out, void *stream)
    {
        const int64_t pieces = batch * q->chunks;
        return launch(chunk_bar_kernel<T>, pieces < MOST_BLOCKS ? pieces : MOST_BLOCKS, 256, 0,
                      stream, q->letters, q->degree, q->chunks, batch,
                      static_cast<const T *>(cotangent.data) + cotangent.scalar, cotangent.stride,
                      static_cast<const T *>(before), static_cast<const T *>(after),
                      static_cast<T *>(half), static_cast<T *>(out));
    }
};

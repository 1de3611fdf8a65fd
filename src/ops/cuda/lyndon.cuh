// Sparse integer matrices of the Lyndon basis, applied to the rows of an array.
#pragma once
#include "ops/cuda/launch.cuh"

template <class T> SG_DEVICE T sparse_row(const sg_cuda_matrix &m, int64_t row, const T *x)
{
    T sum = 0;
    for (int64_t e = m.start[row]; e < m.start[row + 1]; e++)
        sum += static_cast<T>(m.entry[e].value) * x[m.entry[e].column];
    return sum;
}

// A thread an entry of y.
template <class T>
SG_KERNEL(256)
gather_kernel(sg_cuda_matrix m, int64_t batch, const T *x, int64_t x_stride, T *y, int64_t y_stride,
              int scalar)
{
    const int64_t step = grid_blocks() * block_threads(), all = batch * m.rows;
    for (int64_t i = block_index() * block_threads() + thread_index(); i < all; i += step) {
        const int64_t item = i / m.rows, row = i % m.rows;
        T *const to = y + item * y_stride;
        if (scalar && row == 0) to[0] = T(0);
        to[scalar + row] = sparse_row(m, row, x + item * x_stride);
    }
}

// A block an item, a wave of rows after the other.
template <class T> SG_KERNEL(256) solve_kernel(sg_cuda_solve s, int64_t batch, T *x, int64_t stride)
{
    for (int64_t item = block_index(); item < batch; item += grid_blocks()) {
        T *const here = x + item * stride;
        for (int64_t wave = 0; wave < s.waves; wave++) {
            const int64_t end = s.first[wave + 1];
            for (int64_t i = s.first[wave] + thread_index(); i < end; i += block_threads())
                here[s.row[i]] -= sparse_row(s.matrix, i, here);
            __syncthreads(); // the next wave reads what this one wrote
        }
    }
}

template <class T>
SG_KERNEL(256)
copy_kernel(int64_t batch, int64_t entries, const T *from, int64_t from_stride, T *to,
            int64_t to_stride)
{
    const int64_t step = grid_blocks() * block_threads(), all = batch * entries;
    for (int64_t i = block_index() * block_threads() + thread_index(); i < all; i += step)
        to[i / entries * to_stride + i % entries] = from[i / entries * from_stride + i % entries];
}

template <class T> struct lyndon {
    static int solve(const sg_cuda_solve *s, int64_t batch, sg_cuda_rows x, void *stream)
    {
        enum { THREADS = 64 };
        return launch(solve_kernel<T>, batch < MOST_BLOCKS ? batch : MOST_BLOCKS, THREADS, 0,
                      stream, *s, batch, static_cast<T *>(x.data), x.stride);
    }

    static int gather(const sg_cuda_matrix *m, int64_t batch, sg_cuda_rows x, sg_cuda_rows y,
                      void *stream)
    {
        return launch(gather_kernel<T>, blocks_for(batch * m->rows), 256, 0, stream, *m, batch,
                      static_cast<const T *>(x.data) + x.scalar, x.stride, static_cast<T *>(y.data),
                      y.stride, y.scalar);
    }

    static int copy(int64_t batch, int64_t entries, sg_cuda_rows from, sg_cuda_rows to,
                    void *stream)
    {
        return launch(copy_kernel<T>, blocks_for(batch * entries), 256, 0, stream, batch, entries,
                      static_cast<const T *>(from.data), from.stride, static_cast<T *>(to.data),
                      to.stride);
    }
};

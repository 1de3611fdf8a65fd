// Chen products of the chunks that time was cut into: the whole signature; for the backward, what
// stands before and after each chunk, and the chunk's own cotangent. Where the degree N is known
// when they are compiled, the factors' numbers are loaded side by side; N 0: any degree.
#pragma once
#include "ops/cuda/contract.cuh"
#include "ops/cuda/line_of_words.cuh"

// Chunks come in runs of `run`, of which the last may be shorter: what one thread goes through.
struct chunk_run {
    int64_t first, end; // among the chunks of all paths

    SG_DEVICE chunk_run(int64_t chunks, int64_t run, int64_t number)
    {
        const int64_t runs = (chunks + run - 1) / run, start = number % runs * run;
        first = number / runs * chunks + start;
        end = first + (chunks - start < run ? chunks - start : run);
    }
};

template <class T, bool SUFFIXES, int N>
using product_line = line_of_words<T, SUFFIXES, N ? N : SG_CUDA_MOST_DEGREE, N != 0, 0>;

// out [path][run][tensor] = the product of each run of chunks [path][chunk][tensor].
template <class T, int N>
SG_KERNEL(256)
join_kernel(int letters, int degree, int64_t chunks, int64_t run, int64_t all_runs, const T *chunk,
            T *out, int64_t stride, int scalar)
{
    const int64_t words = level_words(letters, degree), entries = tensor_entries(letters, degree);
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < all_runs * words;
         i += step) {
        const chunk_run here(chunks, run, i / words);
        product_line<T, true, N> line(letters, degree, i % words);
        for (int64_t c = here.end - 1; c >= here.first; c--) line.multiply(chunk + c * entries);
        T *const to = out + i / words * stride;
        if (scalar && i % words == 0) to[0] = T(1);
        line.store(to + scalar);
    }
}

// What one thread of a scan does: what stands before each chunk of a run, or, in the other
// direction, after it. `start` is what stands before or after the run; NULL: nothing.
template <class T, bool SUFFIXES, int N>
SG_DEVICE void scan_run(int letters, int degree, int64_t word, const chunk_run &here,
                        const T *chunk, const T *start, T *out)
{
    const int64_t entries = tensor_entries(letters, degree);
    product_line<T, SUFFIXES, N> line(letters, degree, word);
    if (start) line.load(start);
    for (int64_t i = 0; i < here.end - here.first; i++) {
        const int64_t c = SUFFIXES ? here.end - 1 - i : here.first + i;
        line.store(out + c * entries);
        line.multiply(chunk + c * entries);
    }
}

// before, after = the products of what stands before and after each chunk, all of `degree`;
// before_run, after_run: the same of the runs, or NULL if a path is one run.
template <class T, int N>
SG_KERNEL(256)
scan_kernel(int letters, int degree, int64_t chunks, int64_t run, int64_t all_runs, const T *chunk,
            const T *before_run, const T *after_run, T *before, T *after)
{
    const int64_t words = level_words(letters, degree), entries = tensor_entries(letters, degree);
    const int64_t step = grid_blocks() * block_threads();
    for (int64_t i = block_index() * block_threads() + thread_index(); i < 2 * all_runs * words;
         i += step) {
        const int64_t number = i / words / 2, w = i % words;
        const chunk_run here(chunks, run, number);
        if (i / words % 2)
            scan_run<T, true, N>(letters, degree, w, here, chunk,
                                 after_run ? after_run + number * entries : NULL, after);
        else
            scan_run<T, false, N>(letters, degree, w, here, chunk,
                                  before_run ? before_run + number * entries : NULL, before);
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
        contract<true>(letters, degree, degree, T(1), T(1), g + i / chunks * stride,
                       before + i * low, false, half + i * all);
        __syncthreads();
        contract<false>(letters, degree, degree, T(1), T(1), half + i * all, after + i * low, false,
                        out + i * all);
    }
}

// run(exactly this degree, or 0).
template <class Run> static int choose_degree(int degree, const Run &run)
{
    switch (degree) {
#ifndef SIGAD_FEW_TILES
    case 2:
        return run(degree_of<2, true>(2));
    case 5:
        return run(degree_of<5, true>(5));
    case 6:
        return run(degree_of<6, true>(6));
#endif
    case 3:
        return run(degree_of<3, true>(3));
    case 4:
        return run(degree_of<4, true>(4));
    default:
        return run(degree_of<0, true>(0));
    }
}

template <class T> struct product {
    static int64_t runs_of(const sg_cuda_runs *r)
    {
        return r->batch * ((r->chunks + r->run - 1) / r->run);
    }

    static int join(const sg_cuda_runs *r, const void *chunk, sg_cuda_rows out, void *stream)
    {
        const int64_t runs = runs_of(r);
        return choose_degree(r->degree, [&](auto n) {
            return launch(join_kernel<T, decltype(n)::degree>,
                          blocks_for(runs * level_words(r->letters, r->degree)), 256, 0, stream,
                          r->letters, r->degree, r->chunks, r->run, runs,
                          static_cast<const T *>(chunk), static_cast<T *>(out.data), out.stride,
                          out.scalar);
        });
    }

    static int scan(const sg_cuda_runs *r, const void *chunk, const void *before_run,
                    const void *after_run, void *before, void *after, void *stream)
    {
        const int64_t runs = runs_of(r);
        return choose_degree(r->degree, [&](auto n) {
            return launch(scan_kernel<T, decltype(n)::degree>,
                          blocks_for(2 * runs * level_words(r->letters, r->degree)), 256, 0, stream,
                          r->letters, r->degree, r->chunks, r->run, runs,
                          static_cast<const T *>(chunk), static_cast<const T *>(before_run),
                          static_cast<const T *>(after_run), static_cast<T *>(before),
                          static_cast<T *>(after));
        });
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

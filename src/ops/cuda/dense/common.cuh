// What the kernels of dense operations have in common: how they are queued, and how the entries of
// arrays are dealt to threads.
#pragma once
#include "ops/cuda/dense/functions.cuh"
#include "ops/cuda/launch.cuh"

constexpr int BLOCK = 256; // threads, at most
// Blocks of a grid, at most. Beyond that, threads take several entries and blocks several tasks, as
// they soon do under emulation, where a thread costs more than its entries.
#ifdef __CUDACC__
constexpr int64_t GRID = MOST_BLOCKS;
#else
constexpr int64_t GRID = 6;
#endif
inline int64_t grid_of(int64_t tasks)
{
    return tasks < GRID ? tasks : GRID;
}

// The first launch that fails is noted in the place.
template <class... Parameters>
static void queue(sg_place *place, void (*kernel)(Parameters...), int64_t blocks, int threads,
                  size_t shared, typename exactly<Parameters>::type... arguments)
{
    const int error = launch(kernel, blocks, threads, shared, place->stream, arguments...);
    if (error && !place->error) place->error = error;
}

inline int whole_warps(int64_t threads)
{
    return static_cast<int>((threads + WARP - 1) / WARP * WARP);
}

// A thread for each of n entries, or for several of them; none for none.
template <class... Parameters>
static void queue_entries(sg_place *place, void (*kernel)(Parameters...), int64_t n,
                          typename exactly<Parameters>::type... arguments)
{
    if (n > 0)
        queue(place, kernel, grid_of((n + BLOCK - 1) / BLOCK), n < BLOCK ? whole_warps(n) : BLOCK,
              0, arguments...);
}

// The entries of this thread.
#define SG_MINE(i, n)                                                  \
    for (int64_t i = block_index() * block_threads() + thread_index(), \
                 sg_step = grid_blocks() * block_threads();            \
         i < (n); i += sg_step)

#define SG_BY_REAL(dtype, f, ...) \
    ((dtype) == SIGAD_F64 ? f<double>(__VA_ARGS__) : f<float>(__VA_ARGS__))

template <class T> const T *in(const void *array)
{
    return static_cast<const T *>(array);
}
template <class T> T *out(void *array)
{
    return static_cast<T *>(array);
}

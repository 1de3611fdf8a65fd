// Reductions: some threads of a block ("lanes") share each result, and the block takes several
// results side by side. Their parts are put together in a fixed order that depends on the shape
// alone.
#pragma once
#include "ops/cuda/dense/common.cuh"

struct tiling {
    int lanes, across;  // powers of two; lanes * across threads
    bool results_first; // adjacent threads belong to adjacent results, not to adjacent lanes
    int64_t results;
};

// Of reductions of `length` entries. `adjacent`: entries of neighbouring results are neighbours in
// memory, otherwise those of one result are.
inline tiling tiling_of(int64_t results, int64_t length, bool adjacent)
{
    enum { EACH = 8 }; // entries that are worth a thread
    tiling t = {1, 1, adjacent, results};
    int64_t wanted = adjacent ? WARP : 1;
    while (t.across < wanted && t.across < results) t.across *= 2;
    while (t.lanes * EACH < length && t.lanes * t.across < BLOCK) t.lanes *= 2;
    while (t.across < results && t.lanes * t.across < BLOCK) t.across *= 2;
    while (t.lanes * t.across < WARP) t.across *= 2;
    return t;
}

template <class... Parameters>
static void queue_tiles(sg_place *place, void (*kernel)(Parameters...), const tiling &t,
                        int64_t chunks, size_t shared_each,
                        typename exactly<Parameters>::type... arguments)
{
    const int64_t tasks = (t.results + t.across - 1) / t.across * chunks;
    const int threads = t.lanes * t.across;
    if (tasks > 0)
        queue(place, kernel, grid_of(tasks), threads, shared_each * static_cast<size_t>(threads),
              arguments...);
}

// A thread's place in its block.
struct tile_place {
    int lanes, across, lane, column;

    SG_DEVICE explicit tile_place(const tiling &t) : lanes(t.lanes), across(t.across)
    {
        const int me = thread_index();
        lane = t.results_first ? me / across : me % lanes;
        column = t.results_first ? me % across : me / lanes;
    }
    SG_DEVICE int slot() const
    {
        return lane * across + column;
    }
};

// What all lanes of a result make of their parts; each gets it. All threads of the block call it.
template <class V, class Join> SG_DEVICE V joined(const tile_place &p, V *buffer, V part, Join join)
{
    if (p.lanes == 1) return part;
    buffer[p.slot()] = part;
    for (int half = p.lanes / 2; half > 0; half /= 2) {
        __syncthreads();
        if (p.lane < half)
            buffer[p.slot()] = join(buffer[p.slot()], buffer[p.slot() + half * p.across]);
    }
    __syncthreads();
    const V whole = buffer[p.column];
    __syncthreads(); // the buffer is free again
    return whole;
}

template <class V> struct sum_of_two {
    SG_DEVICE V operator()(V a, V b) const
    {
        return a + b;
    }
};
template <class V> struct larger_of_two {
    SG_DEVICE V operator()(V a, V b) const
    {
        return b > a ? b : a;
    }
};

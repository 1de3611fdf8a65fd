// Rows of n entries that lie `inner` apart: those of the middle axis of [outer, n, inner].
#pragma once
#include "ops/cuda/dense/tiling.cuh"

struct rows {
    tiling tile;
    int64_t n, inner;
};

inline rows rows_of(sg_split s)
{
    return {tiling_of(s.outer * s.inner, s.n, s.inner > 1), s.n, s.inner};
}

// The blocks of a grid take `across` rows each, one time after the other; a thread looks at entries
// from `lane` on in steps of `lanes`, which are none where there is no row for it.
struct row_place : tile_place {
    int64_t row, start, n, inner;
    bool exists;

    SG_DEVICE explicit row_place(const rows &r) : tile_place(r.tile), n(r.n), inner(r.inner)
    {
    }
    SG_DEVICE void move_to(const rows &r, int64_t task)
    {
        row = task * across + column;
        exists = row < r.tile.results;
        start = row / inner * inner * r.n + row % inner;
        n = exists ? r.n : 0;
    }
};

#define SG_EACH_ROW(p, r)                                                    \
    for (int64_t task = block_index(); task * (p).across < (r).tile.results; \
         task += grid_blocks())                                              \
        if ((p).move_to(r, task), true)

// Entry k of the row stands at `i`.
#define SG_ROW_ENTRIES(p, i)                                             \
    for (int64_t k = (p).lane, i = (p).start + k * (p).inner; k < (p).n; \
         k += (p).lanes, i += (p).lanes * (p).inner)

// The sum of `term`, an expression of i, in double.
#define SG_ROW_SUM(p, buffer, result, term)                       \
    do {                                                          \
        double part = 0;                                          \
        SG_ROW_ENTRIES(p, i) part += static_cast<double>(term);   \
        (result) = joined(p, buffer, part, sum_of_two<double>()); \
    } while (0)

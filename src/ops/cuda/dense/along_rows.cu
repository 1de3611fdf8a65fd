// Running sums (ops/cpu/cumsum.h), and where the extreme entry of a row is (ops/cpu/extreme.h).
#include "ops/cuda/dense/rows.cuh"

// ---- running sums -------------------------------------------------------------------------------

// A lane takes a stretch of its row: its sum first, and then, from the sum of those before it on,
// the entries.
template <class T>
SG_KERNEL(BLOCK)
cumsum_kernel(rows r, bool backwards, const T *x, T *y, bool add)
{
    SG_SHARED(T, stretch_sum);
    row_place p(r);
    const int64_t stretch = (r.n + p.lanes - 1) / p.lanes;
    SG_EACH_ROW(p, r)
    {
        const int64_t first = p.lane * stretch;
        const int64_t end = first + stretch < p.n ? first + stretch : p.n;
        T total = T(0);
        for (int64_t k = first; k < end; k++)
            total += x[p.start + (backwards ? r.n - 1 - k : k) * p.inner];
        stretch_sum[p.slot()] = total;
        __syncthreads();
        total = T(0);
        for (int lane = 0; lane < p.lane; lane++) total += stretch_sum[lane * p.across + p.column];
        __syncthreads(); // before the next row's sums
        for (int64_t k = first; k < end; k++) {
            const int64_t i = p.start + (backwards ? r.n - 1 - k : k) * p.inner;
            total += x[i];
            y[i] = (add ? y[i] : T(0)) + total;
        }
    }
}

template <class T>
static void queue_cumsum(sg_place *place, sg_split split, bool backwards, const void *x, void *y,
                         bool add)
{
    const rows r = rows_of(split);
    queue_tiles(place, cumsum_kernel<T>, r.tile, 1, sizeof(T), r, backwards, in<T>(x), out<T>(y),
                add);
}

void sg_cuda_cumsum(sg_place *place, int32_t dtype, sg_split split, bool backwards, const void *x,
                    void *y, bool add, void *)
{
    SG_BY_REAL(dtype, queue_cumsum, place, split, backwards, x, y, add);
}

// ---- extreme entries ----------------------------------------------------------------------------

template <class T> struct candidate {
    T value;
    int64_t at; // -1: none
};

// The first NaN, or the largest (smallest) entry, or the first of equal ones.
template <class T> struct better_of_two {
    bool largest;
    SG_DEVICE candidate<T> operator()(candidate<T> a, candidate<T> b) const
    {
        if (a.at < 0 || b.at < 0) return a.at < 0 ? b : a;
        const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
        const bool ahead = largest ? a.value > b.value : a.value < b.value;
        const bool behind = largest ? b.value > a.value : b.value < a.value;
        if (a_nan != b_nan) return a_nan ? a : b;
        if (ahead || behind) return ahead ? a : b;
        return a.at < b.at ? a : b;
    }
};

template <class T> SG_KERNEL(BLOCK) extreme_kernel(rows r, bool largest, const T *x, int64_t *index)
{
    SG_SHARED(candidate<T>, buffer);
    const better_of_two<T> better = {largest};
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        candidate<T> best = {T(0), -1};
        SG_ROW_ENTRIES(p, i) best = better(best, candidate<T>{x[i], k});
        best = joined(p, buffer, best, better);
        if (p.exists && !p.lane) index[p.row] = best.at;
    }
}

template <class T>
static void queue_extreme(sg_place *place, sg_split split, bool largest, const void *x,
                          int64_t *index)
{
    const rows r = rows_of(split);
    queue_tiles(place, extreme_kernel<T>, r.tile, 1, sizeof(candidate<T>), r, largest, in<T>(x),
                index);
}

void sg_cuda_extreme(sg_place *place, int32_t dtype, sg_split split, bool largest, const void *x,
                     int64_t *index)
{
    SG_BY_REAL(dtype, queue_extreme, place, split, largest, x, index);
}

// Entries by index. An index that is out of bounds has been noted (check_index): what reads by it
// takes index 0, what adds by it leaves it out.
#include "ops/cuda/dense/finding.cuh"
#include "ops/cuda/dense/mean_share.cuh"

struct bad_index {
    const int64_t *index;
    int64_t size;
    SG_DEVICE bool operator()(int64_t i) const
    {
        return index[i] < 0 || index[i] >= size;
    }
    SG_DEVICE void describe(int64_t i, sg_finding *finding) const
    {
        finding->kind = SG_FOUND_INDEX;
        finding->index = index[i];
        finding->size = size;
    }
};

int64_t sg_cuda_check_index(sg_place *place, sg_origin origin, int64_t count, int64_t size,
                            const int64_t *index)
{
    look_for(place, origin, count, bad_index{index, size});
    return -1;
}

SG_DEVICE bool is_inside(int64_t index, int64_t size)
{
    return index >= 0 && index < size;
}

// ---- gather -------------------------------------------------------------------------------------

template <class T>
SG_KERNEL(BLOCK)
take_kernel(sg_gather_shape s, bool add, const int64_t *index, const T *x, T *y)
{
    SG_MINE(i, s.outer * s.count * s.inner)
    {
        const int64_t row = i / s.inner, k = index[row % s.count];
        if (s.size == 0) continue; // then every index is bad, and there is nothing to take
        const int64_t from = is_inside(k, s.size) ? k : 0;
        const T term = x[(row / s.count * s.size + from) * s.inner + i % s.inner];
        y[i] = add ? y[i] + term : term;
    }
}

template <class T>
static void queue_gather(sg_place *place, sg_gather_shape s, bool add, const int64_t *index,
                         const void *x, void *y)
{
    queue_entries(place, take_kernel<T>, s.outer * s.count * s.inner, s, add, index, in<T>(x),
                  out<T>(y));
}

/* Integers move as doubles do. */
void sg_cuda_gather(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                    const void *x, void *y)
{
    if (dtype == SIGAD_F32)
        queue_gather<float>(place, shape, false, index, x, y);
    else
        queue_gather<double>(place, shape, false, index, x, y);
}

void sg_cuda_gather_add(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                        const void *x, void *y)
{
    SG_BY_REAL(dtype, queue_gather, place, shape, true, index, x, y);
}

// ---- one-hot rows, labels -----------------------------------------------------------------------

template <class T>
SG_KERNEL(BLOCK)
one_hot_kernel(int64_t n, int64_t size, const int64_t *index, T *y)
{
    SG_MINE(i, n) y[i] = i % size == index[i / size] ? T(1) : T(0);
}

template <class T>
static void queue_one_hot(sg_place *place, int64_t count, int64_t size, const int64_t *index,
                          void *y)
{
    queue_entries(place, one_hot_kernel<T>, count * size, count * size, size, index, out<T>(y));
}

void sg_cuda_one_hot(sg_place *place, int64_t count, int64_t size, const int64_t *index,
                     int32_t dtype, void *y)
{
    SG_BY_REAL(dtype, queue_one_hot, place, count, size, index, y);
}

template <class T>
SG_KERNEL(BLOCK)
nll_terms_kernel(int64_t rows, int64_t classes, const T *x, const int64_t *labels, T *terms)
{
    SG_MINE(r, rows)
    {
        const int64_t label = is_inside(labels[r], classes) ? labels[r] : 0;
        terms[r] = -x[r * classes + label];
    }
}

template <class T>
SG_KERNEL(BLOCK)
nll_vjp_kernel(int64_t rows, int64_t classes, const int64_t *labels, sg_mean_share share, T *to)
{
    const T part = mean_share<T>(share);
    SG_MINE(r, rows)
    {
        if (is_inside(labels[r], classes)) to[r * classes + labels[r]] -= part;
    }
}

template <class T>
static void queue_nll_terms(sg_place *place, int64_t rows, int64_t classes, const void *x,
                            const int64_t *labels, void *terms)
{
    if (classes > 0)
        queue_entries(place, nll_terms_kernel<T>, rows, rows, classes, in<T>(x), labels,
                      out<T>(terms));
}

template <class T>
static void queue_nll_vjp(sg_place *place, int64_t rows, int64_t classes, const int64_t *labels,
                          sg_mean_share share, void *to)
{
    queue_entries(place, nll_vjp_kernel<T>, rows, rows, classes, labels, share, out<T>(to));
}

void sg_cuda_nll_terms(sg_place *place, int32_t dtype, int64_t rows, int64_t classes, const void *x,
                       const int64_t *labels, void *terms)
{
    SG_BY_REAL(dtype, queue_nll_terms, place, rows, classes, x, labels, terms);
}

void sg_cuda_nll_vjp(sg_place *place, int32_t dtype, int64_t rows, int64_t classes,
                     const int64_t *labels, sg_mean_share share, void *to)
{
    SG_BY_REAL(dtype, queue_nll_vjp, place, rows, classes, labels, share, to);
}

// ---- where the extreme entries are --------------------------------------------------------------

template <class T>
SG_KERNEL(BLOCK)
pick_kernel(sg_split s, bool add, const int64_t *index, const T *x, T *y)
{
    SG_MINE(i, s.outer * s.inner)
    {
        const T term = x[(i / s.inner * s.n + index[i]) * s.inner + i % s.inner];
        y[i] = add ? y[i] + term : term;
    }
}

template <class T> SG_KERNEL(BLOCK) put_kernel(sg_split s, const int64_t *index, const T *y, T *x)
{
    SG_MINE(i, s.outer * s.inner) x[(i / s.inner * s.n + index[i]) * s.inner + i % s.inner] += y[i];
}

template <class T>
static void queue_pick(sg_place *place, sg_split s, const int64_t *index, const void *x, void *y,
                       bool add)
{
    queue_entries(place, pick_kernel<T>, s.outer * s.inner, s, add, index, in<T>(x), out<T>(y));
}

template <class T>
static void queue_put(sg_place *place, sg_split s, const int64_t *index, const void *y, void *x)
{
    queue_entries(place, put_kernel<T>, s.outer * s.inner, s, index, in<T>(y), out<T>(x));
}

void sg_cuda_pick(sg_place *place, int32_t dtype, sg_split split, const int64_t *index,
                  const void *x, void *y, bool add)
{
    SG_BY_REAL(dtype, queue_pick, place, split, index, x, y, add);
}

void sg_cuda_put(sg_place *place, int32_t dtype, sg_split split, const int64_t *index,
                 const void *y, void *x)
{
    SG_BY_REAL(dtype, queue_put, place, split, index, y, x);
}

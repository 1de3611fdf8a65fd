// The terms of reductions along an axis (ops/cpu/along.h) and of losses (ops/loss.h).
#include "ops/cuda/dense/mean_share.cuh"
#include "ops/cuda/dense/real.cuh"

// ---- along an axis ------------------------------------------------------------------------------

template <class T> struct along_job {
    int64_t n, inner, entries; // of arrays [outer, n, inner]
    const T *x, *t, *r, *l, *g, *d;
    T s;
    T *out;
};

template <int KIND, class T> struct along_entry;
#define xi j.x[i]
#define ti j.t[i]
#define ri j.r[at]
#define li j.l[at]
#define gi j.g[at]
#define di j.d[at]
#define s  j.s
#define ROW(name, assignment, expression)                                       \
    template <class T> struct along_entry<SG_ALONG_##name, T> {                 \
        static SG_DEVICE void run(const along_job<T> &j, int64_t i, int64_t at) \
        {                                                                       \
            (void)at;                                                           \
            j.out[i] assignment(expression);                                    \
        }                                                                       \
    };
SG_ALONG(ROW)
#undef ROW
#undef xi
#undef ti
#undef ri
#undef li
#undef gi
#undef di
#undef s

template <int KIND, class T> SG_KERNEL(BLOCK) along_kernel(along_job<T> j)
{
    SG_MINE(i, j.entries)
    {
        along_entry<KIND, T>::run(j, i, i / (j.n * j.inner) * j.inner + i % j.inner);
    }
}

template <class T>
static void queue_along(sg_place *place, int kind, sg_split split, const sg_along_arrays *arrays)
{
    static void (*const kernels[])(along_job<T>) = {
#define ROW(name, assignment, expression) along_kernel<SG_ALONG_##name, T>,
        SG_ALONG(ROW)
#undef ROW
    };
    const along_job<T> j = {split.n,
                            split.inner,
                            split.outer * split.n * split.inner,
                            in<T>(arrays->x),
                            in<T>(arrays->t),
                            in<T>(arrays->r),
                            in<T>(arrays->l),
                            in<T>(arrays->g),
                            in<T>(arrays->d),
                            static_cast<T>(arrays->s),
                            out<T>(arrays->out)};
    queue_entries(place, kernels[kind], j.entries, j);
}

void sg_cuda_along(sg_place *place, int kind, int32_t dtype, sg_split split,
                   const sg_along_arrays *arrays)
{
    SG_BY_REAL(dtype, queue_along, place, kind, split, arrays);
}

// ---- what ends them -----------------------------------------------------------------------------

enum ending { ROOT, FINITE, LOG_PLUS };

template <class T> SG_KERNEL(BLOCK) ending_kernel(ending which, int64_t n, T *l, const T *r, T *y)
{
    SG_MINE(i, n)
    {
        if (which == ROOT) {
            y[i] = real_sqrt(y[i]);
        } else if (which == FINITE) {
            if (!real_is_finite(y[i])) y[i] = T(0);
        } else {
            l[i] = real_log(l[i]);
            y[i] = l[i] + r[i];
        }
    }
}

template <class T>
static void queue_ending(sg_place *place, ending which, int64_t n, void *l, const void *r, void *y)
{
    queue_entries(place, ending_kernel<T>, n, which, n, out<T>(l), in<T>(r), out<T>(y));
}

void sg_cuda_root(sg_place *place, int64_t n, int32_t dtype, void *y)
{
    SG_BY_REAL(dtype, queue_ending, place, ROOT, n, nullptr, nullptr, y);
}

void sg_cuda_finite(sg_place *place, int64_t n, int32_t dtype, void *y)
{
    SG_BY_REAL(dtype, queue_ending, place, FINITE, n, nullptr, nullptr, y);
}

void sg_cuda_log_plus(sg_place *place, int64_t n, int32_t dtype, void *l, const void *r, void *y)
{
    SG_BY_REAL(dtype, queue_ending, place, LOG_PLUS, n, l, r, y);
}

// ---- losses -------------------------------------------------------------------------------------

template <class T> struct loss_job {
    int order; // sg_loss_order
    int64_t n;
    const T *p, *t, *u;
    sg_mean_share share;
    T a;
    T *out;
    bool fresh;
};

template <int LOSS, class T> struct loss_entry;
#define ROW(name, value, dp, dt, dpp, dpt, dtt)               \
    template <class T> struct loss_entry<SG_LOSS_##name, T> { \
        static SG_DEVICE T of(int order, T p, T t, T a)       \
        {                                                     \
            (void)t, (void)a;                                 \
            switch (order) {                                  \
            case SG_LOSS_VALUE:                               \
                return value;                                 \
            case SG_LOSS_P:                                   \
                return dp;                                    \
            case SG_LOSS_T:                                   \
                return dt;                                    \
            case SG_LOSS_PP:                                  \
                return dpp;                                   \
            case SG_LOSS_PT:                                  \
                return dpt;                                   \
            default:                                          \
                return dtt;                                   \
            }                                                 \
        }                                                     \
    };
SG_LOSSES(ROW)
#undef ROW

template <int LOSS, class T> SG_KERNEL(BLOCK) loss_kernel(loss_job<T> j)
{
    const T share = mean_share<T>(j.share);
    SG_MINE(i, j.n)
    {
        T term = loss_entry<LOSS, T>::of(j.order, j.p[i], j.t[i], j.a);
        if (j.order != SG_LOSS_VALUE) {
            term *= share;
            if (j.u) term *= j.u[i];
            if (!j.fresh) term += j.out[i];
        }
        j.out[i] = term;
    }
}

template <class T>
static void queue_loss(sg_place *place, sg_loss loss, sg_loss_order order, int64_t n,
                       const sg_loss_arrays *arrays)
{
    static void (*const kernels[])(loss_job<T>) = {
#define ROW(name, ...) loss_kernel<SG_LOSS_##name, T>,
        SG_LOSSES(ROW)
#undef ROW
    };
    const loss_job<T> j = {order,
                           n,
                           in<T>(arrays->p),
                           in<T>(arrays->t),
                           in<T>(arrays->u),
                           arrays->share,
                           static_cast<T>(arrays->a),
                           out<T>(arrays->out),
                           arrays->fresh};
    queue_entries(place, kernels[loss], n, j);
}

void sg_cuda_loss(sg_place *place, sg_loss loss, sg_loss_order order, int32_t dtype, int64_t n,
                  const sg_loss_arrays *arrays)
{
    SG_BY_REAL(dtype, queue_loss, place, loss, order, n, arrays);
}

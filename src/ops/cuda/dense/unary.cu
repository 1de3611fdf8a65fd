// The operations of ops/unary.h: a kernel for each, with its derivatives.
#include "ops/cuda/dense/common.cuh"
#include "ops/cuda/dense/real.cuh"
#include "ops/unary.h"

template <class T> struct unary_job {
    int order; // sg_unary_order
    int64_t n;
    T a, b;
    const T *x, *y, *p, *q;
    T *out;
    bool fresh;
};

template <int KIND, class T> struct unary_entry;
#define ROW(name, bend, value_, first_, second_)                      \
    template <class T> struct unary_entry<SG_UNARY_##name, T> {       \
        static SG_DEVICE T value(T x, T a, T b)                       \
        {                                                             \
            (void)a, (void)b;                                         \
            return value_;                                            \
        }                                                             \
        static SG_DEVICE T derivative(bool first, T x, T y, T a, T b) \
        {                                                             \
            (void)x, (void)y, (void)a, (void)b;                       \
            return first ? (first_) : (second_);                      \
        }                                                             \
    };
SG_UNARY(ROW)
#undef ROW

template <int KIND, class T> SG_KERNEL(BLOCK) unary_kernel(unary_job<T> j)
{
    SG_MINE(i, j.n)
    {
        if (j.order == SG_UNARY_VALUE) {
            j.out[i] = unary_entry<KIND, T>::value(j.x[i], j.a, j.b);
            continue;
        }
        const bool first = j.order == SG_UNARY_FIRST;
        T term = unary_entry<KIND, T>::derivative(first, j.x[i], j.y[i], j.a, j.b) * j.p[i];
        if (!first) term *= j.q[i];
        j.out[i] = j.fresh ? term : j.out[i] + term;
    }
}

template <class T>
static void queue_unary(sg_place *place, int kind, sg_unary_order order, int64_t n, double a,
                        double b, const sg_unary_arrays *arrays)
{
    static void (*const kernels[])(unary_job<T>) = {
#define ROW(name, bend, value, first, second) unary_kernel<SG_UNARY_##name, T>,
        SG_UNARY(ROW)
#undef ROW
    };
    const unary_job<T> j = {order,
                            n,
                            static_cast<T>(a),
                            static_cast<T>(b),
                            in<T>(arrays->x),
                            in<T>(arrays->y),
                            in<T>(arrays->p),
                            in<T>(arrays->q),
                            out<T>(arrays->out),
                            arrays->fresh};
    queue_entries(place, kernels[kind], n, j);
}

void sg_cuda_unary(sg_place *place, int kind, sg_unary_order order, int32_t dtype, int64_t n,
                   double a, double b, const sg_unary_arrays *arrays)
{
    SG_BY_REAL(dtype, queue_unary, place, kind, order, n, a, b, arrays);
}

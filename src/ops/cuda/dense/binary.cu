// The operations of two operands: those of ops/binary.h, comparisons, and the choice between two.
#include "ops/binary.h"
#include "ops/cuda/dense/box.cuh"
#include "ops/cuda/dense/real.cuh"

template <int KIND, class T> struct binary_entry;
#define ROW(name, bend, value_, da_, db_, dab_, dbb_)             \
    template <class T> struct binary_entry<SG_BINARY_##name, T> { \
        static SG_DEVICE T value(T a, T b)                        \
        {                                                         \
            return value_;                                        \
        }                                                         \
        static SG_DEVICE T derivative(int order, T a, T b, T y)   \
        {                                                         \
            (void)a, (void)b, (void)y;                            \
            return order == SG_BINARY_DA    ? (da_)               \
                   : order == SG_BINARY_DB  ? (db_)               \
                   : order == SG_BINARY_DAB ? (dab_)              \
                                            : (dbb_);             \
        }                                                         \
    };
SG_BINARY(ROW)
#undef ROW

// Operands of the box: a, b, p.
template <class T> struct binary_job {
    int order; // sg_binary_order
    const T *a, *b, *p, *y, *g;
    T *out;
    bool fresh;
};

template <int KIND, class T> SG_KERNEL(BLOCK) binary_kernel(box shape, binary_job<T> j)
{
    SG_MINE(i, shape.entries)
    {
        int64_t at[3];
        offsets_at(shape, i, at);
        const T a = j.a[at[0]], b = j.b[at[1]];
        if (j.order == SG_BINARY_VALUE) {
            j.out[i] = binary_entry<KIND, T>::value(a, b);
            continue;
        }
        T term = binary_entry<KIND, T>::derivative(j.order, a, b, j.y[i]) * j.p[at[2]];
        if (j.g) term *= j.g[i];
        j.out[i] = j.fresh ? term : j.out[i] + term;
    }
}

template <class T>
static void queue_binary(sg_place *place, int kind, sg_binary_order order,
                         const sg_binary_arrays *arrays)
{
    static void (*const kernels[])(box, binary_job<T>) = {
#define ROW(name, bend, value, da, db, dab, dbb) binary_kernel<SG_BINARY_##name, T>,
        SG_BINARY(ROW)
#undef ROW
    };
    const sigad_array *operands[] = {arrays->a, arrays->b, arrays->p};
    const box shape = box_of(arrays->y, arrays->p ? 3 : 2, operands);
    const binary_job<T> j = {order,
                             in<T>(arrays->a->data),
                             in<T>(arrays->b->data),
                             arrays->p ? in<T>(arrays->p->data) : nullptr,
                             in<T>(arrays->y->data),
                             in<T>(arrays->g),
                             out<T>(arrays->out),
                             arrays->fresh};
    queue_entries(place, kernels[kind], shape.entries, shape, j);
}

void sg_cuda_binary(sg_place *place, int kind, sg_binary_order order,
                    const sg_binary_arrays *arrays)
{
    SG_BY_REAL(arrays->a->dtype, queue_binary, place, kind, order, arrays);
}

// ---- comparisons --------------------------------------------------------------------------------

template <class T>
SG_KERNEL(BLOCK)
compare_kernel(box shape, bool less, const T *a, const T *b, int64_t *y)
{
    SG_MINE(i, shape.entries)
    {
        int64_t at[2];
        offsets_at(shape, i, at);
        y[i] = less ? a[at[0]] < b[at[1]] : a[at[0]] == b[at[1]];
    }
}

template <class T>
static void queue_compare(sg_place *place, bool less, const sigad_array *a, const sigad_array *b,
                          const sigad_array *y)
{
    const sigad_array *operands[] = {a, b};
    const box shape = box_of(y, 2, operands);
    queue_entries(place, compare_kernel<T>, shape.entries, shape, less, in<T>(a->data),
                  in<T>(b->data), out<int64_t>(y->data));
}

static void compare(sg_place *place, bool less, const sigad_array *a, const sigad_array *b,
                    const sigad_array *y)
{
    if (a->dtype == SIGAD_I64)
        queue_compare<int64_t>(place, less, a, b, y);
    else
        SG_BY_REAL(a->dtype, queue_compare, place, less, a, b, y);
}

void sg_cuda_equal(sg_place *place, const sigad_array *a, const sigad_array *b,
                   const sigad_array *y)
{
    compare(place, false, a, b, y);
}

void sg_cuda_less(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y)
{
    compare(place, true, a, b, y);
}

// ---- choices ------------------------------------------------------------------------------------

template <class T>
SG_KERNEL(BLOCK)
where_kernel(box shape, const int64_t *condition, const T *a, const T *b, T *y)
{
    SG_MINE(i, shape.entries)
    {
        int64_t at[3];
        offsets_at(shape, i, at);
        y[i] = condition[at[0]] ? a[at[1]] : b[at[2]];
    }
}

template <class T>
SG_KERNEL(BLOCK)
add_where_kernel(box shape, const int64_t *condition, bool when, const T *p, T *y)
{
    SG_MINE(i, shape.entries)
    {
        int64_t at[2];
        offsets_at(shape, i, at);
        if ((condition[at[0]] != 0) == when) y[i] += p[at[1]];
    }
}

template <class T>
static void queue_where(sg_place *place, const sigad_array *condition, const sigad_array *a,
                        const sigad_array *b, const sigad_array *y)
{
    const sigad_array *operands[] = {condition, a, b};
    const box shape = box_of(y, 3, operands);
    queue_entries(place, where_kernel<T>, shape.entries, shape, in<int64_t>(condition->data),
                  in<T>(a->data), in<T>(b->data), out<T>(y->data));
}

template <class T>
static void queue_add_where(sg_place *place, const sigad_array *condition, bool when,
                            const sigad_array *p, const sigad_array *y, void *to)
{
    const sigad_array *operands[] = {condition, p};
    const box shape = box_of(y, 2, operands);
    queue_entries(place, add_where_kernel<T>, shape.entries, shape, in<int64_t>(condition->data),
                  when, in<T>(p->data), out<T>(to));
}

void sg_cuda_where(sg_place *place, const sigad_array *condition, const sigad_array *a,
                   const sigad_array *b, const sigad_array *y)
{
    SG_BY_REAL(y->dtype, queue_where, place, condition, a, b, y);
}

void sg_cuda_add_where(sg_place *place, const sigad_array *condition, bool when,
                       const sigad_array *p, const sigad_array *y, void *to)
{
    SG_BY_REAL(y->dtype, queue_add_where, place, condition, when, p, y, to);
}

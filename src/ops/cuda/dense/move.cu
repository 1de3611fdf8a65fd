// Entries cleared, copied, added, converted.
#include "ops/cuda/dense/box.cuh"
#include "ops/cuda/dense/finding.cuh"

// ---- dense --------------------------------------------------------------------------------------

template <class T> SG_KERNEL(BLOCK) fill_kernel(int64_t n, T value, T *y)
{
    SG_MINE(i, n) y[i] = value;
}

template <class T> SG_KERNEL(BLOCK) move_kernel(int64_t n, const T *x, T *y)
{
    SG_MINE(i, n) y[i] = x[i];
}

/* Every dtype is made of words of four bytes. */
void sg_cuda_clear(sg_place *place, void *y, size_t bytes)
{
    const int64_t words = static_cast<int64_t>(bytes / sizeof(uint32_t));
    queue_entries(place, fill_kernel<uint32_t>, words, words, 0u, out<uint32_t>(y));
}

void sg_cuda_move(sg_place *place, void *y, const void *x, size_t bytes)
{
    const int64_t words = static_cast<int64_t>(bytes / sizeof(uint32_t));
    queue_entries(place, move_kernel<uint32_t>, words, words, in<uint32_t>(x), out<uint32_t>(y));
}

template <class T> static void queue_fill(sg_place *place, int64_t n, double value, void *y)
{
    queue_entries(place, fill_kernel<T>, n, n, static_cast<T>(value), out<T>(y));
}

void sg_cuda_fill(sg_place *place, int32_t dtype, int64_t n, double value, void *y)
{
    SG_BY_REAL(dtype, queue_fill, place, n, value, y);
}

template <class T>
SG_KERNEL(BLOCK)
rows_kernel(int64_t n, int64_t columns, bool add, const T *row, T *y)
{
    SG_MINE(i, n)
    {
        const T term = row[i % columns];
        y[i] = add ? y[i] + term : term;
    }
}

template <class T>
static void queue_rows(sg_place *place, int64_t rows, int64_t columns, bool add, const void *row,
                       void *y)
{
    queue_entries(place, rows_kernel<T>, rows * columns, rows * columns, columns, add, in<T>(row),
                  out<T>(y));
}

void sg_cuda_set_rows(sg_place *place, int32_t dtype, int64_t rows, int64_t columns,
                      const void *row, void *y)
{
    SG_BY_REAL(dtype, queue_rows, place, rows, columns, false, row, y);
}

void sg_cuda_add_to_rows(sg_place *place, int32_t dtype, int64_t rows, int64_t columns,
                         const void *row, void *y)
{
    SG_BY_REAL(dtype, queue_rows, place, rows, columns, true, row, y);
}

// ---- views --------------------------------------------------------------------------------------

// Operands: y, x.
template <class T> SG_KERNEL(BLOCK) copy_view_kernel(box shape, const T *x, T *y)
{
    SG_MINE(i, shape.entries)
    {
        int64_t at[2];
        offsets_at(shape, i, at);
        y[at[0]] = x[at[1]];
    }
}

template <class T>
SG_KERNEL(BLOCK)
add_scaled_kernel(box shape, T factor, const T *x, T *y, bool fresh)
{
    SG_MINE(i, shape.entries)
    {
        int64_t at[2];
        offsets_at(shape, i, at);
        const T term = factor * x[at[1]];
        y[at[0]] = fresh ? term : y[at[0]] + term;
    }
}

static box box_of(const sg_view *view)
{
    int64_t stride[2][SIGAD_MAX_RANK];
    sg_walk plan;
    for (int i = 0; i < view->rank; i++) {
        stride[0][i] = view->y_stride[i];
        stride[1][i] = view->x_stride[i];
    }
    sg_walk_strides(&plan, view->rank, view->shape, 2, stride);
    return box_of(plan);
}

template <class T>
static void queue_copy(sg_place *place, const sg_view *view, const void *x, void *y)
{
    const box shape = box_of(view);
    queue_entries(place, copy_view_kernel<T>, shape.entries, shape, in<T>(x) + view->x_offset,
                  out<T>(y) + view->y_offset);
}

/* Integers move as doubles do: a copy keeps the bits. */
void sg_cuda_copy(sg_place *place, int32_t dtype, const sg_view *view, const void *x, void *y)
{
    if (dtype == SIGAD_F32)
        queue_copy<float>(place, view, x, y);
    else
        queue_copy<double>(place, view, x, y);
}

template <class T>
static void queue_add_scaled(sg_place *place, const sg_view *view, double factor, const void *x,
                             void *y, bool fresh)
{
    const box shape = box_of(view);
    queue_entries(place, add_scaled_kernel<T>, shape.entries, shape, static_cast<T>(factor),
                  in<T>(x) + view->x_offset, out<T>(y) + view->y_offset, fresh);
}

void sg_cuda_add_scaled(sg_place *place, int32_t dtype, const sg_view *view, double factor,
                        const void *x, void *y, bool fresh)
{
    SG_BY_REAL(dtype, queue_add_scaled, place, view, factor, x, y, fresh);
}

// ---- other element types ------------------------------------------------------------------------

template <class T> SG_DEVICE bool has_integer(T value)
{
    return value >= T(-9223372036854775808.0) && value < T(9223372036854775808.0);
}

template <class FROM, class TO> struct conversion {
    static SG_DEVICE TO of(FROM value)
    {
        return static_cast<TO>(value);
    }
};
template <class FROM> struct conversion<FROM, int64_t> { // what has no integer has been noted
    static SG_DEVICE int64_t of(FROM value)
    {
        return has_integer(value) ? static_cast<int64_t>(value) : 0;
    }
};

template <class FROM, class TO>
SG_KERNEL(BLOCK)
cast_kernel(int64_t n, bool add, const FROM *from, TO *to)
{
    SG_MINE(i, n)
    {
        const TO term = conversion<FROM, TO>::of(from[i]);
        to[i] = add ? to[i] + term : term;
    }
}

template <class FROM, class TO>
static void queue_cast(sg_place *place, int64_t n, bool add, const void *from, void *to)
{
    queue_entries(place, cast_kernel<FROM, TO>, n, n, add, in<FROM>(from), out<TO>(to));
}

template <class T> struct not_integer {
    const T *x;
    SG_DEVICE bool operator()(int64_t i) const
    {
        return !has_integer(x[i]);
    }
    SG_DEVICE void describe(int64_t i, sg_finding *finding) const
    {
        finding->kind = SG_FOUND_NO_INTEGER;
        finding->value = static_cast<double>(x[i]);
    }
};

template <class FROM>
static void queue_cast_to_integer(sg_place *place, sg_origin origin, int64_t n, const void *from,
                                  void *to)
{
    look_for(place, origin, n, not_integer<FROM>{in<FROM>(from)});
    queue_cast<FROM, int64_t>(place, n, false, from, to);
}

int64_t sg_cuda_cast(sg_place *place, sg_origin origin, int64_t n, int32_t from_dtype,
                     const void *from, int32_t to_dtype, void *to)
{
    if (from_dtype == to_dtype)
        sg_cuda_move(place, to, from, static_cast<size_t>(n) * (to_dtype == SIGAD_F32 ? 4 : 8));
    else if (to_dtype == SIGAD_I64)
        SG_BY_REAL(from_dtype, queue_cast_to_integer, place, origin, n, from, to);
    else if (from_dtype == SIGAD_I64 && to_dtype == SIGAD_F64)
        queue_cast<int64_t, double>(place, n, false, from, to);
    else if (from_dtype == SIGAD_I64)
        queue_cast<int64_t, float>(place, n, false, from, to);
    else if (to_dtype == SIGAD_F64)
        queue_cast<float, double>(place, n, false, from, to);
    else
        queue_cast<double, float>(place, n, false, from, to);
    return -1;
}

void sg_cuda_cast_add(sg_place *place, int64_t n, int32_t from_dtype, const void *from,
                      int32_t to_dtype, void *to)
{
    const bool narrow = from_dtype == SIGAD_F32, to_narrow = to_dtype == SIGAD_F32;
    if (narrow && to_narrow)
        queue_cast<float, float>(place, n, true, from, to);
    else if (narrow)
        queue_cast<float, double>(place, n, true, from, to);
    else if (to_narrow)
        queue_cast<double, float>(place, n, true, from, to);
    else
        queue_cast<double, double>(place, n, true, from, to);
}

// Normalised rows and their derivatives; ops/cpu/layer_norm.h has the formulas.
#include "ops/cuda/dense/real.cuh"
#include "ops/cuda/dense/rows.cuh"

template <class T> struct factor {
    const T *data;
    int64_t step;
    SG_DEVICE T at(const row_place &p, int64_t k) const
    {
        return data ? data[p.row * step + k] : T(1);
    }
};

template <class T> struct layer_norm_job {
    const T *x;
    T *saved; // [rows, 2]: mean, 1 / standard deviation
    factor<T> a, b, c;
    T epsilon;
    T *to;
};

// Normalised entries of a row, and the means of what is made of them.
template <class T> struct normal_row {
    const layer_norm_job<T> &j;
    const row_place &p;
    double *buffer;
    T mean, r;

    SG_DEVICE normal_row(const layer_norm_job<T> &job, const row_place &place, double *shared)
        : j(job), p(place), buffer(shared), mean(p.exists ? j.saved[2 * p.row] : T(0)),
          r(p.exists ? j.saved[2 * p.row + 1] : T(0))
    {
    }
    SG_DEVICE T h(int64_t i) const
    {
        return (j.x[i] - mean) * r;
    }
    SG_DEVICE T u(int64_t k) const
    {
        return j.b.at(p, k) * j.c.at(p, k);
    }
};

#define ROW_MEAN(result, term)                                         \
    do {                                                               \
        double row_sum;                                                \
        SG_ROW_SUM(p, buffer, row_sum, term);                          \
        (result) = static_cast<T>(row_sum / static_cast<double>(r.n)); \
    } while (0)

template <class T> SG_KERNEL(BLOCK) normalise_kernel(rows r, layer_norm_job<T> j)
{
    SG_SHARED(double, buffer);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        T mean, variance;
        ROW_MEAN(mean, j.x[i]);
        ROW_MEAN(variance, (j.x[i] - mean) * (j.x[i] - mean));
        const T scale = T(1) / real_sqrt(variance + j.epsilon);
        if (p.exists && !p.lane) {
            j.saved[2 * p.row] = mean;
            j.saved[2 * p.row + 1] = scale;
        }
        SG_ROW_ENTRIES(p, i) j.to[i] = (j.x[i] - mean) * scale * j.b.at(p, k) + j.c.at(p, k);
    }
}

template <class T> SG_KERNEL(BLOCK) times_kernel(rows r, layer_norm_job<T> j)
{
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        const normal_row<T> row(j, p, nullptr);
        SG_ROW_ENTRIES(p, i) j.to[i] += j.a.at(p, k) * row.h(i);
    }
}

template <class T> SG_KERNEL(BLOCK) project_kernel(rows r, layer_norm_job<T> j)
{
    SG_SHARED(double, buffer);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        const normal_row<T> row(j, p, buffer);
        T mean_u, mean_uh;
        ROW_MEAN(mean_u, row.u(k));
        ROW_MEAN(mean_uh, row.u(k) * row.h(i));
        SG_ROW_ENTRIES(p, i)
        {
            j.to[i] += j.a.at(p, k) * (row.r * (row.u(k) - mean_u - row.h(i) * mean_uh));
        }
    }
}

// With h' = P(v), r' = -r^2 mean(v h) and u = b c:
//     P'(u) = r' (u - mean(u) - h mean(u h)) - r (h' mean(u h) + h mean(u h')); v is a.
template <class T> SG_KERNEL(BLOCK) bend_kernel(rows r, layer_norm_job<T> j)
{
    SG_SHARED(double, buffer);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        const normal_row<T> row(j, p, buffer);
        T mean_u, mean_uh, mean_v, mean_vh, mean_uv;
        ROW_MEAN(mean_u, row.u(k));
        ROW_MEAN(mean_uh, row.u(k) * row.h(i));
        ROW_MEAN(mean_v, j.a.at(p, k));
        ROW_MEAN(mean_vh, j.a.at(p, k) * row.h(i));
        ROW_MEAN(mean_uv, row.u(k) * j.a.at(p, k));
        const T mean_uh_bent = row.r * (mean_uv - mean_v * mean_u - mean_vh * mean_uh);
        SG_ROW_ENTRIES(p, i)
        {
            const T h = row.h(i), h_bent = row.r * (j.a.at(p, k) - mean_v - h * mean_vh);
            j.to[i] -= row.r * row.r * mean_vh * (row.u(k) - mean_u - h * mean_uh) +
                       row.r * (h_bent * mean_uh + h * mean_uh_bent);
        }
    }
}

enum layer_norm_part { NORMALISE, TIMES, PROJECT, BEND };

template <class T> static factor<T> factor_of(sg_factor f)
{
    return {in<T>(f.data), f.step};
}

template <class T>
static void queue_layer_norm(sg_place *place, layer_norm_part part, const sg_layer_norm *l,
                             sg_factor a, sg_factor b, sg_factor c, double epsilon, void *to)
{
    static void (*const kernels[])(rows, layer_norm_job<T>) = {normalise_kernel<T>, times_kernel<T>,
                                                               project_kernel<T>, bend_kernel<T>};
    const rows r = rows_of({l->rows, l->n, 1});
    const layer_norm_job<T> j = {in<T>(l->x),     out<T>(l->saved), factor_of<T>(a),
                                 factor_of<T>(b), factor_of<T>(c),  static_cast<T>(epsilon),
                                 out<T>(to)};
    if (l->n) queue_tiles(place, kernels[part], r.tile, 1, sizeof(double), r, j);
}

static const sg_factor ones = {nullptr, 0};

void sg_cuda_layer_norm(sg_place *place, const sg_layer_norm *l, double epsilon, const void *scale,
                        const void *shift, void *to)
{
    SG_BY_REAL(l->dtype, queue_layer_norm, place, NORMALISE, l, ones, sg_factor{scale, 0},
               sg_factor{shift, 0}, epsilon, to);
}

void sg_cuda_layer_norm_times(sg_place *place, const sg_layer_norm *l, sg_factor a, void *to)
{
    SG_BY_REAL(l->dtype, queue_layer_norm, place, TIMES, l, a, ones, ones, 0, to);
}

void sg_cuda_layer_norm_project(sg_place *place, const sg_layer_norm *l, sg_factor a, sg_factor b,
                                sg_factor c, void *to)
{
    SG_BY_REAL(l->dtype, queue_layer_norm, place, PROJECT, l, a, b, c, 0, to);
}

void sg_cuda_layer_norm_bend(sg_place *place, const sg_layer_norm *l, sg_factor b, sg_factor c,
                             const void *v, void *to)
{
    SG_BY_REAL(l->dtype, queue_layer_norm, place, BEND, l, sg_factor{v, l->n}, b, c, 0, to);
}

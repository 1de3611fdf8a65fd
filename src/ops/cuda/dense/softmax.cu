// Softmax and log-softmax along an axis (ops/cpu/softmax.h), and cross entropy of rows with labels
// (ops/cpu/cross_entropy.h). Sums are in double.
#include "ops/cuda/dense/mean_share.cuh"
#include "ops/cuda/dense/real.cuh"
#include "ops/cuda/dense/rows.cuh"

template <class T> SG_DEVICE T largest_of(const row_place &p, double *buffer, const T *x)
{
    double most = static_cast<double>(-INFINITY);
    SG_ROW_ENTRIES(p, i)
    {
        const double next = static_cast<double>(x[i]);
        most = next > most ? next : most;
    }
    return static_cast<T>(joined(p, buffer, most, larger_of_two<double>()));
}

template <class T>
SG_DEVICE void softmax_values(const row_place &p, double *buffer, bool logarithm, const T *x, T *y)
{
    double sum;
    const T most = largest_of(p, buffer, x);
    SG_ROW_SUM(p, buffer, sum, real_exp(x[i] - most));
    const T log_sum = static_cast<T>(real_log(sum));
    SG_ROW_ENTRIES(p, i)
    {
        y[i] = logarithm ? x[i] - most - log_sum
                         : static_cast<T>(static_cast<double>(real_exp(x[i] - most)) / sum);
    }
}

// out += y (g - <y, g>)
template <class T>
SG_DEVICE void softmax_first(const row_place &p, double *buffer, const T *y, const T *g, T *to)
{
    double mean;
    SG_ROW_SUM(p, buffer, mean, static_cast<double>(y[i]) * static_cast<double>(g[i]));
    SG_ROW_ENTRIES(p, i) to[i] += y[i] * static_cast<T>(static_cast<double>(g[i]) - mean);
}

// With the tangent t = y (u - <y, u>) of y:  out += t (g - <y, g>) - y <t, g>
template <class T>
SG_DEVICE void softmax_second(const row_place &p, double *buffer, const T *y, const T *g,
                              const T *u, T *to)
{
    double mean_g, mean_u, both;
    SG_ROW_SUM(p, buffer, mean_g, static_cast<double>(y[i]) * static_cast<double>(g[i]));
    SG_ROW_SUM(p, buffer, mean_u, static_cast<double>(y[i]) * static_cast<double>(u[i]));
    SG_ROW_SUM(p, buffer, both,
               static_cast<double>(y[i]) * (static_cast<double>(u[i]) - mean_u) *
                   static_cast<double>(g[i]));
    SG_ROW_ENTRIES(p, i)
    {
        const double t = static_cast<double>(u[i]) - mean_u;
        to[i] += y[i] * static_cast<T>(t * (static_cast<double>(g[i]) - mean_g) - both);
    }
}

// out += g - exp(y) sum(g)
template <class T>
SG_DEVICE void log_softmax_vjp(const row_place &p, double *buffer, const T *y, const T *g, T *to)
{
    double sum;
    SG_ROW_SUM(p, buffer, sum, g[i]);
    SG_ROW_ENTRIES(p, i) to[i] += g[i] - real_exp(y[i]) * static_cast<T>(sum);
}

// out += u - <exp(y), u>
template <class T>
SG_DEVICE void log_softmax_jvp(const row_place &p, double *buffer, const T *y, const T *u, T *to)
{
    double mean;
    SG_ROW_SUM(p, buffer, mean, static_cast<double>(real_exp(y[i])) * static_cast<double>(u[i]));
    SG_ROW_ENTRIES(p, i) to[i] += static_cast<T>(static_cast<double>(u[i]) - mean);
}

// out -= exp(y) (u - <exp(y), u>) sum(g)
template <class T>
SG_DEVICE void log_softmax_second(const row_place &p, double *buffer, const T *y, const T *g,
                                  const T *u, T *to)
{
    double mean, sum;
    SG_ROW_SUM(p, buffer, mean, static_cast<double>(real_exp(y[i])) * static_cast<double>(u[i]));
    SG_ROW_SUM(p, buffer, sum, g[i]);
    SG_ROW_ENTRIES(p, i)
    {
        to[i] -= real_exp(y[i]) * static_cast<T>((static_cast<double>(u[i]) - mean) * sum);
    }
}

template <class T>
SG_KERNEL(BLOCK)
softmax_kernel(rows r, int kind, const T *a, const T *b, const T *c, T *to)
{
    SG_SHARED(double, buffer);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        switch (kind) {
        case SG_SOFTMAX_VALUE:
            softmax_values(p, buffer, false, a, to);
            break;
        case SG_SOFTMAX_FIRST:
            softmax_first(p, buffer, a, b, to);
            break;
        case SG_SOFTMAX_SECOND:
            softmax_second(p, buffer, a, b, c, to);
            break;
        case SG_LOG_SOFTMAX_VALUE:
            softmax_values(p, buffer, true, a, to);
            break;
        case SG_LOG_SOFTMAX_VJP:
            log_softmax_vjp(p, buffer, a, b, to);
            break;
        case SG_LOG_SOFTMAX_JVP:
            log_softmax_jvp(p, buffer, a, b, to);
            break;
        default:
            log_softmax_second(p, buffer, a, b, c, to);
            break;
        }
    }
}

template <class T>
static void queue_softmax(sg_place *place, sg_softmax_kernel kind, sg_split split, const void *a,
                          const void *b, const void *c, void *to)
{
    const rows r = rows_of(split);
    queue_tiles(place, softmax_kernel<T>, r.tile, 1, sizeof(double), r, kind, in<T>(a), in<T>(b),
                in<T>(c), out<T>(to));
}

void sg_cuda_softmax(sg_place *place, sg_softmax_kernel kernel, int32_t dtype,
                     const sg_split *split, const void *a, const void *b, const void *c, void *to)
{
    if (split->n) SG_BY_REAL(dtype, queue_softmax, place, kernel, *split, a, b, c, to);
}

// ---- cross entropy ------------------------------------------------------------------------------

template <class T> struct cross_entropy_job {
    const T *x;
    const int64_t *labels;
    T *saved; // [rows, 2]
    sg_mean_share share;
    const T *u;
    T *to;
};

// One that is out of bounds has been noted.
template <class T> SG_DEVICE int64_t label_of(const cross_entropy_job<T> &j, const row_place &p)
{
    const int64_t label = j.labels[p.row];
    return label >= 0 && label < p.n ? label : 0;
}

template <class T> SG_KERNEL(BLOCK) cross_entropy_fwd_kernel(rows r, cross_entropy_job<T> j)
{
    SG_SHARED(double, buffer);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        double sum;
        const T most = largest_of(p, buffer, j.x);
        SG_ROW_SUM(p, buffer, sum, real_exp(j.x[i] - most));
        if (!p.exists || p.lane) continue;
        j.saved[2 * p.row] = most;
        j.saved[2 * p.row + 1] = static_cast<T>(1 / sum);
        j.to[p.row] = most - j.x[p.start + label_of(j, p)] + static_cast<T>(real_log(sum));
    }
}

template <class T> struct softmax_of_row {
    const T *x;
    T most, scale;
    SG_DEVICE softmax_of_row(const cross_entropy_job<T> &j, const row_place &p)
        : x(j.x), most(p.exists ? j.saved[2 * p.row] : T(0)),
          scale(p.exists ? j.saved[2 * p.row + 1] : T(0))
    {
    }
    SG_DEVICE T operator()(int64_t i) const
    {
        return real_exp(x[i] - most) * scale;
    }
};

template <class T> SG_KERNEL(BLOCK) cross_entropy_vjp_kernel(rows r, cross_entropy_job<T> j)
{
    const T share = mean_share<T>(j.share);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        const softmax_of_row<T> probability(j, p);
        const int64_t label = p.exists ? label_of(j, p) : 0;
        SG_ROW_ENTRIES(p, i)
        {
            const T term = j.to[i] + share * probability(i);
            j.to[i] = k == label ? term - share : term;
        }
    }
}

template <class T> SG_KERNEL(BLOCK) cross_entropy_jvp_kernel(rows r, cross_entropy_job<T> j)
{
    SG_SHARED(double, buffer);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        double mean;
        const softmax_of_row<T> probability(j, p);
        SG_ROW_SUM(p, buffer, mean,
                   static_cast<double>(probability(i)) * static_cast<double>(j.u[i]));
        if (p.exists && !p.lane)
            j.to[p.row] = static_cast<T>(mean - static_cast<double>(j.u[p.start + label_of(j, p)]));
    }
}

template <class T> SG_KERNEL(BLOCK) cross_entropy_soc_kernel(rows r, cross_entropy_job<T> j)
{
    SG_SHARED(double, buffer);
    const T share = mean_share<T>(j.share);
    row_place p(r);
    SG_EACH_ROW(p, r)
    {
        double sum;
        const softmax_of_row<T> probability(j, p);
        SG_ROW_SUM(p, buffer, sum,
                   static_cast<double>(probability(i)) * static_cast<double>(j.u[i]));
        const T mean = static_cast<T>(sum);
        SG_ROW_ENTRIES(p, i) j.to[i] += share * probability(i) * (j.u[i] - mean);
    }
}

enum cross_entropy_order { FORWARD, VJP, JVP, SOC };

template <class T>
static void queue_cross_entropy(sg_place *place, cross_entropy_order order,
                                const sg_cross_entropy *c, sg_mean_share share, const void *u,
                                void *to)
{
    static void (*const kernels[])(rows, cross_entropy_job<T>) = {
        cross_entropy_fwd_kernel<T>, cross_entropy_vjp_kernel<T>, cross_entropy_jvp_kernel<T>,
        cross_entropy_soc_kernel<T>};
    const rows r = rows_of({c->rows, c->classes, 1});
    const cross_entropy_job<T> j = {in<T>(c->x), c->labels, out<T>(c->saved),
                                    share,       in<T>(u),  out<T>(to)};
    if (c->classes) queue_tiles(place, kernels[order], r.tile, 1, sizeof(double), r, j);
}

static const sg_mean_share no_share = {nullptr, 1};

void sg_cuda_cross_entropy_fwd(sg_place *place, const sg_cross_entropy *c, void *terms)
{
    SG_BY_REAL(c->dtype, queue_cross_entropy, place, FORWARD, c, no_share, nullptr, terms);
}

void sg_cuda_cross_entropy_vjp(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                               void *to)
{
    SG_BY_REAL(c->dtype, queue_cross_entropy, place, VJP, c, share, nullptr, to);
}

void sg_cuda_cross_entropy_jvp(sg_place *place, const sg_cross_entropy *c, const void *u,
                               void *terms)
{
    SG_BY_REAL(c->dtype, queue_cross_entropy, place, JVP, c, no_share, u, terms);
}

void sg_cuda_cross_entropy_soc(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                               const void *u, void *to)
{
    SG_BY_REAL(c->dtype, queue_cross_entropy, place, SOC, c, share, u, to);
}

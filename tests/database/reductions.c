/* Reductions. A reference gets the entries along the axis one after the other. */
#include "support/database.h"
#include <math.h>
#include <stdlib.h>

/* The entry of y that entry i of x goes into. */
static int64_t place(const db_array *x, const db_array *y, int axis, bool keep, int64_t i)
{
    int64_t from[SIGAD_MAX_RANK], to[SIGAD_MAX_RANK];
    int rank = 0;
    db_unravel(x, i, from);
    for (int a = 0; a < x->rank; a++) {
        bool reduced = axis == SIGAD_ALL || a == axis;
        if (!reduced || keep) to[rank++] = reduced ? 0 : from[a];
    }
    return db_ravel(y, to);
}

/* y from f of the n entries that each entry of y is made from. */
static void reduce(const db_array *x, db_array *y, int axis, bool keep,
                   double (*f)(int64_t n, const double *entry))
{
    if (!db_reduced(y, x, axis, keep) || y->elements == 0) return;
    int64_t n = x->elements / y->elements, *count = calloc((size_t)y->elements, sizeof *count);
    double *entry = malloc((size_t)x->elements * sizeof *entry + 1);
    for (int64_t i = 0; i < x->elements; i++) {
        int64_t to = place(x, y, axis, keep, i);
        entry[to * n + count[to]++] = x->data[i];
    }
    for (int64_t i = 0; i < y->elements; i++) y->data[i] = f(n, entry + i * n);
    free(entry);
    free(count);
}

static double sum(int64_t n, const double *entry)
{
    long double total = 0;
    for (int64_t k = 0; k < n; k++) total += entry[k];
    return (double)total;
}

static double mean(int64_t n, const double *entry)
{
    return sum(n, entry) / (double)n;
}

static double squares(int64_t n, const double *entry, double center)
{
    long double total = 0;
    for (int64_t k = 0; k < n; k++) total += (entry[k] - center) * (entry[k] - center);
    return (double)total;
}

static double variance_0(int64_t n, const double *entry)
{
    return squares(n, entry, mean(n, entry)) / (double)n;
}

static double variance_1(int64_t n, const double *entry)
{
    return squares(n, entry, mean(n, entry)) / (double)(n - 1);
}

static double std_0(int64_t n, const double *entry)
{
    return sqrt(variance_0(n, entry));
}

static double norm(int64_t n, const double *entry)
{
    return sqrt(squares(n, entry, 0));
}

static double argmax(int64_t n, const double *entry)
{
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++)
        if (entry[k] > entry[best]) best = k;
    return (double)best;
}

static double argmin(int64_t n, const double *entry)
{
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++)
        if (entry[k] < entry[best]) best = k;
    return (double)best;
}

static double max(int64_t n, const double *entry)
{
    return entry[(int64_t)argmax(n, entry)];
}

static double min(int64_t n, const double *entry)
{
    return entry[(int64_t)argmin(n, entry)];
}

static double logsumexp(int64_t n, const double *entry)
{
    long double total = 0;
    for (int64_t k = 0; k < n; k++) total += expl(entry[k]);
    return (double)logl(total);
}

/* One operation along one axis: `call` computes it from x[0]. */
#define ALONG(name, axis, keep, call, f)                                      \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                         \
        return call;                                                          \
    }                                                                         \
    static void reference_##name(const db_array *x, db_array *y)              \
    {                                                                         \
        reduce(&x[0], y, axis, keep, f);                                      \
    }
#define THREE_AXES(name)                                                              \
    ALONG(name##_first, 0, false, sigad_##name(tape, x[0], 0, 0), name)               \
    ALONG(name##_middle, 1, true, sigad_##name(tape, x[0], 1, 1), name)               \
    ALONG(name##_last, 2, false, sigad_##name(tape, x[0], -1, 0), name)               \
    ALONG(name##_all, SIGAD_ALL, false, sigad_##name(tape, x[0], SIGAD_ALL, 0), name) \
    ALONG(name##_all_kept, SIGAD_ALL, true, sigad_##name(tape, x[0], SIGAD_ALL, 1), name)
THREE_AXES(sum)
THREE_AXES(mean)
THREE_AXES(max)
THREE_AXES(min)
THREE_AXES(logsumexp)
THREE_AXES(norm)
ALONG(variance_first, 0, false, sigad_variance(tape, x[0], 0, 0, 0), variance_0)
ALONG(variance_last, 2, true, sigad_variance(tape, x[0], -1, 1, 1), variance_1)
ALONG(variance_all, SIGAD_ALL, false, sigad_variance(tape, x[0], SIGAD_ALL, 0, 0), variance_0)
ALONG(std_middle, 1, false, sigad_std(tape, x[0], 1, 0, 0), std_0)
ALONG(argmax_middle, 1, false, sigad_argmax(tape, x[0], 1), argmax)
ALONG(argmax_all, SIGAD_ALL, false, sigad_argmax(tape, x[0], SIGAD_ALL), argmax)
ALONG(argmin_last, 2, false, sigad_argmin(tape, x[0], -1), argmin)

static void cumsum(const db_array *x, db_array *y, int axis)
{
    if (!db_like(y, x)) return;
    for (int64_t i = 0; i < y->elements; i++) {
        int64_t index[SIGAD_MAX_RANK];
        db_unravel(y, i, index);
        y->data[i] = 0;
        for (; index[axis] >= 0; index[axis]--) y->data[i] += x->data[db_ravel(x, index)];
    }
}

static sigad_tensor apply_cumsum_middle(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_cumsum(tape, x[0], 1);
}

static void reference_cumsum_middle(const db_array *x, db_array *y)
{
    cumsum(x, y, 1);
}

static sigad_tensor apply_cumsum_last(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_cumsum(tape, x[0], -1);
}

static void reference_cumsum_last(const db_array *x, db_array *y)
{
    cumsum(x, y, x->rank - 1);
}

static sigad_tensor apply_dot(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_dot(tape, x[0], x[1]);
}

/* [2,3,4] with [4]. */
static void reference_dot(const db_array *x, db_array *y)
{
    if (!db_reduced(y, &x[0], x[0].rank - 1, false)) return;
    for (int64_t i = 0; i < y->elements; i++) {
        y->data[i] = 0;
        for (int64_t k = 0; k < x[1].elements; k++)
            y->data[i] += x[0].data[i * x[1].elements + k] * x[1].data[k];
    }
}

/* ---- rows ----------------------------------------------------------------------------------- */

#define ROW(name, shape, flags)                                                               \
    {                                                                                         \
#        name ": " #        shape, 1, {{DB_F shape } }, apply_##name, reference_##name, flags \
    }
#define ROWS(name, flags)                                                         \
    ROW(name##_first, (3, 2, 4), flags), ROW(name##_middle, (3, 2, 4), flags),    \
        ROW(name##_last, (3, 2, 4), flags), ROW(name##_all, (3, 2, 4), flags),    \
        ROW(name##_all_kept, (3, 2, 4), flags), ROW(name##_all, (), flags),       \
        ROW(name##_middle, (2, 1, 3), flags), ROW(name##_last, (1, 1, 1), flags), \
        ROW(name##_first, (3, 0, 2), flags), ROW(name##_last, (2, 3, 40), flags)

static const db_row rows[] = {
    ROWS(sum, DB_POLYNOMIAL),
    ROWS(mean, DB_POLYNOMIAL),
    ROWS(max, DB_KINKS),
    ROWS(min, DB_KINKS),
    ROWS(logsumexp, 0),
    ROWS(norm, 0),
    ROW(sum_first, (0, 2, 3), DB_POLYNOMIAL),
    ROW(sum_last, (2, 3, 0), DB_POLYNOMIAL),
    ROW(sum_all, (0), DB_POLYNOMIAL),
    ROW(norm_last, (2, 2, 0), DB_POLYNOMIAL),
    ROW(sum_all, (70000), DB_POLYNOMIAL),
    ROW(sum_first, (700, 1, 5), DB_POLYNOMIAL),
    ROW(mean_middle, (2, 300, 90), DB_POLYNOMIAL),
    ROW(logsumexp_all, (40000), 0),
    ROW(variance_first, (5, 2, 3), DB_POLYNOMIAL),
    ROW(variance_last, (2, 3, 5), DB_POLYNOMIAL),
    ROW(variance_all, (4, 5), DB_POLYNOMIAL),
    ROW(variance_all, (40000), DB_POLYNOMIAL),
    ROW(variance_first, (1, 2, 3), DB_POLYNOMIAL),
    ROW(variance_last, (2, 0, 5), DB_POLYNOMIAL),
    ROW(std_middle, (2, 5, 3), 0),
    ROW(argmax_middle, (2, 5, 3), DB_NOT_DIFFERENTIABLE),
    ROW(argmax_all, (4, 5), DB_NOT_DIFFERENTIABLE),
    ROW(argmax_all, (), DB_NOT_DIFFERENTIABLE),
    ROW(argmin_last, (4, 1, 5), DB_NOT_DIFFERENTIABLE),
    ROW(argmin_last, (200, 40, 5), DB_NOT_DIFFERENTIABLE),
    ROW(cumsum_middle, (2, 4, 3), DB_POLYNOMIAL),
    ROW(cumsum_middle, (2, 1, 3), DB_POLYNOMIAL),
    ROW(cumsum_middle, (2, 0, 3), DB_POLYNOMIAL),
    ROW(cumsum_last, (2, 4, 3), DB_POLYNOMIAL),
    ROW(cumsum_last, (300, 150), DB_POLYNOMIAL),
    {"dot", 2, {{DB_F(2, 3, 4)}, {DB_F(4)}}, apply_dot, reference_dot, DB_POLYNOMIAL},
    {"dot: vectors", 2, {{DB_F(4)}, {DB_F(4)}}, apply_dot, reference_dot, DB_POLYNOMIAL},
    {"dot: no entries", 2, {{DB_F(2, 0)}, {DB_F(0)}}, apply_dot, reference_dot, DB_POLYNOMIAL},
};
DB_ROWS(reductions, rows)

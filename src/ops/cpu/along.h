/* CPU kernels of variance, norm and logsumexp: elementwise work on arrays of x's shape [outer, n,
 * inner] with arrays of the result's shape [outer, inner]. */
#ifndef SG_CPU_ALONG_H
#define SG_CPU_ALONG_H
#include "ops/place.h"
#include "ops/split.h"

/* X(name, assignment, expression) in entries xi of x, ti of a tangent of x and, of the result's
 * shape, ri (the variance's mean, the norm, the largest entry), li (the logarithm of the sum of
 * exp(xi - ri), which keeps the digits that y = ri + li loses), gi (of y_cotangent) and di; s is a
 * factor.
 * Terms and tangents are summed over n afterwards. */
/* clang-format off */
#define SG_ALONG(X)                                                                \
    X(variance_term,     =,  (xi - ri) * (xi - ri))                                \
    X(variance_tangent,  =,  (xi - ri) * ti)                                       \
    X(variance_vjp,      +=, s * gi * (xi - ri))                                   \
    X(variance_soc,      +=, s * gi * (ti - di))                                   \
    X(norm_term,         =,  xi * xi)                                              \
    X(norm_tangent,      =,  SELECT(ri > K(0), xi / ri * ti, K(0)))                 \
    X(norm_vjp,          +=, SELECT(ri > K(0), xi / ri * gi, K(0)))                 \
    X(norm_soc,          +=, SELECT(ri > K(0), gi / ri * (ti - xi / ri * di), K(0))) \
    X(logsumexp_term,    =,  EXP(xi - ri))                                         \
    X(logsumexp_tangent, =,  EXP(xi - ri - li) * ti)                               \
    X(logsumexp_vjp,     +=, EXP(xi - ri - li) * gi)                               \
    X(logsumexp_soc,     +=, EXP(xi - ri - li) * gi * (ti - di))
#define SG_ALONG_NAME(name, assignment, expression) SG_ALONG_##name,
enum { SG_ALONG(SG_ALONG_NAME) SG_ALONG_COUNT };
#undef SG_ALONG_NAME
/* clang-format on */

typedef struct {
    const void *x, *t, *r, *l, *g, *d; /* NULL where a row does not use it */
    double s;
    void *out;
} sg_along_arrays;

void sg_cpu_along(sg_place *place, int kind, int32_t dtype, sg_split split,
                  const sg_along_arrays *arrays);

/* Over n entries of results: y = sqrt(y); y = 0 where it is not finite; l = log(l), y = l + r. */
void sg_cpu_root(sg_place *place, int64_t n, int32_t dtype, void *y);
void sg_cpu_finite(sg_place *place, int64_t n, int32_t dtype, void *y);
void sg_cpu_log_plus(sg_place *place, int64_t n, int32_t dtype, void *l, const void *r, void *y);
#endif

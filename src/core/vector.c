#include "core/vector.h"

double sg_dot(const double *a, const double *b, int64_t n)
{
    double sum[4] = {0.0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int lane = 0; lane < 4; lane++) sum[lane] += a[i + lane] * b[i + lane];
    for (; i < n; i++) sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void sg_add_scaled(double *to, double scale, const double *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] += scale * from[i];
}

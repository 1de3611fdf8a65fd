#include "ops/cpu/signature_ref.h"
#include <stdlib.h>
#include <string.h>

sg_ref_shape sg_ref_shape_of(const sigad_sig_spec *spec)
{
    int64_t letters = (int64_t)spec->dimension * (spec->lead_lag ? 2 : 1) + spec->time_aug;
    return (sg_ref_shape){letters, spec->degree};
}

static int64_t power(int64_t base, int exponent)
{
    return exponent ? base * power(base, exponent - 1) : 1;
}

int64_t sg_ref_level(sg_ref_shape shape, int k)
{
    int64_t at = 0;
    for (int j = 0; j < k; j++) at += power(shape.letters, j);
    return at;
}

int64_t sg_ref_entries(sg_ref_shape shape)
{
    return sg_ref_level(shape, shape.degree + 1);
}

double *sg_ref_new(sg_ref_shape shape, double scalar)
{
    double *x = calloc((size_t)sg_ref_entries(shape), sizeof *x);
    if (x) x[0] = scalar;
    return x;
}

void sg_ref_multiply(sg_ref_shape shape, const double *a, const double *b, double *out)
{
    memset(out, 0, (size_t)sg_ref_entries(shape) * sizeof *out);
    for (int i = 0; i <= shape.degree; i++)
        for (int j = 0; i + j <= shape.degree; j++) {
            const double *left = a + sg_ref_level(shape, i), *right = b + sg_ref_level(shape, j);
            double *to = out + sg_ref_level(shape, i + j);
            int64_t rows = power(shape.letters, i), columns = power(shape.letters, j);
            for (int64_t p = 0; p < rows; p++)
                for (int64_t q = 0; q < columns; q++) to[p * columns + q] += left[p] * right[q];
        }
}

double *sg_ref_power_series(sg_ref_shape shape, const double *x, double (*c)(int k))
{
    int64_t n = sg_ref_entries(shape);
    double *sum = sg_ref_new(shape, 0), *power_of_x = sg_ref_new(shape, 1);
    double *next = sg_ref_new(shape, 0);
    for (int k = 1; sum && power_of_x && next && k <= shape.degree; k++) {
        sg_ref_multiply(shape, power_of_x, x, next);
        for (int64_t i = 0; i < n; i++) sum[i] += c(k) * next[i];
        memcpy(power_of_x, next, (size_t)n * sizeof *next);
    }
    if (!power_of_x || !next) {
        free(sum);
        sum = NULL;
    }
    free(power_of_x);
    free(next);
    return sum;
}

double sg_ref_log_coefficient(int k)
{
    return (k % 2 ? 1.0 : -1.0) / k;
}

double sg_ref_exp_coefficient(int k)
{
    return k ? sg_ref_exp_coefficient(k - 1) / k : 1.0;
}

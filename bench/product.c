#include "timing.h"
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

/* Of BLAS itself: an operation on a tape would cut the product into blocks and measure that, too.
 */
typedef struct {
    int f32, side;
    double *a, *c; /* [side, side]; with f32 half of their bytes are used, as floats */
} product;

static int multiply(void *user)
{
    product *p = user;
    int n = p->side;
    if (p->f32)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0f, (float *)p->a, n,
                    (float *)p->a, n, 0.0f, (float *)p->c, n);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, p->a, n, p->a, n, 0.0,
                    p->c, n);
    return 0;
}

static void fill(product *p)
{
    for (int i = 0; i < p->side * p->side; i++) {
        double value = sin(i); /* neither 0 nor denormal, which may be faster or slower */
        if (p->f32)
            ((float *)p->a)[i] = (float)value;
        else
            p->a[i] = value;
    }
}

double bench_product_rate(int f32, double seconds)
{
    enum { SIDE = 512 };
    product p = {f32, seconds > 0 ? SIDE : 64, NULL, NULL};
    size_t bytes = (size_t)p.side * (size_t)p.side * sizeof(double);
    double best = INFINITY, end = bench_now() + seconds, n = p.side;
    p.a = malloc(bytes);
    p.c = malloc(bytes);
    if (p.a && p.c) {
        fill(&p);
        multiply(&p); /* touches the memory first */
        do {
            double start = bench_now();
            multiply(&p);
            best = fmin(best, bench_now() - start);
        } while (bench_now() < end);
    }
    free(p.a);
    free(p.c);
    return 2.0 * n * n * n / best;
}

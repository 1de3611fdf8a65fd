#include "ops/cpu/cross_entropy.h"
#include "ops/cpu/dense/each_exp.h"
#include "ops/cpu/ranges.h"
#include <stddef.h>

typedef struct {
    const sg_cross_entropy *c;
    double scale;
    const void *u;
    void *out;
} job;

#define SG_KERNELS "ops/cpu/cross_entropy.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_cross_entropy_fwd(const sg_cross_entropy *c, void *terms)
{
    job j = {c, 1, NULL, terms};
    sg_ranges(c->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, fwd), &j);
}

void sg_cpu_cross_entropy_vjp(const sg_cross_entropy *c, double scale, void *out)
{
    job j = {c, scale, NULL, out};
    sg_ranges(c->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, vjp), &j);
}

void sg_cpu_cross_entropy_jvp(const sg_cross_entropy *c, const void *u, void *terms)
{
    job j = {c, 1, u, terms};
    sg_ranges(c->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, jvp), &j);
}

void sg_cpu_cross_entropy_soc(const sg_cross_entropy *c, double scale, const void *u, void *out)
{
    job j = {c, scale, u, out};
    sg_ranges(c->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, soc), &j);
}

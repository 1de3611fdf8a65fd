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

void sg_cpu_cross_entropy_fwd(sg_place *place, const sg_cross_entropy *c, void *terms)
{
    job j = {c, 1, NULL, terms};
    sg_ranges(place->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, fwd), &j);
}

void sg_cpu_cross_entropy_vjp(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                              void *out)
{
    job j = {c, sg_cpu_mean_share(c->dtype, share), NULL, out};
    sg_ranges(place->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, vjp), &j);
}

void sg_cpu_cross_entropy_jvp(sg_place *place, const sg_cross_entropy *c, const void *u,
                              void *terms)
{
    job j = {c, 1, u, terms};
    sg_ranges(place->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, jvp), &j);
}

void sg_cpu_cross_entropy_soc(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                              const void *u, void *out)
{
    job j = {c, sg_cpu_mean_share(c->dtype, share), u, out};
    sg_ranges(place->threads, c->rows, c->classes, SG_BY_DTYPE(c->dtype, soc), &j);
}

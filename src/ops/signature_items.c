/* Signatures one item at a time, and their second derivatives by complex steps. */
#include "core/memory.h"
#include "ops/signature_route.h"
#include <complex.h>

int64_t sg_signature_item_bytes(const sg_signature_batch *b, int what)
{
    bool forward = sg_signature_is_forward(what),
         real = what == SG_BATCH_FWD || what == SG_BATCH_VJP;
    int scalar = real ? b->scalar : SG_C64;
    int64_t total =
        (forward ? b->kernels->fwd_work : b->kernels->vjp_work)[scalar](b->plan, b->length);
    if (!real) {
        /* the complex copies of x, of y or its cotangent, and of the derivative */
        total = sg_work_add(total, forward ? 1 : 2,
                            sg_signature_x_entries(b->kernels, b->plan, b->length));
        total = sg_work_add(total, 1, sg_signature_y_entries(b->kernels, b->plan));
    }
    if (total == 0) total = SG_BLOCK; /* never NULL */
    return total < 0 ? -1 : total * sg_scalar_bytes(scalar);
}

/* Entry i of an array of floats or doubles; NULL is all zeros. */
static double entry(int scalar, const void *array, int64_t i)
{
    if (!array) return 0.0;
    return scalar == SG_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

/* Small enough that its square vanishes beside 1 and large enough that products with any tangent
 * stay normal numbers. */
static const double tiny_step = 1e-100;

static void to_complex(int scalar, int64_t n, const void *real, const void *tangent,
                       double _Complex *out)
{
    double *part = (double *)out; /* C11, 6.2.5: a complex number is an array of its two parts */
    for (int64_t i = 0; i < n; i++) {
        part[2 * i] = entry(scalar, real, i);
        part[2 * i + 1] = tiny_step * entry(scalar, tangent, i);
    }
}

static void add_derivative(int scalar, int64_t n, const double _Complex *value, void *out)
{
    for (int64_t i = 0; i < n; i++) {
        double derivative = cimag(value[i]) / tiny_step;
        if (scalar == SG_F32)
            ((float *)out)[i] += (float)derivative;
        else
            ((double *)out)[i] += derivative;
    }
}

/* y_dot += J x_dot, or x_bar_dot += d/dt J(x + t x_dot)^T y_bar, by one complex evaluation. */
static void differentiate_item(const sg_signature_batch *b, bool forward, int64_t length,
                               const void *x, const void *y_bar, const void *x_dot, void *out,
                               double _Complex *work)
{
    int64_t place = sg_signature_x_entries(b->kernels, b->plan, b->length);
    int64_t n = sg_signature_x_entries(b->kernels, b->plan, length);
    int64_t m = sg_signature_y_entries(b->kernels, b->plan);
    double _Complex *xc = work, *yc = xc + sg_block(place), *rest = yc + sg_block(m);
    to_complex(b->scalar, n, x, x_dot, xc);
    if (forward) {
        b->kernels->fwd[SG_C64](b->plan, length, xc, yc, rest);
        add_derivative(b->scalar, m, yc, out);
        return;
    }
    double _Complex *xc_bar = rest;
    to_complex(b->scalar, m, y_bar, NULL, yc);
    for (int64_t i = 0; i < n; i++) xc_bar[i] = 0.0;
    b->kernels->vjp[SG_C64](b->plan, length, xc, yc, xc_bar, rest + sg_block(place));
    add_derivative(b->scalar, n, xc_bar, out);
}

void sg_signature_run_item(void *user, int64_t i, int worker)
{
    const sg_signature_job *j = user;
    const sg_signature_batch *b = j->batch;
    int64_t length = b->lengths ? b->lengths[i] : b->length;
    int64_t x_at = i * j->x_entries, y_at = i * j->y_entries;
    const void *x = sg_advance(b->x, x_at, b->scalar),
               *y_bar = sg_advance(b->y_bar, y_at, b->scalar);
    void *out = sg_advance(b->out, sg_signature_is_forward(j->what) ? y_at : x_at, b->scalar);
    void *work = sg_signature_area(j, worker);
    sg_signature_vjp fresh = b->kernels->vjp_fresh[b->scalar];
    if (j->what == SG_BATCH_VJP && b->fresh && fresh) {
        sg_signature_clear_behind(j, i, length * b->plan->spec.dimension);
        fresh(b->plan, length, x, y_bar, out, work);
        return;
    }
    sg_signature_clear(j, i);
    if (j->what == SG_BATCH_FWD)
        b->kernels->fwd[b->scalar](b->plan, length, x, out, work);
    else if (j->what == SG_BATCH_VJP)
        b->kernels->vjp[b->scalar](b->plan, length, x, y_bar, out, work);
    else
        differentiate_item(b, sg_signature_is_forward(j->what), length, x, y_bar,
                           sg_advance(b->x_dot, x_at, b->scalar), out, work);
}

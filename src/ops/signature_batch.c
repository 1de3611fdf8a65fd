#include "ops/signature_batch.h"
#include "core/parallel.h"
#include <complex.h>

#define KERNELS(name, path)                                                     \
    const sg_signature_kernels sg_##name##_kernels = {                          \
        .from_path = path,                                                      \
        .fwd = {sg_##name##_f32, sg_##name##_f64, sg_##name##_c64},             \
        .vjp = {sg_##name##_vjp_f32, sg_##name##_vjp_f64, sg_##name##_vjp_c64}, \
        .fwd_work = sg_##name##_work,                                           \
        .vjp_work = sg_##name##_vjp_work}
KERNELS(sig, true);
KERNELS(log_sig, true);
KERNELS(sig_to_log_sig, false);
KERNELS(logsig_to_sig, false);

static const int64_t scalar_bytes[SG_SCALARS] = {sizeof(float), sizeof(double),
                                                 sizeof(double _Complex)};

int64_t sg_signature_x_entries(const sg_signature_kernels *kernels, const sigad_plan *plan,
                               int64_t length)
{
    if (kernels->from_path) return length * plan->spec.dimension;
    return kernels == &sg_sig_to_log_sig_kernels ? plan->sig_length : plan->log_sig_length;
}

int64_t sg_signature_y_entries(const sg_signature_kernels *kernels, const sigad_plan *plan)
{
    bool to_log = kernels == &sg_log_sig_kernels || kernels == &sg_sig_to_log_sig_kernels;
    return to_log ? plan->log_sig_length : plan->sig_length;
}

int64_t sg_signature_work_bytes(const sg_signature_kernels *kernels, const sigad_plan *plan,
                                int64_t length, int scalar, int what)
{
    bool forward = what == SG_BATCH_FWD || what == SG_BATCH_JVP;
    int64_t total = (forward ? kernels->fwd_work : kernels->vjp_work)(plan, length);
    if (what == SG_BATCH_FWD || what == SG_BATCH_VJP)
        return total < 0 ? -1 : total * scalar_bytes[scalar];
    /* the complex copies of x, of y or its cotangent, and of the derivative */
    total = sg_work_add(total, forward ? 1 : 2, sg_signature_x_entries(kernels, plan, length));
    total = sg_work_add(total, 1, sg_signature_y_entries(kernels, plan));
    return total < 0 ? -1 : total * scalar_bytes[SG_C64];
}

int64_t sg_signature_bad_length(const int64_t *lengths, int64_t batch, int64_t length)
{
    for (int64_t i = 0; i < batch; i++)
        if (lengths[i] < 0 || lengths[i] > length) return i;
    return -1;
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
    for (int64_t i = 0; i < n; i++)
        out[i] = CMPLX(entry(scalar, real, i), tiny_step * entry(scalar, tangent, i));
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

static void *advance(const void *array, int64_t entries, int scalar)
{
    return array ? (char *)(uintptr_t)array + entries * scalar_bytes[scalar] : NULL;
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

typedef struct {
    const sg_signature_batch *batch;
    int what;
    int64_t work_bytes;
} job;

static void run_item(void *user, int64_t i, int worker)
{
    const job *j = user;
    const sg_signature_batch *b = j->batch;
    int64_t length = b->lengths ? b->lengths[i] : b->length;
    int64_t x_at = i * sg_signature_x_entries(b->kernels, b->plan, b->length);
    int64_t y_at = i * sg_signature_y_entries(b->kernels, b->plan);
    const void *x = advance(b->x, x_at, b->scalar), *y_bar = advance(b->y_bar, y_at, b->scalar);
    bool forward = j->what == SG_BATCH_FWD || j->what == SG_BATCH_JVP;
    void *out = advance(b->out, forward ? y_at : x_at, b->scalar);
    void *work = (char *)b->work + worker * j->work_bytes;
    if (j->what == SG_BATCH_FWD)
        b->kernels->fwd[b->scalar](b->plan, length, x, out, work);
    else if (j->what == SG_BATCH_VJP)
        b->kernels->vjp[b->scalar](b->plan, length, x, y_bar, out, work);
    else
        differentiate_item(b, forward, length, x, y_bar, advance(b->x_dot, x_at, b->scalar), out,
                           work);
}

void sg_signature_run(const sg_signature_batch *batch, int what)
{
    int64_t bytes =
        sg_signature_work_bytes(batch->kernels, batch->plan, batch->length, batch->scalar, what);
    sg_parallel(batch->threads, batch->batch, run_item, &(job){batch, what, bytes});
}

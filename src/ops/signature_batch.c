#include "ops/signature_batch.h"
#include "ops/signature_route.h"

#define OF_EACH(name, scalar_of)                                         \
    {                                                                    \
        scalar_of(name, f32), scalar_of(name, f64), scalar_of(name, c64) \
    }
#define KERNEL(name, scalar) sg_##name##_##scalar
#define SHARED(name, scalar) sg_##name
#define OF_REALS(name)                       \
    {                                        \
        KERNEL(name, f32), KERNEL(name, f64) \
    }
#define NONE \
    {        \
        NULL \
    }
#define KERNELS(name, path, work, fresh)                                                      \
    const sg_signature_kernels sg_##name##_kernels = {.from_path = path,                      \
                                                      .fwd = OF_EACH(name, KERNEL),           \
                                                      .vjp = OF_EACH(name##_vjp, KERNEL),     \
                                                      .vjp_fresh = fresh,                     \
                                                      .fwd_work = OF_EACH(name##_work, work), \
                                                      .vjp_work = OF_EACH(name##_vjp_work, work)}
KERNELS(sig, true, KERNEL, OF_REALS(sig_vjp_fresh));
KERNELS(log_sig, true, KERNEL, NONE);
KERNELS(sig_to_log_sig, false, SHARED, NONE);
KERNELS(logsig_to_sig, false, SHARED, NONE);

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

int64_t sg_signature_work_bytes(const sg_signature_batch *batch, int what)
{
    sg_signature_layout layout = sg_signature_lay_out(batch, what);
    return sg_signature_layout_bytes(&layout);
}

int64_t sg_signature_bad_length(const int64_t *lengths, int64_t batch, int64_t length)
{
    for (int64_t i = 0; i < batch; i++)
        if (lengths[i] < 0 || lengths[i] > length) return i;
    return -1;
}

void sg_signature_run(const sg_signature_batch *batch, int what)
{
    sg_signature_layout layout = sg_signature_lay_out(batch, what);
    sg_signature_run_by(batch, what, &layout);
}

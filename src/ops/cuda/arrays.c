/* The signature functions on device pointers: what can be checked without looking at the device's
 * memory, then the kernels. */
#include "core/memory.h"
#include "ops/cuda/run.h"
#include "ops/signature_functions.h"
#include "sigad/cuda.h"

enum { ALIGNMENT = 256 };

/* The driver, if the thread's current device can be used. */
static sigad_status find_device(const sg_cuda_driver **driver, sg_cuda_properties *device)
{
    *driver = sg_cuda_driver_of_build();
    return *driver && !(*driver)->properties(device) ? SIGAD_OK : SIGAD_EDEVICE;
}

sigad_status sigad_cuda_prepare(const sigad_plan *plan)
{
    const sg_cuda_driver *driver;
    sg_cuda_properties device;
    if (!plan) return SIGAD_EINVAL;
    sigad_status status = find_device(&driver, &device);
    if (status || sg_cuda_tables_find(plan, device.device)) return status;
    return sg_cuda_tables_make(plan, driver, device.device);
}

/* batch * entries elements fit in memory. */
static sigad_status array_bytes(const sg_cuda_call *c, int64_t entries, int64_t *bytes)
{
    if (!sg_multiply(c->batch, entries, bytes) || !sg_multiply(*bytes, c->scalar_bytes, bytes))
        return SIGAD_ERANGE;
    return SIGAD_OK;
}

/* Sizes of x and y, and of what a call writes. */
static sigad_status check_sizes(const sg_cuda_call *c, int64_t *x, int64_t *y, int64_t *out)
{
    int64_t points;
    if (!c->plan || c->batch < 0 || c->length < 0) return SIGAD_EINVAL;
    if (c->operation <= SG_CUDA_LOG_SIG &&
        (!sg_multiply(c->length, c->plan->spec.dimension, &points) ||
         !sg_multiply(points, 2, &points)))
        return SIGAD_ERANGE;
    sigad_status status = array_bytes(c, sg_cuda_x_entries(c), x);
    if (!status) status = array_bytes(c, sg_cuda_y_entries(c), y);
    *out = c->backward ? *x : *y;
    return status;
}

sigad_status sigad_cuda_workspace(const sigad_plan *plan, sigad_call call, sigad_dtype dtype,
                                  int64_t batch, int64_t length, size_t *bytes)
{
    const sg_cuda_driver *driver;
    int64_t x, y, out, total = 0;
    if (!bytes) return SIGAD_EINVAL;
    *bytes = 0;
    if (call < SIGAD_CALL_SIG || call > SIGAD_CALL_LOGSIG_TO_SIG_BACKPROP) return SIGAD_EINVAL;
    if (dtype != SIGAD_F32 && dtype != SIGAD_F64) return SIGAD_EDTYPE;
    int which = (int)call - SIGAD_CALL_SIG;
    sg_cuda_call c = {.plan = plan,
                      .operation = which / 2,
                      .backward = which % 2 == 1,
                      .scalar_bytes = dtype == SIGAD_F32 ? 4 : 8,
                      .batch = batch,
                      .length = length};
    if (c.operation > SG_CUDA_LOG_SIG) c.length = 0;
    sigad_status status = check_sizes(&c, &x, &y, &out);
    if (!status) status = find_device(&driver, &c.device);
    if (!status) c.tables = sg_cuda_tables_find(plan, c.device.device);
    if (!status && out) status = sg_cuda_work_bytes(&c, &total);
    if (!status) *bytes = (size_t)total;
    return status;
}

const char *sigad_cuda_why_not(const void *pointer)
{
    const sg_cuda_driver *driver;
    sg_cuda_properties device;
    if (find_device(&driver, &device))
        return driver ? "there is no CUDA device here" : "this library was built without CUDA";
    if (!pointer) return "it is NULL";
    const int found = driver->runtime->look_at(pointer);
    if (found == SG_CUDA_UNKNOWN) return "the CUDA runtime reports an error, so that it cannot say";
    if (found == SG_CUDA_OF_HOST)
        return "it is memory of the host: copy it to the device, or have it pinned or managed";
    return found ? "it is memory of another device than the thread's current one" : NULL;
}

/* Do all arrays that have entries lie where the device reaches them? */
static sigad_status check_places(const sg_cuda_driver *driver, const sg_cuda_call *c, int64_t x,
                                 int64_t y, const void *work)
{
    const void *const given[] = {x ? c->x : NULL, c->backward && y ? c->y_bar : NULL, c->out,
                                 c->batch ? c->lengths : NULL, work};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        const int found = given[i] ? driver->runtime->look_at(given[i]) : SG_CUDA_REACHED;
        if (found) return found == SG_CUDA_UNKNOWN ? SIGAD_ECUDA : SIGAD_EINVAL;
    }
    return SIGAD_OK;
}

static sigad_status run(sg_cuda_call c, void *work, size_t work_bytes, void *stream)
{
    const sg_cuda_driver *driver;
    int64_t x, y, out, needed;
    sigad_status status = check_sizes(&c, &x, &y, &out);
    if (!status) status = find_device(&driver, &c.device);
    if (status) return status;
    if ((x && !c.x) || (c.backward && y && !c.y_bar) || (out && !c.out)) return SIGAD_EINVAL;
    if (!out) return SIGAD_OK;
    c.tables = sg_cuda_tables_find(c.plan, c.device.device);
    if (!c.tables) return SIGAD_EINVAL;
    status = sg_cuda_work_bytes(&c, &needed);
    if (status) return status;
    if ((uintptr_t)work % ALIGNMENT || (needed && !work)) return SIGAD_EINVAL;
    if (work_bytes < (size_t)needed) return SIGAD_ESHAPE;
    status = check_places(driver, &c, x, y, needed ? work : NULL);
    if (status) return status;
    return sg_cuda_run(&c, c.scalar_bytes == 4 ? driver->f32 : driver->f64, work, stream);
}

enum {
    operation_sig = SG_CUDA_SIG,
    operation_log_sig = SG_CUDA_LOG_SIG,
    operation_sig_to_log_sig = SG_CUDA_SIG_TO_LOG_SIG,
    operation_logsig_to_sig = SG_CUDA_LOGSIG_TO_SIG
};
enum { bytes_of_f32 = sizeof(float), bytes_of_f64 = sizeof(double) };

#define SG_TAIL void *workspace, size_t workspace_bytes, void *stream
#define SG_CALL(name, S, of_backward, ...)            \
    run((sg_cuda_call){.plan = plan,                  \
                       .operation = operation_##name, \
                       .backward = of_backward,       \
                       .scalar_bytes = bytes_of_##S,  \
                       .batch = batch,                \
                       __VA_ARGS__},                  \
        workspace, workspace_bytes, stream)

SG_SIGNATURE_FUNCTIONS(sigad_cuda_)

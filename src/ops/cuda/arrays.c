/* The signature functions on device pointers: what can be checked without looking at the device's
 * memory, then the kernels. */
#include "core/memory.h"
#include "ops/cuda/run.h"
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
    if (found == SG_CUDA_OF_HOST)
        return "it is memory of the host: copy it to the device, or have it pinned or managed";
    return found ? "it is memory of another device than the thread's current one" : NULL;
}

/* All arrays that have entries lie where the device reaches them. */
static bool can_reach(const sg_cuda_driver *driver, const sg_cuda_call *c, int64_t x, int64_t y,
                      const void *work)
{
    const void *const given[] = {x ? c->x : NULL, c->backward && y ? c->y_bar : NULL, c->out,
                                 c->batch ? c->lengths : NULL, work};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i] && driver->runtime->look_at(given[i]) != SG_CUDA_REACHED) return false;
    return true;
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
    if (!can_reach(driver, &c, x, y, needed ? work : NULL)) return SIGAD_EINVAL;
    return sg_cuda_run(&c, c.scalar_bytes == 4 ? driver->f32 : driver->f64, work, stream);
}

#define FROM_PATH(name, OPERATION, REAL, S)                                                     \
    sigad_status sigad_cuda_##name##_##S(const sigad_plan *plan, int64_t batch, int64_t length, \
                                         const int64_t *lengths, const REAL *path, REAL *out,   \
                                         void *workspace, size_t workspace_bytes, void *stream) \
    {                                                                                           \
        return run((sg_cuda_call){.plan = plan,                                                 \
                                  .operation = OPERATION,                                       \
                                  .scalar_bytes = sizeof(REAL),                                 \
                                  .batch = batch,                                               \
                                  .length = length,                                             \
                                  .lengths = lengths,                                           \
                                  .x = path,                                                    \
                                  .out = out},                                                  \
                   workspace, workspace_bytes, stream);                                         \
    }                                                                                           \
    sigad_status sigad_cuda_##name##_backprop_##S(                                              \
        const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths,          \
        const REAL *path, const REAL *derivs, REAL *path_derivs, void *workspace,               \
        size_t workspace_bytes, void *stream)                                                   \
    {                                                                                           \
        return run((sg_cuda_call){.plan = plan,                                                 \
                                  .operation = OPERATION,                                       \
                                  .backward = true,                                             \
                                  .scalar_bytes = sizeof(REAL),                                 \
                                  .batch = batch,                                               \
                                  .length = length,                                             \
                                  .lengths = lengths,                                           \
                                  .x = path,                                                    \
                                  .y_bar = derivs,                                              \
                                  .out = path_derivs},                                          \
                   workspace, workspace_bytes, stream);                                         \
    }

#define BETWEEN(name, OPERATION, REAL, S)                                                         \
    sigad_status sigad_cuda_##name##_##S(const sigad_plan *plan, int64_t batch, const REAL *x,    \
                                         REAL *y, void *workspace, size_t workspace_bytes,        \
                                         void *stream)                                            \
    {                                                                                             \
        return run((sg_cuda_call){.plan = plan,                                                   \
                                  .operation = OPERATION,                                         \
                                  .scalar_bytes = sizeof(REAL),                                   \
                                  .batch = batch,                                                 \
                                  .x = x,                                                         \
                                  .out = y},                                                      \
                   workspace, workspace_bytes, stream);                                           \
    }                                                                                             \
    sigad_status sigad_cuda_##name##_backprop_##S(                                                \
        const sigad_plan *plan, int64_t batch, const REAL *x, const REAL *derivs, REAL *x_derivs, \
        void *workspace, size_t workspace_bytes, void *stream)                                    \
    {                                                                                             \
        return run((sg_cuda_call){.plan = plan,                                                   \
                                  .operation = OPERATION,                                         \
                                  .backward = true,                                               \
                                  .scalar_bytes = sizeof(REAL),                                   \
                                  .batch = batch,                                                 \
                                  .x = x,                                                         \
                                  .y_bar = derivs,                                                \
                                  .out = x_derivs},                                               \
                   workspace, workspace_bytes, stream);                                           \
    }

#define ALL(REAL, S)                                         \
    FROM_PATH(sig, SG_CUDA_SIG, REAL, S)                     \
    FROM_PATH(log_sig, SG_CUDA_LOG_SIG, REAL, S)             \
    BETWEEN(sig_to_log_sig, SG_CUDA_SIG_TO_LOG_SIG, REAL, S) \
    BETWEEN(logsig_to_sig, SG_CUDA_LOGSIG_TO_SIG, REAL, S)

ALL(float, f32)
ALL(double, f64)

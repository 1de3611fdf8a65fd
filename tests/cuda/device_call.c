#include "device_call.h"
#include "device_memory.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int call_is_backward(sigad_call call)
{
    return call % 2 == 0;
}

int call_from_path(sigad_call call)
{
    return call <= SIGAD_CALL_LOG_SIG_BACKPROP;
}

int64_t call_x_entries(const device_call *c)
{
    int64_t entries = 0;
    if (call_from_path(c->call)) return c->length * c->spec.dimension;
    if (c->call <= SIGAD_CALL_SIG_TO_LOG_SIG_BACKPROP)
        sigad_sig_length(&c->spec, &entries);
    else
        sigad_log_sig_length(&c->spec, &entries);
    return entries;
}

int64_t call_y_entries(const device_call *c)
{
    int64_t entries = 0;
    if (c->call <= SIGAD_CALL_SIG_BACKPROP || c->call >= SIGAD_CALL_LOGSIG_TO_SIG)
        sigad_sig_length(&c->spec, &entries);
    else
        sigad_log_sig_length(&c->spec, &entries);
    return entries;
}

int64_t call_out_entries(const device_call *c)
{
    return c->batch * (call_is_backward(c->call) ? call_x_entries(c) : call_y_entries(c));
}

size_t call_entry_bytes(const device_call *c)
{
    return c->dtype == SIGAD_F32 ? sizeof(float) : sizeof(double);
}

/* ---- the functions behind one shape ---------------------------------------------------------- */

/* The same choice for both sets of functions; `rest` is what stands after the arrays. */
#define CHOOSE(prefix, S, c, plan, lengths, x, g, out, ...)                                      \
    switch ((c)->call) {                                                                         \
    case SIGAD_CALL_SIG:                                                                         \
        return prefix##sig_##S(plan, (c)->batch, (c)->length, lengths, x, out, __VA_ARGS__);     \
    case SIGAD_CALL_SIG_BACKPROP:                                                                \
        return prefix##sig_backprop_##S(plan, (c)->batch, (c)->length, lengths, x, g, out,       \
                                        __VA_ARGS__);                                            \
    case SIGAD_CALL_LOG_SIG:                                                                     \
        return prefix##log_sig_##S(plan, (c)->batch, (c)->length, lengths, x, out, __VA_ARGS__); \
    case SIGAD_CALL_LOG_SIG_BACKPROP:                                                            \
        return prefix##log_sig_backprop_##S(plan, (c)->batch, (c)->length, lengths, x, g, out,   \
                                            __VA_ARGS__);                                        \
    case SIGAD_CALL_SIG_TO_LOG_SIG:                                                              \
        return prefix##sig_to_log_sig_##S(plan, (c)->batch, x, out, __VA_ARGS__);                \
    case SIGAD_CALL_SIG_TO_LOG_SIG_BACKPROP:                                                     \
        return prefix##sig_to_log_sig_backprop_##S(plan, (c)->batch, x, g, out, __VA_ARGS__);    \
    case SIGAD_CALL_LOGSIG_TO_SIG:                                                               \
        return prefix##logsig_to_sig_##S(plan, (c)->batch, x, out, __VA_ARGS__);                 \
    default:                                                                                     \
        return prefix##logsig_to_sig_backprop_##S(plan, (c)->batch, x, g, out, __VA_ARGS__);     \
    }

#define BOTH(S)                                                                           \
    static sigad_status host_##S(const device_call *c, const sigad_plan *plan, void *out) \
    {                                                                                     \
        CHOOSE(sigad_, S, c, plan, c->lengths, c->x, c->y_bar, out, 1)                    \
    }                                                                                     \
    static sigad_status device_##S(const device_call *c, const sigad_plan *plan,          \
                                   const int64_t *lengths, const void *x, const void *g,  \
                                   void *out, void *work, size_t bytes)                   \
    {                                                                                     \
        CHOOSE(sigad_cuda_, S, c, plan, lengths, x, g, out, work, bytes, NULL)            \
    }
BOTH(f32)
BOTH(f64)

sigad_status call_on_host(const device_call *c, void *out)
{
    sigad_plan *plan;
    sigad_status status = sigad_plan_create(&c->spec, &plan);
    if (!status) status = (c->dtype == SIGAD_F32 ? host_f32 : host_f64)(c, plan, out);
    sigad_plan_destroy(plan);
    return status;
}

/* ---- on the device ----------------------------------------------------------------------------
 */

static void *uploaded(const void *from, size_t bytes)
{
    void *to = device_take(bytes);
    if (to && bytes && device_put(to, from, bytes)) {
        device_release(to);
        return NULL;
    }
    return to;
}

sigad_status device_begin(const device_call *c, device_job *job)
{
    size_t entry = call_entry_bytes(c), count = (size_t)c->batch;
    *job = (device_job){NULL, NULL, NULL, NULL, NULL, NULL, 0};
    sigad_status status = sigad_plan_create(&c->spec, &job->plan);
    if (!status) status = sigad_cuda_prepare(job->plan);
    if (!status)
        status = sigad_cuda_workspace(job->plan, c->call, c->dtype, c->batch, c->length,
                                      &job->work_bytes);
    if (status) return status;
    job->x = uploaded(c->x, count * (size_t)call_x_entries(c) * entry);
    if (c->y_bar) job->y_bar = uploaded(c->y_bar, count * (size_t)call_y_entries(c) * entry);
    if (c->lengths) job->lengths = uploaded(c->lengths, count * sizeof *job->lengths);
    job->out = device_take((size_t)call_out_entries(c) * entry);
    job->work = device_take(job->work_bytes);
    int good = job->x && job->out && job->work && (!c->y_bar || job->y_bar) &&
               (!c->lengths || job->lengths);
    return good ? SIGAD_OK : SIGAD_ENOMEM;
}

sigad_status device_call_once(const device_call *c, const device_job *job)
{
    return (c->dtype == SIGAD_F32 ? device_f32 : device_f64)(
        c, job->plan, job->lengths, job->x, job->y_bar, job->out, job->work, job->work_bytes);
}

void device_end(device_job *job)
{
    sigad_plan_destroy(job->plan);
    device_release(job->x);
    device_release(job->y_bar);
    device_release(job->lengths);
    device_release(job->out);
    device_release(job->work);
}

sigad_status call_on_device(const device_call *c, void *out)
{
    device_job job;
    sigad_status status = device_begin(c, &job);
    if (!status) status = device_call_once(c, &job);
    if (!status && device_get(out, job.out, (size_t)call_out_entries(c) * call_entry_bytes(c)))
        status = SIGAD_ECUDA;
    device_end(&job);
    return status;
}

/* ---- comparing --------------------------------------------------------------------------------
 */

void *call_numbers(sigad_dtype dtype, int64_t n, double size, double phase)
{
    void *x = malloc((size_t)n * sizeof(double) + 1);
    for (int64_t i = 0; i < n; i++) {
        double value = size * sin((double)i * 1.7 + phase);
        if (dtype == SIGAD_F32)
            ((float *)x)[i] = (float)value;
        else
            ((double *)x)[i] = value;
    }
    return x;
}

double call_entry(sigad_dtype dtype, const void *array, int64_t i)
{
    return dtype == SIGAD_F32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

double call_distance(sigad_dtype dtype, int64_t n, const void *a, const void *b)
{
    double worst = 0, largest = 1;
    for (int64_t i = 0; i < n; i++) {
        double want = call_entry(dtype, b, i), error = fabs(call_entry(dtype, a, i) - want);
        if (isnan(error)) return INFINITY;
        if (error > worst) worst = error;
        if (fabs(want) > largest) largest = fabs(want);
    }
    return worst / largest;
}

void call_print(const device_call *c)
{
    static const char *const name[] = {"sig", "log_sig", "sig_to_log_sig", "logsig_to_sig"};
    printf("%s%s float%d dimension %d degree %d time_aug %d lead_lag %d scalar_term %d method %d "
           "end_time %g batch %lld length %lld%s: ",
           name[(c->call - 1) / 2], call_is_backward(c->call) ? " backward" : "",
           c->dtype == SIGAD_F32 ? 32 : 64, (int)c->spec.dimension, (int)c->spec.degree,
           (int)c->spec.time_aug, (int)c->spec.lead_lag, (int)c->spec.scalar_term,
           (int)c->spec.method, c->spec.end_time, (long long)c->batch, (long long)c->length,
           c->lengths ? " lengths" : "");
}

/* The signature functions on plain arrays: checks, scratch from the plan's allocator, the kernels
 * over the batch. */
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/signature_functions.h"
#include "ops/signature_route.h"

/* batch * entries elements fit in memory, and if there are any, the pointer is there. */
static sigad_status check_array(int64_t batch, int64_t entries, int64_t bytes, const void *array,
                                int64_t *total)
{
    if (!sg_multiply(batch, entries, total) || !sg_multiply(*total, bytes, total))
        return SIGAD_ERANGE;
    return *total && !array ? SIGAD_EINVAL : SIGAD_OK;
}

static sigad_status check(const sg_signature_batch *b, int what, int n_jobs, int64_t *out_bytes)
{
    if (!b->plan || b->batch < 0 || b->length < 0 || n_jobs == 0) return SIGAD_EINVAL;
    int64_t bytes = b->scalar == SG_F32 ? 4 : 8, points, x_bytes, y_bytes;
    if (b->kernels->from_path && !sg_multiply(b->length, b->plan->spec.dimension, &points))
        return SIGAD_ERANGE;
    int64_t x_entries = sg_signature_x_entries(b->kernels, b->plan, b->length);
    int64_t y_entries = sg_signature_y_entries(b->kernels, b->plan);
    const void *y = what == SG_BATCH_FWD ? b->out : b->y_bar;
    sigad_status x_status = check_array(b->batch, x_entries, bytes, b->x, &x_bytes);
    sigad_status y_status = check_array(b->batch, y_entries, bytes, y, &y_bytes);
    if (x_status || y_status) return x_status ? x_status : y_status;
    *out_bytes = what == SG_BATCH_FWD ? y_bytes : x_bytes;
    if (*out_bytes && !b->out) return SIGAD_EINVAL;
    if (b->lengths && sg_signature_bad_length(b->lengths, b->batch, b->length) >= 0)
        return SIGAD_ESHAPE;
    return SIGAD_OK;
}

static sigad_status run(sg_signature_batch b, int what, int n_jobs)
{
    int64_t out_bytes, total;
    sigad_status status = check(&b, what, n_jobs, &out_bytes);
    if (status || !out_bytes) return status;
    b.threads = sg_thread_count(n_jobs);
    b.ragged = b.lengths != NULL;
    sg_signature_layout layout = sg_signature_lay_out(&b, what);
    total = sg_signature_layout_bytes(&layout);
    if (total < 0) return SIGAD_ENOMEM;
    b.work = sg_allocate(&b.plan->allocator, (size_t)total);
    if (!b.work) return SIGAD_ENOMEM;
    b.fresh = what == SG_BATCH_VJP;
    sg_signature_run_by(&b, what, &layout);
    sg_release(&b.plan->allocator, b.work, (size_t)total);
    return SIGAD_OK;
}

enum { scalar_of_f32 = SG_F32, scalar_of_f64 = SG_F64 };

#define SG_TAIL int n_jobs
#define SG_CALL(name, S, backward, ...)                       \
    run((sg_signature_batch){.kernels = &sg_##name##_kernels, \
                             .plan = plan,                    \
                             .scalar = scalar_of_##S,         \
                             .batch = batch,                  \
                             __VA_ARGS__},                    \
        backward ? SG_BATCH_VJP : SG_BATCH_FWD, n_jobs)

SG_SIGNATURE_FUNCTIONS(sigad_)

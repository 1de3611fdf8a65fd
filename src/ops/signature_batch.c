#include "ops/signature_batch.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/signature_route.h"

#define OF_EACH(name, scalar_of)                                         \
    {                                                                    \
        scalar_of(name, f32), scalar_of(name, f64), scalar_of(name, c64) \
    }
#define KERNEL(name, scalar) sg_##name##_##scalar
#define SHARED(name, scalar) sg_##name
#define KERNELS(name, path, work)                                                             \
    const sg_signature_kernels sg_##name##_kernels = {.from_path = path,                      \
                                                      .fwd = OF_EACH(name, KERNEL),           \
                                                      .vjp = OF_EACH(name##_vjp, KERNEL),     \
                                                      .fwd_work = OF_EACH(name##_work, work), \
                                                      .vjp_work = OF_EACH(name##_vjp_work, work)}
KERNELS(sig, true, KERNEL);
KERNELS(log_sig, true, KERNEL);
KERNELS(sig_to_log_sig, false, SHARED);
KERNELS(logsig_to_sig, false, SHARED);

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

/* A choice by shape alone: every item of a call is computed in the same way wherever it stands. */
static const sg_lane_kernels *lanes_for(const sg_signature_batch *b, int what)
{
    bool served = b->batch > 1 && (what == SG_BATCH_FWD || what == SG_BATCH_VJP) &&
                  (b->kernels->from_path ? b->length > 1 && sg_lanes_serve(b->plan)
                                         : sg_lanes_transform(b->plan));
    bool closed_form =
        b->kernels == &sg_sig_kernels && what == SG_BATCH_VJP && sg_lanes_vjp_is_closed(b->plan);
    if (!served && !closed_form) return NULL;
    const sg_lane_kernels *lanes =
        (b->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[b->plan->isa];
    bool small = !b->kernels->from_path || what == SG_BATCH_VJP ||
                 lanes->sig_bytes(b->plan, b->length) <= SG_LANE_BYTES;
    return small ? lanes : NULL;
}

/* Waking threads takes longer than about this many products. */
static bool is_small(const sg_signature_batch *b)
{
    int64_t steps = b->kernels->from_path ? b->length : b->plan->degree, products;
    return sg_multiply(b->batch, steps, &products) &&
           sg_multiply(products, sg_plan_words(b->plan), &products) && products < 1 << 18;
}

static sg_signature_layout lay_out(const sg_signature_batch *b, int what)
{
    sg_signature_layout l = {
        .lanes = lanes_for(b, what), .pieces = b->batch, .threads = b->threads};
    if (l.lanes) {
        l.pieces = (b->batch + l.lanes->lanes - 1) / l.lanes->lanes;
        l.order_bytes = sg_block(b->batch) * (int64_t)sizeof(int64_t);
        l.row_bytes = sg_signature_row_bytes(b, what, l.lanes->lanes);
        int64_t lane_bytes = sg_signature_lane_bytes(b, what, l.lanes);
        l.area_bytes = l.row_bytes < 0 ? -1 : l.row_bytes + lane_bytes;
    } else {
        l.area_bytes = sg_signature_item_bytes(b, what);
    }
    if (l.threads > l.pieces) l.threads = (int)l.pieces;
    if (is_small(b)) l.threads = 1;
    return l;
}

int64_t sg_signature_work_bytes(const sg_signature_batch *batch, int what)
{
    sg_signature_layout l = lay_out(batch, what);
    int64_t total;
    if (l.area_bytes < 0 || !sg_multiply(l.area_bytes, l.threads, &total) ||
        !sg_add(total, l.order_bytes, &total))
        return -1;
    return total;
}

int64_t sg_signature_bad_length(const int64_t *lengths, int64_t batch, int64_t length)
{
    for (int64_t i = 0; i < batch; i++)
        if (lengths[i] < 0 || lengths[i] > length) return i;
    return -1;
}

void sg_signature_run(const sg_signature_batch *batch, int what)
{
    sg_signature_job j = {.batch = batch,
                          .what = what,
                          .layout = lay_out(batch, what),
                          .x_entries =
                              sg_signature_x_entries(batch->kernels, batch->plan, batch->length),
                          .y_entries = sg_signature_y_entries(batch->kernels, batch->plan),
                          .order = batch->work};
    if (j.layout.lanes && batch->lengths) sg_signature_sort(batch->lengths, j.order, batch->batch);
    sg_parallel(j.layout.threads, j.layout.pieces,
                j.layout.lanes ? sg_signature_run_group : sg_signature_run_item, &j);
}

/* Groups of items, one item per vector lane. */
#include "core/memory.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include "ops/signature_route.h"
#include <string.h>

int64_t sg_signature_row_bytes(const sg_signature_batch *b, int what, int lanes)
{
    if (b->kernels != &sg_log_sig_kernels) return 0;
    int copies = sg_signature_is_forward(what) ? lanes : 2 * lanes;
    int64_t total = sg_work_add(0, copies, b->plan->sig_length);
    return total < 0 ? -1 : total * sg_scalar_bytes(b->scalar);
}

static bool is_closed_log(const sg_signature_batch *b)
{
    int64_t steps = sg_steps(b->plan, b->length);
    return b->kernels == &sg_log_sig_kernels && b->plan->degree <= 3 &&
           sg_tensor_vjp_is_closed(b->plan, steps);
}

int64_t sg_signature_lane_bytes(const sg_signature_batch *b, int what, const sg_lane_kernels *lanes)
{
    bool forward = sg_signature_is_forward(what);
    int64_t most = 0, bytes;
    if (b->kernels->from_path && (forward || b->kernels != &sg_sig_kernels))
        most = lanes->sig_bytes(b->plan, b->length);
    if (b->kernels->from_path && !forward) {
        bytes = is_closed_log(b) ? sg_sig_kernels.vjp_work[b->scalar](b->plan, b->length) *
                                       sg_scalar_bytes(b->scalar)
                                 : lanes->sig_vjp_bytes(b->plan, b->length);
        if (bytes > most) most = bytes;
    }
    if (b->kernels != &sg_sig_kernels && sg_lanes_transform(b->plan)) {
        bytes = (forward ? lanes->transform_bytes : lanes->transform_vjp_bytes)(b->plan);
        if (bytes > most) most = bytes;
    } else if (b->kernels != &sg_sig_kernels) {
        bytes = (forward ? sg_sig_to_log_sig_work : sg_sig_to_log_sig_vjp_work)(b->plan, 0);
        bytes = bytes < 0 ? -1 : bytes * sg_scalar_bytes(b->scalar);
        if (bytes < 0 || bytes > most) most = bytes;
    }
    return most;
}

/* The rows of a task's groups. */
typedef struct {
    int count;
    int64_t length[SG_MOST_ROWS], room[SG_MOST_ROWS];
    double time[SG_MOST_ROWS];
    const void *x[SG_MOST_ROWS], *y_bar[SG_MOST_ROWS];
    void *out[SG_MOST_ROWS];
} rows;

static inline void *place_of(const void *array, int64_t bytes)
{
    return array ? (char *)(uintptr_t)array + bytes : NULL;
}

static void find_rows(const sg_signature_job *j, int64_t task, rows *r)
{
    const sg_signature_batch *b = j->batch;
    const int64_t *order = j->layout.order_bytes ? j->order : NULL;
    int64_t most = j->items, first = task * most, left = b->batch - first;
    int64_t bytes = sg_scalar_bytes(b->scalar), x_bytes = j->x_entries * bytes,
            y_bytes = j->y_entries * bytes,
            out_bytes = sg_signature_is_forward(j->what) ? y_bytes : x_bytes;
    r->count = (int)(left < most ? left : most);
    for (int k = 0; k < r->count; k++) {
        int64_t i = order ? order[first + k] : first + k;
        r->length[k] = b->lengths ? b->lengths[i] : b->length;
        r->room[k] = b->length;
        r->time[k] = sg_time_step(b->plan, r->length[k]);
        r->x[k] = place_of(b->x, i * x_bytes);
        r->y_bar[k] = place_of(b->y_bar, i * y_bytes);
        r->out[k] = place_of(b->out, i * out_bytes);
        if (b->fresh) memset(r->out[k], 0, (size_t)x_bytes);
    }
}

/* Takes one array of signature size for each row off the front of the scratch. */
static void take_rows(const sg_signature_job *j, char **rest, void **row)
{
    const sg_signature_batch *b = j->batch;
    int64_t bytes = sg_block(b->plan->sig_length) * sg_scalar_bytes(b->scalar);
    for (int k = 0; k < j->layout.lanes->lanes; k++, *rest += bytes) row[k] = *rest;
}

/* Cotangents of the paths of a group from those of their signatures. Where a closed form is cheaper
 * than a group, only logarithms come here. */
static void pull_rows(const sg_signature_job *j, const rows *r, const void *const *sig_bar,
                      void *work)
{
    const sg_signature_batch *b = j->batch;
    if (is_closed_log(b)) {
        for (int k = 0; k < r->count; k++)
            sg_sig_kernels.vjp[b->scalar](b->plan, r->length[k], r->x[k], sig_bar[k], r->out[k],
                                          work);
        return;
    }
    j->layout.lanes->sig_vjp(b->plan, b->length, r->count, r->length, r->room, r->time, r->x,
                             sig_bar, r->out, work);
}

static void run_sig_groups(const sg_signature_job *j, int64_t task, int worker)
{
    const sg_signature_batch *b = j->batch;
    const sg_lane_kernels *lanes = j->layout.lanes;
    rows r;
    find_rows(j, task, &r);
    if (j->what == SG_BATCH_FWD)
        lanes->sig(b->plan, b->length, r.count, r.length, r.room, r.time, r.x, r.out,
                   sg_signature_area(j, worker));
    else
        pull_rows(j, &r, r.y_bar, sg_signature_area(j, worker));
}

/* Logarithms of the rows x of a group, or their cotangents. */
static void transform_rows(const sg_signature_job *j, const rows *r, const void *const *x,
                           void *const *x_bar, void *work)
{
    const sg_signature_batch *b = j->batch;
    const sg_lane_transform *log = &j->layout.lanes->log;
    bool lanes = sg_lanes_transform(b->plan), forward = j->what == SG_BATCH_FWD;
    if (lanes && forward) log->fwd(b->plan, r->count, x, r->out, work);
    if (lanes && !forward) log->vjp(b->plan, r->count, x, r->y_bar, x_bar, work);
    for (int k = 0; !lanes && k < r->count; k++) {
        const sg_signature_kernels *row = &sg_sig_to_log_sig_kernels;
        if (forward)
            row->fwd[b->scalar](b->plan, 0, x[k], r->out[k], work);
        else
            row->vjp[b->scalar](b->plan, 0, x[k], r->y_bar[k], x_bar[k], work);
    }
}

static void run_log_sig_group(const sg_signature_job *j, int64_t group, int worker)
{
    const sg_signature_batch *b = j->batch;
    const sg_lane_kernels *lanes = j->layout.lanes;
    char *area = sg_signature_area(j, worker), *rest = area,
         *lane_work = area + j->layout.row_bytes;
    void *sig[SG_MOST_LANES], *sig_bar[SG_MOST_LANES];
    const void *x[SG_MOST_LANES], *cotangent[SG_MOST_LANES];
    rows r;
    find_rows(j, group, &r);
    take_rows(j, &rest, sig);
    lanes->sig(b->plan, b->length, r.count, r.length, r.room, r.time, r.x, sig, lane_work);
    for (int k = 0; k < r.count; k++) x[k] = sig[k];
    if (j->what == SG_BATCH_FWD) {
        transform_rows(j, &r, x, NULL, lane_work);
        return;
    }
    take_rows(j, &rest, sig_bar);
    for (int k = 0; k < r.count; k++) {
        memset(sig_bar[k], 0, (size_t)(b->plan->sig_length * sg_scalar_bytes(b->scalar)));
        cotangent[k] = sig_bar[k];
    }
    transform_rows(j, &r, x, sig_bar, lane_work);
    pull_rows(j, &r, cotangent, lane_work);
}

static void run_transform_group(const sg_signature_job *j, int64_t group, int worker)
{
    const sg_signature_batch *b = j->batch;
    const sg_lane_kernels *lanes = j->layout.lanes;
    bool to_log = b->kernels == &sg_sig_to_log_sig_kernels;
    const sg_lane_transform *transform = to_log ? &lanes->log : &lanes->exp;
    rows r;
    find_rows(j, group, &r);
    if (j->what == SG_BATCH_FWD)
        transform->fwd(b->plan, r.count, r.x, r.out, sg_signature_area(j, worker));
    else
        transform->vjp(b->plan, r.count, r.x, r.y_bar, r.out, sg_signature_area(j, worker));
}

/* Paths of like length share a group, so that few lanes idle: a counting sort by classes of
 * length, the longest first. */
void sg_signature_sort(const int64_t *lengths, int64_t longest, int64_t *order, int64_t count)
{
    enum { CLASSES = 256, FEW = 64 };
    int64_t first[CLASSES], classes = count > FEW ? CLASSES : FEW, at = 0;
    int shift = 0;
    while (longest >> shift >= classes) shift++;
    memset(first, 0, (size_t)classes * sizeof *first);
    for (int64_t i = 0; i < count; i++) first[lengths[i] >> shift]++;
    for (int64_t c = classes; c-- > 0;) {
        int64_t members = first[c];
        first[c] = at;
        at += members;
    }
    for (int64_t i = 0; i < count; i++) order[first[lengths[i] >> shift]++] = i;
}

void sg_signature_run_group(void *user, int64_t task, int worker)
{
    const sg_signature_job *j = user;
    if (!j->batch->kernels->from_path)
        run_transform_group(j, task, worker);
    else if (j->batch->kernels == &sg_log_sig_kernels)
        run_log_sig_group(j, task, worker);
    else
        run_sig_groups(j, task, worker);
}

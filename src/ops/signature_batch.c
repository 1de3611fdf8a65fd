#include "ops/signature_batch.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/cpu/lanes/lanes.h"
#include <complex.h>
#include <string.h>

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

/* ---- how a call is cut into pieces --------------------------------------------------------------
 */

typedef struct {
    const sg_lane_kernels *lanes; /* NULL: a piece is one item, else one group of this many */
    int64_t pieces;
    int threads;
    int64_t order_bytes; /* of the items' order, before the threads' areas */
    int64_t row_bytes;   /* of what comes row by row, first in a thread's area */
    int64_t area_bytes;  /* of one thread; -1: more than any memory */
} layout;

static bool is_forward(int what)
{
    return what == SG_BATCH_FWD || what == SG_BATCH_JVP;
}

static int64_t single_bytes(const sg_signature_batch *b, int what)
{
    bool forward = is_forward(what);
    int scalar = b->scalar;
    int64_t total = (forward ? b->kernels->fwd_work : b->kernels->vjp_work)(b->plan, b->length);
    if (what == SG_BATCH_JVP || what == SG_BATCH_SOC) {
        /* the complex copies of x, of y or its cotangent, and of the derivative */
        total = sg_work_add(total, forward ? 1 : 2,
                            sg_signature_x_entries(b->kernels, b->plan, b->length));
        total = sg_work_add(total, 1, sg_signature_y_entries(b->kernels, b->plan));
        scalar = SG_C64;
    }
    if (total == 0) total = SG_BLOCK; /* never NULL */
    return total < 0 ? -1 : total * scalar_bytes[scalar];
}

/* A choice by shape alone: every item of a call is computed in the same way wherever it stands. */
static const sg_lane_kernels *lanes_for(const sg_signature_batch *b, int what)
{
    bool served = b->kernels->from_path && (what == SG_BATCH_FWD || what == SG_BATCH_VJP) &&
                  b->batch > 1 && b->length > 1 && sg_lanes_serve(b->plan);
    if (!served) return NULL;
    return (b->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[b->plan->isa];
}

/* For a group of log-signatures: the signatures in between, their cotangents, and the scratch of
 * the transform, which runs row by row. */
static int64_t row_bytes(const sg_signature_batch *b, int what, int lanes)
{
    bool forward = is_forward(what);
    if (b->kernels != &sg_log_sig_kernels) return 0;
    int64_t rest = (forward ? sg_sig_to_log_sig_work : sg_sig_to_log_sig_vjp_work)(b->plan, 0);
    int64_t total = sg_work_add(rest, forward ? lanes : 2 * lanes, b->plan->sig_length);
    return total < 0 ? -1 : total * scalar_bytes[b->scalar];
}

/* Waking threads takes longer than about this many products. */
static bool is_small(const sg_signature_batch *b)
{
    int64_t steps = b->kernels->from_path ? b->length : b->plan->degree, products;
    return sg_multiply(b->batch, steps, &products) &&
           sg_multiply(products, sg_plan_words(b->plan), &products) && products < 1 << 18;
}

static layout lay_out(const sg_signature_batch *b, int what)
{
    layout l = {.lanes = lanes_for(b, what), .pieces = b->batch, .threads = b->threads};
    if (l.lanes) {
        l.pieces = (b->batch + l.lanes->lanes - 1) / l.lanes->lanes;
        l.order_bytes = sg_block(b->batch) * (int64_t)sizeof(int64_t);
        l.row_bytes = row_bytes(b, what, l.lanes->lanes);
        int64_t fwd = l.lanes->sig_bytes(b->plan), vjp = 0;
        if (what == SG_BATCH_VJP) vjp = l.lanes->sig_vjp_bytes(b->plan, b->length);
        l.area_bytes = l.row_bytes < 0 ? -1 : l.row_bytes + (fwd > vjp ? fwd : vjp);
    } else {
        l.area_bytes = single_bytes(b, what);
    }
    if (l.threads > l.pieces) l.threads = (int)l.pieces;
    if (is_small(b)) l.threads = 1;
    return l;
}

int64_t sg_signature_work_bytes(const sg_signature_batch *batch, int what)
{
    layout l = lay_out(batch, what);
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
    layout layout;
    int64_t x_entries, y_entries; /* of an item's place */
    int64_t *order;
} job;

static void *area_of(const job *j, int worker)
{
    return (char *)j->batch->work + j->layout.order_bytes + worker * j->layout.area_bytes;
}

static void run_item(void *user, int64_t i, int worker)
{
    const job *j = user;
    const sg_signature_batch *b = j->batch;
    int64_t length = b->lengths ? b->lengths[i] : b->length;
    int64_t x_at = i * j->x_entries, y_at = i * j->y_entries;
    const void *x = advance(b->x, x_at, b->scalar), *y_bar = advance(b->y_bar, y_at, b->scalar);
    void *out = advance(b->out, is_forward(j->what) ? y_at : x_at, b->scalar);
    void *work = area_of(j, worker);
    if (j->what == SG_BATCH_FWD)
        b->kernels->fwd[b->scalar](b->plan, length, x, out, work);
    else if (j->what == SG_BATCH_VJP)
        b->kernels->vjp[b->scalar](b->plan, length, x, y_bar, out, work);
    else
        differentiate_item(b, is_forward(j->what), length, x, y_bar,
                           advance(b->x_dot, x_at, b->scalar), out, work);
}

/* ---- groups: one path per vector lane ----------------------------------------------------------
 */

enum { MOST_LANES = 16 };

/* The rows of one group. */
typedef struct {
    int count;
    int64_t length[MOST_LANES];
    const void *x[MOST_LANES], *y_bar[MOST_LANES];
    void *out[MOST_LANES];
} rows;

static void find_rows(const job *j, int64_t group, rows *r)
{
    const sg_signature_batch *b = j->batch;
    int64_t first = group * j->layout.lanes->lanes, left = b->batch - first;
    r->count = left < j->layout.lanes->lanes ? (int)left : j->layout.lanes->lanes;
    for (int k = 0; k < r->count; k++) {
        int64_t i = b->lengths ? j->order[first + k] : first + k;
        int64_t out_entries = is_forward(j->what) ? j->y_entries : j->x_entries;
        r->length[k] = b->lengths ? b->lengths[i] : b->length;
        r->x[k] = advance(b->x, i * j->x_entries, b->scalar);
        r->y_bar[k] = advance(b->y_bar, i * j->y_entries, b->scalar);
        r->out[k] = advance(b->out, i * out_entries, b->scalar);
    }
}

/* Takes one array of signature size for each row off the front of the scratch. */
static void take_rows(const job *j, char **rest, void **row)
{
    const sg_signature_batch *b = j->batch;
    int64_t bytes = sg_block(b->plan->sig_length) * scalar_bytes[b->scalar];
    for (int k = 0; k < j->layout.lanes->lanes; k++, *rest += bytes) row[k] = *rest;
}

static void run_sig_group(void *user, int64_t group, int worker)
{
    const job *j = user;
    const sg_signature_batch *b = j->batch;
    const sg_lane_kernels *lanes = j->layout.lanes;
    rows r;
    find_rows(j, group, &r);
    if (j->what == SG_BATCH_FWD)
        lanes->sig(b->plan, b->length, r.count, r.length, r.x, r.out, area_of(j, worker));
    else
        lanes->sig_vjp(b->plan, b->length, r.count, r.length, r.x, r.y_bar, r.out,
                       area_of(j, worker));
}

static void run_log_sig_group(void *user, int64_t group, int worker)
{
    const job *j = user;
    const sg_signature_batch *b = j->batch;
    const sg_lane_kernels *lanes = j->layout.lanes;
    const sg_signature_kernels *transform = &sg_sig_to_log_sig_kernels;
    char *area = area_of(j, worker), *rest = area, *lane_work = area + j->layout.row_bytes;
    void *sig[MOST_LANES], *sig_bar[MOST_LANES];
    const void *cotangent[MOST_LANES];
    rows r;
    find_rows(j, group, &r);
    take_rows(j, &rest, sig);
    lanes->sig(b->plan, b->length, r.count, r.length, r.x, sig, lane_work);
    if (j->what == SG_BATCH_FWD) {
        for (int k = 0; k < r.count; k++)
            transform->fwd[b->scalar](b->plan, 0, sig[k], r.out[k], rest);
        return;
    }
    take_rows(j, &rest, sig_bar);
    for (int k = 0; k < r.count; k++) {
        memset(sig_bar[k], 0, (size_t)(b->plan->sig_length * scalar_bytes[b->scalar]));
        transform->vjp[b->scalar](b->plan, 0, sig[k], r.y_bar[k], sig_bar[k], rest);
        cotangent[k] = sig_bar[k];
    }
    lanes->sig_vjp(b->plan, b->length, r.count, r.length, r.x, cotangent, r.out, lane_work);
}

/* Longer ones first, equal ones by index. */
static bool comes_later(const int64_t *lengths, int64_t a, int64_t b)
{
    return lengths[a] != lengths[b] ? lengths[a] < lengths[b] : a > b;
}

static void sift(const int64_t *lengths, int64_t *order, int64_t root, int64_t count)
{
    for (int64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && comes_later(lengths, order[child + 1], order[child])) child++;
        if (!comes_later(lengths, order[child], order[root])) return;
        int64_t held = order[root];
        order[root] = order[child];
        order[child] = held;
    }
}

/* Paths of like length share a group, so that few lanes idle. Heapsort: in place. */
static void sort_by_length(const int64_t *lengths, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++) order[i] = i;
    for (int64_t i = count / 2; i-- > 0;) sift(lengths, order, i, count);
    for (int64_t last = count; last-- > 1;) {
        int64_t held = order[0];
        order[0] = order[last];
        order[last] = held;
        sift(lengths, order, 0, last);
    }
}

void sg_signature_run(const sg_signature_batch *batch, int what)
{
    job j = {.batch = batch,
             .what = what,
             .layout = lay_out(batch, what),
             .x_entries = sg_signature_x_entries(batch->kernels, batch->plan, batch->length),
             .y_entries = sg_signature_y_entries(batch->kernels, batch->plan),
             .order = batch->work};
    if (j.layout.lanes && batch->lengths) sort_by_length(batch->lengths, j.order, batch->batch);
    void (*run)(void *, int64_t, int) = !j.layout.lanes                         ? run_item
                                        : batch->kernels == &sg_log_sig_kernels ? run_log_sig_group
                                                                                : run_sig_group;
    sg_parallel(j.layout.threads, j.layout.pieces, run, &j);
}

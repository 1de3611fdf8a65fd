/* How a call is computed: one item at a time, one item a lane, or paths cut into chunks that share
 * the lanes. A choice by the call's shape alone, so that an item's bits depend neither on its place
 * in the batch nor on the number of threads. */
#include "ops/signature_route.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/cpu/series.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include "ops/signature_chunks.h"

/* ---- what a route costs -------------------------------------------------------------------------
 *
 * In multiply-adds of whole vectors, 0.4 ns each on the machine where the constants were measured
 * (Zen 4, AVX-512). Only ratios matter to the choice. */

typedef struct {
    const sigad_plan *plan;
    bool forward, closed; /* closed: forward, path by path */
    int64_t bytes;        /* of a number */
    int degree;
    double lanes, batch, steps, words;
    double step;    /* multiply-adds of Horner's rule for one increment */
    double product; /* of the Chen product of two tensors */
    double log;     /* of a logarithm, where that is wanted */
    double run;     /* of one increment of a group, forward in closed form */
    bool field;     /* backward in closed form, item by item */
    double filled;  /* mean length of a path over the longest: a guess where lengths differ */
} shape;

static const sg_lane_kernels *vectors_of(const sg_signature_batch *b)
{
    return (b->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[b->plan->isa];
}

/* Kernels that take the paths of a group one after the other, with vectors along points. */
static bool is_closed(const sg_signature_batch *b, int what)
{
    return b->kernels == &sg_sig_kernels && what == SG_BATCH_FWD &&
           sg_lanes_sig_is_closed(b->plan, vectors_of(b)->pairs_letters);
}

static shape shape_of(const sg_signature_batch *b, int what, const sg_lane_kernels *lanes)
{
    const sigad_plan *plan = b->plan;
    shape s = {.plan = plan,
               .forward = sg_signature_is_forward(what),
               .closed = is_closed(b, what),
               .degree = plan->degree,
               .bytes = sg_scalar_bytes(b->scalar),
               .lanes = lanes->lanes,
               .batch = b->batch ? (double)b->batch : 1,
               .steps = (double)sg_steps(plan, b->length),
               .words = (double)sg_plan_words(plan),
               .step = (double)plan->letters * (plan->degree - 1),
               .filled = b->ragged ? 0.5 : 1};
    for (int n = 2; n <= plan->degree; n++) {
        s.step += (plan->degree - n + 1) * (double)plan->size[n];
        s.product += (n - 1) * (double)plan->size[n];
    }
    s.field = what == SG_BATCH_VJP && sg_tensor_vjp_is_closed(plan, sg_steps(plan, b->length));
    if (s.closed) {
        double paths = s.batch < s.lanes ? s.batch : s.lanes;
        s.run = paths * ((double)plan->size[2] / s.lanes / 2 + 0.5);
    }
    if (b->kernels == &sg_log_sig_kernels) s.log = s.product * plan->degree / 3;
    return s;
}

static double round_up(double x)
{
    if (!(x < 1e15)) return x; /* too large to have a fraction that counts */
    double whole = (double)(int64_t)x;
    return whole < x ? whole + 1 : whole;
}

/* Degree 2 backward: points in a vector, or a point in some. */
static double cost_of_area(const shape *s)
{
    double channels = s->plan->spec.dimension, sides = s->plan->spec.lead_lag ? 2 : 1;
    double points = s->filled * s->steps / sides, wide = round_up(channels / s->lanes);
    if (sides < 2 && channels <= 8 && channels <= s->lanes)
        return 60 + points * (0.6 + channels / (double)(int)(s->lanes / channels));
    return 150 + 6 * (double)s->plan->letters * wide + points * (3 + 1.1 * sides * channels * wide);
}

/* Of a path's points, and of what the cotangent becomes first. */
static double cost_of_closed_form(const shape *s)
{
    double letters = (double)s->plan->letters, pairs = letters * letters / 2;
    double point = s->plan->spec.lead_lag ? 2 + 3 * letters : 2;
    if (s->degree == 2) return cost_of_area(s);
    if (s->degree == 3) {
        double tables = letters * pairs * (letters <= SG_FIELD_LETTERS ? 6 / s->lanes : 9);
        return 1000 + tables +
               s->filled * s->steps * (point + (2 * letters + 6) * pairs / s->lanes);
    }
    double features = letters + letters * letters * 1.5;
    return 2500 + 10 * letters * letters * pairs +
           s->filled * s->steps * (18 + point + (features + 20 + 2 * letters) * pairs / s->lanes);
}

static double cost_of_items(const shape *s)
{
    if (s->degree == 1 || s->plan->letters == 1) /* a path's ends decide */
        return s->batch * (50 + (s->forward ? s->words : s->steps * (double)s->plan->letters / 4));
    if (s->field) return s->batch * (cost_of_closed_form(s) + 9 * s->log / s->lanes);
    bool core = s->forward && sg_tensor_core(s->plan, (int64_t)s->steps, s->bytes);
    double few = s->plan->letters <= 4 ? 2 : 1; /* whose tiles load as much as they multiply */
    double step = few * (core ? 0.4 : 1) * s->step / s->lanes + 7.5 * s->degree * (s->degree - 1);
    double item = 1000 + s->filled * s->steps * step + 3 * s->log / s->lanes;
    if (core) item += 6 * s->words / s->lanes;
    return s->batch * item * (s->forward ? 1 : 3);
}

enum { EXACT_STEPS = SG_CORE_FLOAT_STEPS }; /* of a piece, for float's accuracy backward */

static double cost_of_join(const shape *s)
{
    return (400 + 5 * s->product / s->lanes) * (s->forward ? 1 : 3);
}

/* Of all lanes at once; tensors move between lanes and rows. */
static double cost_of_lanes_join(const shape *s)
{
    return (500 + 1.5 * s->product + 4 * s->words) * (s->forward ? 1 : 3);
}

/* Of the words that trees with the wide core visit. */
static double wide_part(const shape *s)
{
    return 1 - 0.85 / (double)s->plan->letters;
}

/* Of one group's increments: of the longest path of the batch there are `longest`, which decide how
 * they are added up, of the longest of the group `filled` times as many. The core takes fewer
 * operations, but each piece is completed; points are read into lanes for it as for all words. */
static double cost_of_steps(const shape *s, double longest, double filled)
{
    double steps = filled * longest;
    if (s->field && s->log > 0 && s->degree <= 3)
        return s->lanes * cost_of_closed_form(s) * steps / (s->filled * s->steps + 1);
    if (s->closed) return steps * s->run;
    if (!s->forward) {
        const sg_sums *sums = sg_lanes_vjp_sums(s->plan, (int64_t)longest);
        if (sums) return 1.5 * sg_sum_words(sums) * steps + 8 * s->words;
        bool exact = s->bytes == sizeof(float);
        double piece = exact && longest > EXACT_STEPS ? EXACT_STEPS : longest;
        bool core = sg_lanes_vjp_core(s->plan, (int64_t)piece, exact) != NULL;
        double part = core                                                ? 0.45
                      : sg_lanes_vjp_wide(s->plan, (int64_t)piece, exact) ? wide_part(s)
                                                                          : 1;
        double still = s->plan->spec.lead_lag ? 0.75 : 1;
        return steps * (20 * (double)s->plan->letters + still * part * 2 * s->step);
    }
    sg_lane_route route = sg_lanes_route(s->plan, (int64_t)longest, false, 0);
    if (route.sums) return 0.55 * sg_sum_words(route.sums) * steps + 4 * s->words;
    double part = route.core   ? 0.4
                  : route.area ? 0.5
                  : route.wide ? wide_part(s)
                               : 1,
           read = route.core ? 5 * (double)s->plan->letters : 0;
    return (0.7 * part * s->step + read) * steps + (route.core ? 6 * s->step : 0);
}

static double least_of_group(const shape *s)
{
    return 2500 + 6 * s->words;
}

/* Into how many pieces float's accuracy backward cuts so many increments. */
static double exact_pieces(const shape *s, double steps)
{
    double pieces = 1;
    if (s->forward || s->bytes != sizeof(float)) return pieces;
    if (sg_lanes_vjp_sums(s->plan, (int64_t)steps)) steps /= 2;
    while (steps > EXACT_STEPS * pieces) pieces *= 2;
    return pieces;
}

/* A group takes as long as its longest path. Sorted by length, if lengths are spread evenly, the
 * longest ones of G groups have a mean of (G + 1) / 2G of the longest of all. */
static double cost_of_groups(const shape *s, int spread)
{
    double groups = round_up(s->batch * spread / s->lanes);
    double filled = spread < s->lanes ? s->filled + (1 - s->filled) / groups : s->filled;
    double steps = round_up(s->steps / spread);
    double group = least_of_group(s) + cost_of_steps(s, steps, filled) +
                   (exact_pieces(s, steps) - 1) * (least_of_group(s) + cost_of_lanes_join(s));
    double log = spread == 1 ? groups * s->log : s->batch * 3 * s->log / s->lanes;
    return groups * group + s->batch * (spread - 1) * cost_of_join(s) + log * (s->forward ? 1 : 3);
}

/* ---- pieces of time -----------------------------------------------------------------------------
 */

enum {
    RUNS = 16,        /* as many tasks as are worth having for threads */
    RUN_COST = 10000, /* and what a task should cost at least */
    FORWARD_BYTES = 4 << 20,
    BACKWARD_BYTES = 64 << 20 /* most scratch of one thread in lanes */
};

void sg_signature_lay_out_lanes(const sg_signature_batch *b, int what, sg_signature_layout *l)
{
    int64_t paths = l->alone ? 1 : l->lanes->lanes / l->chunks.spread;
    l->tasks = (b->batch + paths - 1) / paths;
    bool sorted = b->ragged && paths > 1 && l->tasks > 1;
    l->order_bytes = sorted ? sg_block(b->batch) * (int64_t)sizeof(int64_t) : 0;
    if (sg_chunk_count(&l->chunks) > 1) {
        l->store_bytes = sg_signature_chunks_store_bytes(b, what, l);
        l->area_bytes = sg_signature_chunks_area_bytes(b, what, l);
        return;
    }
    l->row_bytes = sg_signature_row_bytes(b, what, l->lanes->lanes);
    int64_t lane_bytes = sg_signature_lane_bytes(b, what, l->lanes);
    l->area_bytes = l->row_bytes < 0 || lane_bytes < 0 ? -1 : l->row_bytes + lane_bytes;
}

/* Whether there are lane kernels for chunks as short as these. */
static bool served(const sg_signature_batch *b, int what, const sg_chunks *chunks)
{
    int64_t all = sg_chunk_count(chunks), longest = (b->length - 1 + all - 1) / all + 1;
    return (what == SG_BATCH_FWD ? sg_lanes_serve_forward
                                 : sg_lanes_serve_backward)(b->plan, sg_steps(b->plan, longest));
}

static bool fits(const sg_signature_layout *l, int what)
{
    int64_t most = what == SG_BATCH_FWD ? FORWARD_BYTES : BACKWARD_BYTES;
    int64_t store = l->store_bytes / (l->threads > 1 ? l->threads : 1);
    return l->area_bytes >= 0 && l->area_bytes + store <= most;
}

/* How many times as many runs are worth considering: backward, half of the runs go at a time, so
 * that two are no gain. */
static int64_t more_runs(const shape *s, int64_t runs)
{
    return s->forward || runs > 1 ? 2 : 4;
}

/* Whether a run is worth a thread's while, and what joins it a small matter: the smaller, the more
 * groups there are anyway. */
static bool is_worth_it(double run, double join, int64_t groups)
{
    return run > RUN_COST && run > 10 * (double)groups * join;
}

/* Cuts time into pieces, for threads and for accuracy, as long as it is worth it and there is room.
 */
static void cut_time(const sg_signature_batch *b, int what, const shape *s, sg_signature_layout *l)
{
    bool exact = b->scalar == SG_F32 && !s->forward;
    for (;;) {
        sg_signature_layout next = *l;
        int64_t pieces = l->chunks.pieces, more = more_runs(s, pieces);
        double steps = s->steps / (double)sg_chunk_count(&l->chunks),
               increments = sg_lanes_vjp_sums(s->plan, (int64_t)steps) ? steps / 2 : steps,
               piece = cost_of_steps(s, steps / (double)more, 1),
               join = cost_of_lanes_join(s) + piece - cost_of_steps(s, steps, 1) / (double)more;
        /* the lanes of pieces are joined, and logarithms taken, row by row */
        if (sg_chunk_count(&l->chunks) == 1) join += 3 * s->log * (s->forward ? 1 : 3);
        if (more * pieces * l->tasks <= RUNS && is_worth_it(piece, join, l->tasks))
            next.chunks.pieces *= more;
        else if (exact && increments > EXACT_STEPS)
            next.chunks.pieces *= 2;
        else
            return;
        if (!served(b, what, &next.chunks)) return;
        sg_signature_lay_out_lanes(b, what, &next);
        if (!fits(&next, what)) return;
        *l = next;
    }
}

/* Chunks of items, for threads; a chunk costs more than its share of an item. */
static void cut_items(const sg_signature_batch *b, int what, const shape *s, sg_signature_layout *l)
{
    sg_signature_layout next = {.lanes = vectors_of(b), .alone = true, .chunks = {1, 1}};
    double item = cost_of_items(s) / s->batch;
    if (!sg_tensor_serves(b->plan) || s->degree > SG_LANE_DEGREE) return;
    for (;;) {
        next.chunks.spread *= more_runs(s, next.chunks.spread);
        if (next.chunks.spread * b->batch > RUNS ||
            !is_worth_it(item / (2 * (double)next.chunks.spread), cost_of_join(s), 1))
            return;
        sg_signature_lay_out_lanes(b, what, &next);
        if (!fits(&next, what)) return;
        *l = next;
    }
}

/* Lets threads share the runs of groups, where the groups alone would keep them busy unevenly and
 * there is room. The bits do not depend on it. */
static void share_groups(const sg_signature_batch *b, int what, sg_signature_layout *l)
{
    sg_signature_layout next = *l;
    if (!l->lanes || sg_runs_of_group(l) == 1 || l->tasks % l->threads == 0) return;
    next.apart = true;
    sg_signature_lay_out_lanes(b, what, &next);
    if (l->tasks < 8 * l->threads && fits(&next, what)) *l = next;
}

/* ---- the choice ---------------------------------------------------------------------------------
 */

static const double HALF_COST = 0.7; /* of an operation on half as many lanes */

/* Groups of paths by the kernels of these lanes, if that costs less than `best`; what is best then.
 * `unit` is what one of their operations costs. */
static double choose_lanes(const sg_signature_batch *b, int what, const shape *s,
                           const sg_lane_kernels *lanes, double unit, double best,
                           sg_signature_layout *l)
{
    int most = s->closed ? 1 : lanes->lanes;
    double least = least_of_group(s), join = s->batch * cost_of_join(s);
    for (int spread = 1; spread <= most; spread *= 2) {
        if (!s->closed && best <= unit * (least + (spread - 1) * join)) break;
        double cost = unit * cost_of_groups(s, spread);
        if (cost >= best && !s->closed) continue;
        sg_signature_layout next = {.lanes = lanes, .chunks = {spread, 1}};
        if (!served(b, what, &next.chunks)) continue;
        sg_signature_lay_out_lanes(b, what, &next);
        if (!fits(&next, what)) continue;
        best = cost;
        *l = next;
    }
    return best;
}

/* Kernels with half as many lanes, or NULL: for paths that leave half of the lanes empty, which
 * those of three halves or more do not. */
static const sg_lane_kernels *half_of(const sg_signature_batch *b)
{
    if (b->plan->isa != SG_ISA_AVX512 || 2 * b->batch > 3 * vectors_of(b)->lanes) return NULL;
    return (b->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[SG_ISA_AVX2];
}

/* Signatures by the cheapest way that has room; what it costs. */
static double choose_for_paths(const sg_signature_batch *b, int what, const shape *s,
                               sg_signature_layout *l)
{
    double best = cost_of_items(s);
    bool real = what == SG_BATCH_FWD || what == SG_BATCH_VJP;
    if (!real || b->length < 2) return best;
    best = choose_lanes(b, what, s, vectors_of(b), 1, best, l);
    const sg_lane_kernels *half = s->closed ? NULL : half_of(b);
    shape narrow = *s;
    if (half) {
        narrow.lanes = half->lanes;
        best = choose_lanes(b, what, &narrow, half, HALF_COST, best, l);
        if (l->lanes == half) s = &narrow;
    }
    if (l->lanes)
        cut_time(b, what, s, l);
    else if (sg_signature_item_bytes(b, what) >= 0)
        cut_items(b, what, s, l);
    return best;
}

/* Whether the closed form of a logarithm, whose rows need not be transposed, is faster than lanes,
 * which take the brackets of a group at once. */
static bool rows_are_faster(const sg_signature_batch *b, int lanes)
{
    const sigad_plan *plan = b->plan;
    if (!sg_log_is_closed(plan) || plan->letters < lanes) return false;
    bool fills = 4 * b->batch >= 3 * lanes;
    bool few = plan->letters <= 2 * lanes || plan->spec.method == SIGAD_LYNDON_BRACKETS;
    return plan->degree < 3 || !fills || !few;
}

static double choose_for_transforms(const sg_signature_batch *b, int what, const shape *s,
                                    sg_signature_layout *l)
{
    bool real = what == SG_BATCH_FWD || what == SG_BATCH_VJP;
    bool closed = b->kernels == &sg_sig_to_log_sig_kernels && what == SG_BATCH_FWD &&
                  rows_are_faster(b, vectors_of(b)->lanes);
    /* a group takes about as long as a quarter of its lanes' items would, with few letters two */
    bool enough = b->batch > 1 && (b->plan->letters <= 4 || 4 * s->batch > s->lanes);
    if (real && enough && !closed && sg_lanes_transform(b->plan)) {
        l->lanes = vectors_of(b);
        l->chunks = (sg_chunks){1, 1};
        sg_signature_lay_out_lanes(b, what, l);
    }
    return s->batch * s->product * s->degree / s->lanes;
}

sg_signature_layout sg_signature_lay_out(const sg_signature_batch *b, int what)
{
    shape s = shape_of(b, what, vectors_of(b));
    sg_signature_layout l = {.tasks = b->batch};
    double cost =
        (b->kernels->from_path ? choose_for_paths : choose_for_transforms)(b, what, &s, &l);
    if (!l.lanes) l.area_bytes = sg_signature_item_bytes(b, what);
    double useful = cost / RUN_COST,
           tasks = (double)(l.tasks * (l.lanes ? sg_runs_of_group(&l) : 1));
    if (useful > tasks) useful = tasks;
    l.threads = useful < 2 ? 1 : useful < b->threads ? (int)useful : b->threads;
    share_groups(b, what, &l);
    if (l.area_bytes > 0) /* so that each thread's is aligned */
        l.area_bytes = (l.area_bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
    return l;
}

int64_t sg_signature_layout_bytes(const sg_signature_layout *l)
{
    int64_t total;
    if (l->area_bytes < 0 || !sg_multiply(l->area_bytes, l->threads, &total) ||
        !sg_add(total, l->order_bytes + l->store_bytes, &total))
        return -1;
    return total;
}

/* What the kernels forward set up for a group they can use for the next ones. */
static int64_t groups_of_task(const sg_signature_batch *b, int what, const sg_signature_layout *l)
{
    if (!l->lanes || b->kernels != &sg_sig_kernels || what != SG_BATCH_FWD) return 1;
    int64_t most = SG_MOST_ROWS / l->lanes->lanes, share = l->tasks / (8 * (int64_t)l->threads);
    if (l->threads == 1 || share > most) return most;
    return share < 1 ? 1 : share;
}

void sg_signature_run_by(const sg_signature_batch *batch, int what, const sg_signature_layout *l)
{
    const sg_signature_kernels *kernels = batch->kernels;
    sg_signature_job j = {.batch = batch,
                          .what = what,
                          .layout = *l,
                          .x_entries = sg_signature_x_entries(kernels, batch->plan, batch->length),
                          .y_entries = sg_signature_y_entries(kernels, batch->plan),
                          .order = batch->work,
                          .groups = groups_of_task(batch, what, l)};
    if (l->order_bytes) sg_signature_sort(batch->lengths, batch->length, j.order, batch->batch);
    if (l->lanes && sg_chunk_count(&l->chunks) > 1)
        sg_signature_run_chunks(&j);
    else
        sg_parallel(l->threads, (l->tasks + j.groups - 1) / j.groups,
                    l->lanes ? sg_signature_run_group : sg_signature_run_item, &j);
}

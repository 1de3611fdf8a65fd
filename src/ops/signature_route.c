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
#include "ops/signature_cost.h"

static const sg_lane_kernels *vectors_of(const sg_signature_batch *b)
{
    return (b->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[b->plan->isa];
}

/* Kernels with half as many lanes, or NULL: for paths that leave half of the lanes empty. */
static const sg_lane_kernels *half_of(const sg_signature_batch *b)
{
    return (b->scalar == SG_F32 ? sg_half_lanes_f32 : sg_half_lanes_f64)[b->plan->isa];
}

/* ---- pieces of time -----------------------------------------------------------------------------
 */

enum {
    RUNS = 16,        /* as many tasks as are worth having for threads */
    TASKS = 12,       /* of a thread, where they cost nothing */
    RUN_COST = 10000, /* and what a task should cost at least */
    FORWARD_BYTES = 4 << 20,
    BACKWARD_BYTES = 32 << 20 /* most scratch of one thread in lanes: allocators hand larger blocks
                                 back, so that each call would find fresh pages */
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
static int64_t more_runs(const sg_signature_shape *s, int64_t runs)
{
    return s->forward || runs > 1 ? 2 : 4;
}

/* Whether a run is worth a thread's while, and what joins it a small matter: the smaller, the more
 * groups there are anyway. */
static bool is_worth_it(double run, double join, int64_t groups)
{
    return run > RUN_COST && run > 10 * (double)groups * join;
}

/* What a tenth of a piece should be worth, where lanes are joined. What one more piece costs, as a
 * tenth of it, would leave long paths to one thread: of two pieces it may be a quarter. */
static double share_of_piece(const sg_signature_shape *s, const sg_signature_layout *l,
                             double steps)
{
    return 0.35 * (double)l->chunks.pieces *
           sg_cost_of_joined_piece(s, (int)l->chunks.spread, steps);
}

/* Cuts time into pieces, for threads and for accuracy, as long as it is worth it and there is room.
 */
static void cut_time(const sg_signature_batch *b, int what, const sg_signature_shape *s,
                     sg_signature_layout *l)
{
    bool exact = b->scalar == SG_F32 && !s->forward;
    if (sg_lanes_pull_rows(s, l->chunks.spread)) return;
    for (;;) {
        sg_signature_layout next = *l;
        int64_t pieces = l->chunks.pieces, more = more_runs(s, pieces);
        double steps = s->steps / (double)sg_chunk_count(&l->chunks),
               increments = sg_lanes_vjp_sums(s->plan, (int64_t)steps) ? steps / 2 : steps,
               piece = sg_cost_of_steps(s, steps / (double)more, 1),
               join =
                   sg_cost_of_lanes_join(s) + piece - sg_cost_of_steps(s, steps, 1) / (double)more;
        bool joined = l->joined && l->chunks.spread == l->lanes->lanes; /* of one path a group */
        if (joined) join = share_of_piece(s, l, steps / (double)more);
        /* the lanes of pieces are joined, and logarithms taken, row by row */
        if (sg_chunk_count(&l->chunks) == 1) join += 3 * s->log * (s->forward ? 1 : 3);
        if (more * pieces * l->tasks <= RUNS && is_worth_it(piece, join, l->tasks))
            next.chunks.pieces *= more;
        else if (exact && increments > SG_EXACT_STEPS)
            next.chunks.pieces *= 2;
        else
            return;
        next.joined = joined;
        if (!served(b, what, &next.chunks)) return;
        sg_signature_lay_out_lanes(b, what, &next);
        if (!fits(&next, what)) return;
        *l = next;
    }
}

/* Whether the signatures of chunks, which backward come first, leave something to gain: the closed
 * form of degree 4 of few letters is faster than they are where they have none. */
static bool chunks_are_cheap(const sg_signature_shape *s, double chunks)
{
    bool fast = s->field && s->degree == 4 && s->plan->letters <= SG_FIELD_LETTERS;
    return !fast || s->steps <= SG_VOLUME_MOST * chunks;
}

/* Chunks of items, for threads; a chunk costs more than its share of an item. */
static void cut_items(const sg_signature_batch *b, int what, const sg_signature_shape *s,
                      sg_signature_layout *l)
{
    sg_signature_layout next = {.lanes = vectors_of(b), .alone = true, .chunks = {1, 1}};
    double item = sg_cost_of_items(s) / s->batch;
    if (!sg_tensor_serves(b->plan) || s->degree > SG_LANE_DEGREE) return;
    for (;;) {
        next.chunks.spread *= more_runs(s, next.chunks.spread);
        if (next.chunks.spread * b->batch > RUNS ||
            !is_worth_it(item / (2 * (double)next.chunks.spread), sg_cost_of_join(s), 1))
            return;
        if (!chunks_are_cheap(s, (double)next.chunks.spread)) continue;
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

enum { SPREADS = 5 }; /* 1, 2, 4, 8 and 16 lanes of a path */
static const double NONE = 1e300;

typedef struct {
    double cost[SPREADS];
    bool joined[SPREADS];
} offers;

/* Of those ways that may cost less than `best`, which becomes the least of them. While there is one
 * group, what more lanes gain becomes less, and what joins them more: so costs fall and then rise,
 * and are looked at on both sides of where they are likely to be low. Several groups may be fuller
 * the more of them there are. */
static offers make_offers(const sg_signature_shape *s, double *best)
{
    offers o;
    const double alone = s->lanes / s->batch; /* lanes of a path, where there is one group */
    int all = 1, start = 0;
    while (!s->closed && 1 << all <= s->lanes) all++;
    while (start + 1 < all && 2 << start <= alone && 32 << start <= s->steps) start++;
    const sg_bound least = sg_least_cost_of_group(s);
    for (int k = 0; k < SPREADS; k++) o.cost[k] = NONE;
    for (int k = start; k >= 0; k--) {
        if (*best <= sg_least_of_groups(s, &least, 1 << k)) continue;
        o.cost[k] = sg_cost_of_groups(s, 1 << k, &o.joined[k]);
        if (o.cost[k] < *best) *best = o.cost[k];
        bool rises = k < start && o.cost[k] > o.cost[k + 1];
        if (rises && !sg_lanes_pull_rows(s, 1)) break;
    }
    for (int k = start + 1; k < all; k++) {
        if (*best <= sg_least_of_groups(s, &least, 1 << k)) continue;
        o.cost[k] = sg_cost_of_groups(s, 1 << k, &o.joined[k]);
        if (o.cost[k] < *best) *best = o.cost[k];
        if (o.cost[k] > o.cost[k - 1] && 1 << k <= alone) break;
    }
    return o;
}

/* False if there are no kernels for it, or no room. */
static bool lay_out_groups(const sg_signature_batch *b, int what, const sg_signature_shape *s,
                           const sg_lane_kernels *lanes, int spread, bool joined,
                           sg_signature_layout *l)
{
    sg_signature_layout next = {.lanes = lanes, .joined = joined, .chunks = {spread, 1}};
    next.woven = sg_lanes_are_woven(s, spread);
    if (!served(b, what, &next.chunks)) return false;
    sg_signature_lay_out_lanes(b, what, &next);
    if (!fits(&next, what)) return false;
    *l = next;
    return true;
}

static bool is_real(int what)
{
    return what == SG_BATCH_FWD || what == SG_BATCH_VJP;
}

static sg_signature_shape narrowed(const sg_signature_shape *s, const sg_lane_kernels *half)
{
    sg_signature_shape narrow = *s;
    narrow.lanes = half->lanes;
    narrow.half = true;
    return narrow;
}

/* Signatures by the cheapest way that has room; what it costs. Where lanes have a closed form,
 * whatever that costs. */
static double choose_for_paths(const sg_signature_batch *b, int what, sg_signature_shape *s,
                               sg_signature_layout *l)
{
    const double items = sg_cost_of_items(s), limit = s->closed ? NONE : items;
    if (!is_real(what) || b->length < 2 || s->degree == 1 || b->plan->letters == 1) return items;
    const sg_lane_kernels *lanes[2] = {vectors_of(b), s->closed ? NULL : half_of(b)};
    int widths = lanes[1] ? 2 : 1;
    sg_signature_shape shape[2] = {*s};
    if (lanes[1]) shape[1] = narrowed(s, lanes[1]);
    offers o[2];
    double best = limit;
    for (int w = 0; w < widths; w++) o[w] = make_offers(&shape[w], &best);
    for (;;) {
        int least = 0; /* of all, one width after the other */
        for (int i = 1; i < widths * SPREADS; i++)
            if (o[i / SPREADS].cost[i % SPREADS] < o[least / SPREADS].cost[least % SPREADS])
                least = i;
        int w = least / SPREADS, k = least % SPREADS;
        const double cost = o[w].cost[k];
        if (cost >= limit) return items;
        if (lay_out_groups(b, what, &shape[w], lanes[w], 1 << k, o[w].joined[k], l)) {
            *s = shape[w];
            return cost;
        }
        o[w].cost[k] = NONE;
    }
}

/* Cuts time into chunks, of paths in these lanes, or of items. */
static void cut_paths(const sg_signature_batch *b, int what, const sg_signature_shape *s,
                      double cost, sg_signature_layout *l)
{
    bool exact = b->scalar == SG_F32 && !s->forward;
    if (!is_real(what) || b->length < 2 || (cost < RUN_COST && !exact)) return;
    if (l->lanes)
        cut_time(b, what, s, l);
    else if (sg_signature_item_bytes(b, what) >= 0)
        cut_items(b, what, s, l);
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

static double choose_for_transforms(const sg_signature_batch *b, int what,
                                    const sg_signature_shape *s, sg_signature_layout *l)
{
    bool closed = b->kernels == &sg_sig_to_log_sig_kernels && what == SG_BATCH_FWD &&
                  rows_are_faster(b, vectors_of(b)->lanes);
    /* a group takes about as long as a quarter of its lanes' items would, with few letters two */
    bool enough = b->batch > 1 && (b->plan->letters <= 4 || 4 * s->batch > s->lanes);
    if (is_real(what) && enough && !closed && sg_lanes_transform(b->plan)) {
        const sg_lane_kernels *half = half_of(b);
        l->lanes = half && b->batch <= half->lanes ? half : vectors_of(b);
        l->chunks = (sg_chunks){1, 1};
        sg_signature_lay_out_lanes(b, what, l);
    }
    return s->batch * s->product * s->degree / s->lanes;
}

/* Threads that are worth starting for so many tasks. */
static int useful_threads(const sg_signature_batch *b, double cost, double tasks)
{
    double useful = cost / RUN_COST;
    if (useful > tasks) useful = tasks;
    return useful < 2 ? 1 : useful < b->threads ? (int)useful : b->threads;
}

/* How long threads take for groups of this width, in whole groups. */
static double time_of_groups(const sg_signature_batch *b, const sg_signature_layout *l, double cost)
{
    int threads = useful_threads(b, cost, (double)l->tasks);
    int64_t rounds = (l->tasks + threads - 1) / threads;
    return (double)rounds * (l->lanes == half_of(b) ? SG_HALF_COST : 1);
}

/* Whole groups or halves, whichever keep more threads busy. The bits do not depend on it, but where
 * vectors run along the points. */
static void choose_width(const sg_signature_batch *b, int what, double cost, sg_signature_layout *l)
{
    const sg_lane_kernels *whole = vectors_of(b), *half = half_of(b);
    if (!l->lanes || !half || sg_chunk_count(&l->chunks) > 1) return;
    if (b->kernels->from_path && (sg_lanes_sig_is_closed(b->plan, whole->pairs_letters) ||
                                  sg_lanes_sig_is_closed(b->plan, half->pairs_letters)))
        return;
    if (useful_threads(b, cost, (double)b->batch) == 1) return;
    sg_signature_layout next = *l;
    next.lanes = l->lanes == half ? whole : half;
    sg_signature_lay_out_lanes(b, what, &next);
    if (time_of_groups(b, &next, cost) < time_of_groups(b, l, cost) && fits(&next, what)) *l = next;
}

/* What follows from the choice of lanes, for a call that costs so much. */
static void share_out(const sg_signature_batch *b, int what, double cost, sg_signature_layout *l)
{
    choose_width(b, what, cost, l);
    if (!l->lanes) l->area_bytes = sg_signature_item_bytes(b, what);
    l->threads = useful_threads(b, cost, (double)(l->tasks * (l->lanes ? sg_runs_of_group(l) : 1)));
    share_groups(b, what, l);
    if (l->area_bytes > 0) /* so that each thread's is aligned */
        l->area_bytes = (l->area_bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

sg_signature_layout sg_signature_lay_out(const sg_signature_batch *b, int what)
{
    sg_signature_shape s = sg_signature_shape_of(b, what, vectors_of(b));
    sg_signature_layout l = {.tasks = b->batch};
    double cost;
    if (b->kernels->from_path) {
        cost = choose_for_paths(b, what, &s, &l);
        cut_paths(b, what, &s, cost, &l);
    } else {
        cost = choose_for_transforms(b, what, &s, &l);
    }
    share_out(b, what, cost, &l);
    return l;
}

double sg_signature_lay_out_by(const sg_signature_batch *b, int what, const sg_lane_kernels *lanes,
                               int spread, sg_signature_layout *l)
{
    sg_signature_shape s = sg_signature_shape_of(b, what, vectors_of(b));
    *l = (sg_signature_layout){.tasks = b->batch};
    double cost = sg_cost_of_items(&s);
    if (lanes) {
        bool joined;
        if (s.closed && (spread > 1 || lanes != vectors_of(b))) return -1;
        if (lanes == half_of(b)) s = narrowed(&s, lanes);
        cost = sg_cost_of_groups(&s, spread, &joined);
        if (!lay_out_groups(b, what, &s, lanes, spread, joined, l)) return -1;
    }
    cut_paths(b, what, &s, cost, l);
    share_out(b, what, cost, l);
    return cost;
}

int64_t sg_signature_layout_bytes(const sg_signature_layout *l)
{
    int64_t total;
    if (l->area_bytes < 0 || !sg_multiply(l->area_bytes, l->threads, &total) ||
        !sg_add(total, l->order_bytes + l->store_bytes, &total))
        return -1;
    return total;
}

/* Items of a task. What the kernels forward set up for a group they can use for the next ones; the
 * smaller the tasks, the less a thread waits for the last one of another, on a slower core. */
static int64_t items_of_task(const sg_signature_batch *b, int what, const sg_signature_layout *l)
{
    int64_t least = l->lanes ? l->lanes->lanes : 1;
    if (!l->lanes || b->kernels != &sg_sig_kernels || what != SG_BATCH_FWD) return least;
    if (sg_lanes_sig_is_closed(b->plan, l->lanes->pairs_letters)) least = 1;
    int64_t share = b->batch / (TASKS * (int64_t)l->threads) / least * least;
    if (l->threads == 1 || share > SG_MOST_ROWS) return SG_MOST_ROWS;
    return share < least ? least : share;
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
                          .items = items_of_task(batch, what, l)};
    if (l->order_bytes) sg_signature_sort(batch->lengths, batch->length, j.order, batch->batch);
    if (l->lanes && sg_chunk_count(&l->chunks) > 1)
        sg_signature_run_chunks(&j);
    else
        sg_parallel(l->threads, (batch->batch + j.items - 1) / j.items,
                    l->lanes ? sg_signature_run_group : sg_signature_run_item, &j);
}

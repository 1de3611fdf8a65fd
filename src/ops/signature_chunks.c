#include "ops/signature_chunks.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include "ops/signature_place.h"
#include <string.h>

/* Chunks of a path in the order of time: by lane, by piece. The pieces' tensors are joined for all
 * lanes at once, with whole vectors, and then the lanes of each path as rows, with vectors inside
 * the tensor. */

/* What a run of the kernels takes: a chunk for each lane. */
typedef struct {
    int count;
    int64_t longest, length[SG_MOST_LANES], room[SG_MOST_LANES];
    double time[SG_MOST_LANES];
    const void *x[SG_MOST_LANES];
    void *x_bar[SG_MOST_LANES], *row[SG_MOST_LANES];
} piece;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How a path is cut: chunks are equally long, but for the last ones, so none is empty between two
 * others: those would share a point without being neighbours. */
typedef struct {
    int64_t item, length, increments, size;
} cut;

/* Points begin .. end of an item, of whose chunks this is the `number`th. */
typedef struct {
    int64_t number, begin, end;
} chunk;

static cut cut_of(const sg_chunk_place *p, int path)
{
    const sg_chunk_call *r = p->call;
    const sg_signature_batch *b = r->job->batch;
    int64_t all = sg_chunk_count(&r->chunks);
    cut c = {.item = sg_chunk_item(p, path)};
    c.length = b->lengths ? b->lengths[c.item] : b->length;
    c.increments = c.length ? c.length - 1 : 0;
    c.size = (c.increments + all - 1) / all;
    return c;
}

/* What a run takes of a path in the `part`th of its lanes. */
static chunk chunk_of(const sg_chunk_place *p, const cut *c, int64_t part, int64_t run)
{
    const sg_signature_layout *l = &p->call->job->layout;
    chunk k = {.number = l->alone    ? run
                         : l->joined ? run * l->chunks.spread + part
                                     : part * l->chunks.pieces + run};
    k.begin = least(k.number * c->size, c->increments);
    k.end = least(k.begin + c->size, c->increments);
    return k;
}

/* Chunks of a path that a run takes. */
static int parts_of_run(const sg_chunk_place *p)
{
    return p->call->job->layout.alone ? 1 : (int)p->call->chunks.spread;
}

/* Where the tensor of a lane of a run goes, or, where lanes are joined, that of a path: to the
 * paths' trees, or, of tensors side by side, through rows in the thread's area. */
static void *row_of(const sg_chunk_place *p, int lane, int64_t run, bool bars)
{
    const sg_signature_layout *l = &p->call->job->layout;
    if (sg_has_sides(l)) return p->rows + lane * p->call->sizes.row_bar;
    if (l->joined) return sg_chunk_leaf_row(p, lane, run, bars);
    return sg_chunk_lane_row(p, l->alone ? run : lane, bars);
}

static piece piece_of(const sg_chunk_place *p, int64_t number, bool bars)
{
    const sg_chunk_call *r = p->call;
    const sg_signature_batch *b = r->job->batch;
    int parts = parts_of_run(p), rows = r->job->layout.joined ? p->paths : p->paths * parts, l = 0;
    piece c = {.count = p->paths * parts, .longest = sg_most_points(b, &r->chunks)};
    for (int path = 0; path < p->paths; path++) {
        cut whole = cut_of(p, path);
        int64_t at = whole.item * r->job->x_entries, room = (b->batch - whole.item) * b->length;
        double time = sg_time_step(b->plan, whole.length);
        for (int part = 0; part < parts; part++, l++) {
            chunk k = chunk_of(p, &whole, part, number);
            int64_t begin = at + k.begin * b->plan->spec.dimension;
            c.length[l] = k.end - k.begin + (whole.length > 0);
            c.room[l] = room - k.begin;
            c.time[l] = time;
            c.x[l] = sg_advance(b->x, begin, b->scalar);
            c.x_bar[l] = sg_advance(b->out, begin, b->scalar);
        }
    }
    for (l = 0; l < sg_chunk_width(&r->job->layout); l++)
        c.row[l] = l < rows ? row_of(p, l, number, bars) : c.row[0];
    return c;
}

/* Clears the points of a run's chunks, if nothing is there yet: by the thread that will add to
 * them, whose cache they are in then. What follows a path belongs to its last chunk. */
static void clear_piece(const sg_chunk_place *p, int64_t number)
{
    const sg_chunk_call *r = p->call;
    const sg_signature_batch *b = r->job->batch;
    int64_t d = b->plan->spec.dimension;
    for (int path = 0; b->fresh && path < p->paths; path++) {
        cut whole = cut_of(p, path);
        for (int part = 0; part < parts_of_run(p); part++) {
            chunk k = chunk_of(p, &whole, part, number);
            int64_t end = k.number + 1 == sg_chunk_count(&r->chunks) ? b->length : k.end;
            memset(sg_advance(b->out, whole.item * r->job->x_entries + k.begin * d, b->scalar), 0,
                   (size_t)((end - k.begin) * d * sg_scalar_bytes(b->scalar)));
        }
    }
}

/* ---- runs of the kernels ------------------------------------------------------------------------
 */

static const sg_tensor_kernels *tensor_kernels(const sg_chunk_call *r)
{
    return (r->job->batch->scalar == SG_F32 ? sg_tensor_f32 : sg_tensor_f64)[r->whole.isa];
}

/* The only chunk of a piece, by the kernels inside one tensor. */
static void run_alone(const sg_chunk_place *p, const piece *c)
{
    const sg_chunk_call *r = p->call;
    if (c->length[0] > 1)
        tensor_kernels(r)->sig(&r->kept, c->length[0], c->time[0], c->x[0], c->row[0], p->kernel);
    else
        memset(c->row[0], 0, (size_t)r->sizes.row);
}

static void run_piece(const sg_chunk_place *p, int64_t number)
{
    const sg_chunk_call *r = p->call;
    piece c = piece_of(p, number, false);
    clear_piece(p, number);
    if (r->kept.degree == 1)
        r->lanes->ends(&r->kept, c.count, c.length, c.time, c.x, c.row);
    else if (r->job->layout.alone && !r->closed)
        run_alone(p, &c);
    else if (r->job->layout.joined)
        r->lanes->sig_spread(&r->kept, (int)r->chunks.spread, c.longest, c.count, c.length, c.room,
                             c.time, c.x, c.row, p->kernel);
    else
        r->lanes->sig(&r->kept, c.longest, c.count, c.length, c.room, c.time, c.x, c.row,
                      p->kernel);
    if (!sg_has_sides(&r->job->layout)) return;
    sg_tree t = sg_chunk_pieces_tree(p);
    r->lanes->gather(sg_plan_words(&r->kept), (const void *const *)c.row, sg_tree_leaf(&t, number));
}

static void pull_piece(const sg_chunk_place *p, int64_t number)
{
    const sg_chunk_call *r = p->call;
    piece c = piece_of(p, number, true);
    if (r->job->layout.alone) {
        if (c.length[0] > 1)
            tensor_kernels(r)->sig_vjp(&r->whole, c.length[0], c.time[0], c.x[0], c.row[0], false,
                                       c.x_bar[0], p->kernel);
        return;
    }
    if (sg_has_sides(&r->job->layout)) {
        sg_tree t = sg_chunk_pieces_tree(p);
        r->lanes->scatter(sg_plan_words(&r->whole), t.bar + number * t.bar_bytes, c.count, c.row);
    }
    r->lanes->sig_vjp(&r->whole, c.longest, c.count, c.length, c.room, c.time, c.x,
                      (const void *const *)c.row, c.x_bar, p->kernel);
}

/* ---- between the roots and the arrays of the call -----------------------------------------------
 */

static void write_signature(const sg_chunk_place *p, int path, void *sig)
{
    const sg_signature_batch *b = p->call->job->batch;
    sg_tree t = sg_chunk_path_tree(p, path);
    if (b->plan->spec.scalar_term) {
        if (b->scalar == SG_F32)
            *(float *)sig = 1;
        else
            *(double *)sig = 1;
    }
    memcpy(sg_advance(sig, b->plan->spec.scalar_term, b->scalar),
           sg_tree_node(&t, 0, sg_chunk_leaves(&p->call->job->layout)),
           (size_t)(sg_plan_words(b->plan) * sg_scalar_bytes(b->scalar)));
}

static void take_cotangent(const sg_chunk_place *p, int path, const void *sig_bar)
{
    const sg_signature_batch *b = p->call->job->batch;
    sg_tree t = sg_chunk_path_tree(p, path);
    memcpy(t.bar, sg_advance(sig_bar, b->plan->spec.scalar_term, b->scalar),
           (size_t)(sg_plan_words(b->plan) * sg_scalar_bytes(b->scalar)));
}

/* Logarithms take the signature, and backward its cotangent, in a thread's area. */
static void finish_path(const sg_chunk_place *p, int path)
{
    const sg_signature_job *j = p->call->job;
    const sg_signature_batch *b = j->batch;
    const sg_signature_kernels *transform = &sg_sig_to_log_sig_kernels;
    int64_t at = sg_chunk_item(p, path) * j->y_entries, entries = sg_block(b->plan->sig_length);
    void *out = sg_advance(b->out, at, b->scalar), *sig = sg_is_log(b) ? p->log : out;
    if (sg_is_log(b) || j->what == SG_BATCH_FWD) write_signature(p, path, sig);
    void *sig_bar = sg_advance(p->log, entries, b->scalar);
    if (j->what == SG_BATCH_FWD) {
        if (sg_is_log(b)) transform->fwd[b->scalar](b->plan, 0, sig, out, sig_bar);
        return;
    }
    const void *y_bar = sg_advance(b->y_bar, at, b->scalar);
    if (sg_is_log(b)) {
        memset(sig_bar, 0, (size_t)(b->plan->sig_length * sg_scalar_bytes(b->scalar)));
        transform->vjp[b->scalar](b->plan, 0, sig, y_bar, sig_bar,
                                  sg_advance(p->log, 2 * entries, b->scalar));
    }
    take_cotangent(p, path, sg_is_log(b) ? sig_bar : y_bar);
}

/* Of so many runs at least there is the cotangent when all have turned round: of halves, if threads
 * share them, or of pairs. */
static int64_t split_at_once(const sg_chunk_call *r)
{
    return r->job->layout.apart && r->runs > 4 ? r->runs / 2 : 2;
}

/* Joins the lanes of paths in memory, and splits cotangents between them. */
static void turn_paths(const sg_chunk_place *p)
{
    const sg_chunk_call *r = p->call;
    const sg_signature_layout *l = &r->job->layout;
    int64_t leaves = sg_chunk_leaves(l);
    for (int k = 0; k < p->paths; k++) {
        sg_tree t = sg_chunk_path_tree(p, k);
        if (!l->apart || !sg_runs_are_leaves(l)) sg_tree_join(&t, 0, leaves);
        finish_path(p, k);
        if (r->job->what == SG_BATCH_VJP)
            sg_tree_split(&t, 0, leaves, l->alone ? split_at_once(r) : 1);
    }
}

/* Does that in the vectors, so that nothing but the cotangents of paths goes through rows, and
 * signatures, if logarithms ask for them. */
static void turn_lanes(const sg_chunk_place *p, const void *parts, void *bar)
{
    const sg_chunk_call *r = p->call;
    int64_t words = sg_plan_words(&r->kept), spread = r->chunks.spread;
    char *products = sg_chunk_woven(p), *last = products;
    for (int64_t by = 2; by < spread; by *= 2)
        last += words * r->lanes->lanes * sg_scalar_bytes(r->job->batch->scalar);
    void *row[SG_MOST_LANES];
    r->lanes->join_spread(&r->kept, (int)spread, parts, products);
    for (int k = 0; k < r->lanes->lanes; k++) row[k] = p->rows + k * r->sizes.row_bar;
    if (sg_is_log(r->job->batch)) r->lanes->scatter(words, last, p->paths * (int)spread, row);
    for (int k = 0; k < p->paths && sg_is_log(r->job->batch); k++)
        memcpy(sg_chunk_leaf_row(p, k, 0, false), row[k * spread], (size_t)r->sizes.row);
    turn_paths(p);
    for (int k = 0; k < r->lanes->lanes; k++)
        row[k] = sg_chunk_leaf_row(p, k / (int)spread < p->paths ? k / (int)spread : 0, 0, true);
    r->lanes->gather(sg_plan_words(&r->whole), (const void *const *)row, bar);
    r->lanes->split_spread(&r->whole, &r->kept, (int)spread, parts, products, bar);
}

/* Moves tensors from lanes to the leaves of paths and back. */
static void turn_rows(const sg_chunk_place *p, const void *parts, void *bar)
{
    const sg_chunk_call *r = p->call;
    void *row[SG_MOST_LANES];
    for (int k = 0; k < r->lanes->lanes; k++) row[k] = sg_chunk_lane_row(p, k, false);
    r->lanes->scatter(sg_plan_words(&r->kept), parts, p->paths * (int)r->chunks.spread, row);
    turn_paths(p);
    if (r->job->what == SG_BATCH_FWD) return;
    for (int k = 0; k < r->lanes->lanes; k++) row[k] = sg_chunk_lane_row(p, k, true);
    r->lanes->gather(sg_plan_words(&r->whole), (const void *const *)row, bar);
}

/* From the pieces to the roots, and backward from the roots' cotangents to those of many runs.
 * Products of runs are there, if threads share them. */
static void turn_round(const sg_chunk_place *p)
{
    const sg_chunk_call *r = p->call;
    const sg_signature_layout *l = &r->job->layout;
    int64_t pieces = r->chunks.pieces;
    if (!sg_has_sides(l)) {
        turn_paths(p);
        return;
    }
    sg_tree side = sg_chunk_pieces_tree(p);
    if (!l->apart) sg_tree_join(&side, 0, pieces);
    (l->woven ? turn_lanes : turn_rows)(p, sg_tree_node(&side, 0, pieces), side.bar);
    if (r->job->what == SG_BATCH_VJP) sg_tree_split(&side, 0, pieces, split_at_once(r));
}

/* ---- which thread does what ---------------------------------------------------------------------
 *
 * Chunks that follow each other share a point, to whose cotangent both add. They are in runs of
 * even and of odd number: never at the same time, and always in the same order. */

static void pull_even(const sg_chunk_place *p, int64_t number)
{
    if (number + 1 < p->call->runs) {
        sg_tree t = sg_chunk_runs_tree(p);
        sg_tree_split(&t, number, number + 2, 1);
    }
    pull_piece(p, number);
}

static void run_group(void *user, int64_t group, int worker)
{
    const sg_chunk_call *r = user;
    sg_chunk_place p = sg_chunk_place_of(r, group, worker);
    for (int64_t i = 0; i < r->runs; i++) run_piece(&p, i);
    turn_round(&p);
    if (r->job->what == SG_BATCH_FWD) return;
    for (int64_t i = 0; i < r->runs; i += 2) pull_even(&p, i);
    for (int64_t i = 1; i < r->runs; i += 2) pull_piece(&p, i);
}

/* Whoever brings a group's last tensor turns round for it. */
static void run_piece_apart(void *user, int64_t index, int worker)
{
    const sg_chunk_call *r = user;
    sg_chunk_place p = sg_chunk_place_of(r, index / r->runs, worker);
    run_piece(&p, index % r->runs);
    sg_tree t = sg_chunk_runs_tree(&p);
    if (sg_tree_arrive(&t, index % r->runs, r->runs, sg_chunk_marks(&p))) turn_round(&p);
}

static void split_half_apart(void *user, int64_t index, int worker)
{
    const sg_chunk_call *r = user;
    sg_chunk_place p = sg_chunk_place_of(r, index / 2, worker);
    sg_tree t = sg_chunk_runs_tree(&p);
    int64_t half = r->runs / 2, first = index % 2 * half;
    sg_tree_split(&t, first, first + half, 2);
}

static void pull_even_apart(void *user, int64_t index, int worker)
{
    const sg_chunk_call *r = user;
    int64_t half = r->runs / 2;
    sg_chunk_place p = sg_chunk_place_of(r, index / half, worker);
    pull_even(&p, index % half * 2);
}

static void pull_odd_apart(void *user, int64_t index, int worker)
{
    const sg_chunk_call *r = user;
    int64_t half = r->runs / 2;
    sg_chunk_place p = sg_chunk_place_of(r, index / half, worker);
    pull_piece(&p, index % half * 2 + 1);
}

static void clear_marks(const sg_chunk_call *r)
{
    for (int64_t g = 0; g < r->job->layout.tasks; g++) {
        sg_chunk_place p = sg_chunk_place_of(r, g, 0);
        for (int64_t i = 0; i < r->runs; i++) atomic_init(&sg_chunk_marks(&p)[i], 0);
    }
}

/* A thread's runs are neighbours in all phases, and so is what it has of the tree of runs. */
static void run_apart(sg_chunk_call *r)
{
    const sg_signature_layout *l = &r->job->layout;
    sg_phase phase[SG_PHASES] = {{l->tasks * r->runs, run_piece_apart}};
    int phases = 1;
    if (r->job->what == SG_BATCH_VJP) {
        int64_t half = l->tasks * r->runs / 2;
        if (split_at_once(r) > 2) phase[phases++] = (sg_phase){2 * l->tasks, split_half_apart};
        phase[phases++] = (sg_phase){half, pull_even_apart};
        phase[phases++] = (sg_phase){half, pull_odd_apart};
    }
    sg_parallel_phases(l->threads, phases, phase, r);
}

void sg_signature_run_chunks(sg_signature_job *job)
{
    const sigad_plan *plan = job->batch->plan;
    const sg_signature_layout *l = &job->layout;
    sg_chunk_call r = {.job = job,
                       .lanes = l->lanes,
                       .chunks = l->chunks,
                       .sizes = sg_chunk_measure(job->batch, job->what, l),
                       .whole = *plan,
                       .paths = sg_chunk_paths(l),
                       .runs = sg_runs_of_group(l)};
    r.whole.spec.scalar_term = 0;
    r.kept = r.whole;
    r.kept.degree = r.sizes.kept;
    if (r.kept.degree < plan->degree) r.kept.core = NULL; /* it is that of the whole plan */
    r.closed = sg_lanes_sig_is_closed(&r.kept, l->lanes->pairs_letters);
    if (!l->apart) {
        sg_parallel(l->threads, l->tasks, run_group, &r);
        return;
    }
    clear_marks(&r);
    run_apart(&r);
}

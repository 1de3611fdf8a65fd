#include "ops/signature_chunks.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/signature_pieces.h"
#include <string.h>

/* The pieces' tensors are joined for all lanes at once, with whole vectors, and then the lanes of
 * each path as rows, with vectors inside the tensor. */

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
    sg_chunk_pull_piece(p, number);
}

static void run_group(void *user, int64_t group, int worker)
{
    const sg_chunk_call *r = user;
    sg_chunk_place p = sg_chunk_place_of(r, group, worker);
    for (int64_t i = 0; i < r->runs; i++) sg_chunk_run_piece(&p, i);
    turn_round(&p);
    if (r->job->what == SG_BATCH_FWD) return;
    for (int64_t i = 0; i < r->runs; i += 2) pull_even(&p, i);
    for (int64_t i = 1; i < r->runs; i += 2) sg_chunk_pull_piece(&p, i);
}

/* Whoever brings a group's last tensor turns round for it. */
static void run_piece_apart(void *user, int64_t index, int worker)
{
    const sg_chunk_call *r = user;
    sg_chunk_place p = sg_chunk_place_of(r, index / r->runs, worker);
    sg_chunk_run_piece(&p, index % r->runs);
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
    sg_chunk_pull_piece(&p, index % half * 2 + 1);
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

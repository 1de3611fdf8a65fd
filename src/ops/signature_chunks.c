#include "ops/signature_chunks.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/cpu/steps.h"
#include <string.h>

/* Chunk c * pieces + p of a path is piece p of the c-th lane that the path takes. So the pieces'
 * tensors are joined for all lanes at once, with whole vectors, and then the lanes of each path as
 * rows, with vectors inside the tensor. */

/* ---- a tree of Chen products --------------------------------------------------------------------
 */

typedef struct {
    const sigad_plan *kept, *whole; /* of nodes and of cotangents, without scalar term */
    sg_join join;
    sg_join_vjp join_vjp;
    bool keeps; /* the factors, for the way back; else a product replaces its right factor */
    char *node, *bar;
    int64_t node_bytes, bar_bytes;
} tree;

static int64_t tree_nodes(bool keeps, int64_t leaves)
{
    return keeps ? 2 * leaves - 1 : leaves;
}

/* Where [first, end) is cut: the left part is as large a power of two as can be. */
static int64_t middle_of(int64_t first, int64_t end)
{
    int64_t half = 1;
    while (2 * half < end - first) half *= 2;
    return first + half;
}

/* Of the leaves first .. end - 1. Where factors are kept, a product stands between its factors'
 * last and first leaf. */
static char *node_of(const tree *t, int64_t first, int64_t end)
{
    int64_t kept = end - first == 1 ? 2 * first : 2 * middle_of(first, end) - 1;
    return t->node + (t->keeps ? kept : end - 1) * t->node_bytes;
}

static char *leaf_of(const tree *t, int64_t leaf)
{
    return node_of(t, leaf, leaf + 1);
}

static void join_leaves(const tree *t, int64_t first, int64_t end)
{
    if (end - first < 2) return;
    int64_t middle = middle_of(first, end);
    join_leaves(t, first, middle);
    join_leaves(t, middle, end);
    char *right = node_of(t, middle, end), *product = node_of(t, first, end);
    if (t->keeps) memcpy(product, right, (size_t)t->node_bytes);
    t->join(t->kept, t->kept->degree, node_of(t, first, middle), product);
}

/* The cotangent of a node lies where that of its first leaf will. */
static void split_leaves(const tree *t, int64_t first, int64_t end)
{
    if (end - first < 2) return;
    int64_t middle = middle_of(first, end);
    t->join_vjp(t->whole, node_of(t, first, middle), node_of(t, middle, end),
                t->bar + first * t->bar_bytes, t->bar + middle * t->bar_bytes);
    split_leaves(t, first, middle);
    split_leaves(t, middle, end);
}

/* ---- scratch ------------------------------------------------------------------------------------
 */

/* Bytes. The store of a group: the trees of its paths, nodes then cotangents, and that of its
 * pieces, if they are several. */
typedef struct {
    int kept; /* levels of nodes: backward has no use for the top one */
    bool keeps;
    int64_t row, row_bar;   /* a node of a path's tree, its cotangent */
    int64_t side, side_bar; /* the same of the pieces', side by side in lanes */
    int64_t paths_tree, bars, pieces_tree, store;
    int64_t log, rows, kernel; /* of a thread: see finish_path; rows of a piece; kernels' scratch */
} sizes;

static bool is_log(const sg_signature_batch *b)
{
    return b->kernels == &sg_log_sig_kernels;
}

/* Of the longest chunk. */
static int64_t most_points(const sg_signature_batch *b, const sg_chunks *chunks)
{
    int64_t all = chunks->spread * chunks->pieces;
    return (b->length - 1 + all - 1) / all + 1;
}

static int64_t round_up(int64_t bytes)
{
    return (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

static sizes measure(const sg_signature_batch *b, int what, const sg_signature_layout *l)
{
    const sigad_plan *plan = b->plan;
    bool forward = what == SG_BATCH_FWD;
    int64_t lanes = l->lanes->lanes, scalar = sg_scalar_bytes(b->scalar), spread = l->chunks.spread;
    sizes s = {.keeps = !forward, .kept = plan->degree - (!forward && !is_log(b))};
    s.row = sg_block(plan->offset[s.kept + 1]) * scalar;
    s.row_bar = sg_block(sg_plan_words(plan)) * scalar;
    s.side = round_up(plan->offset[s.kept + 1] * lanes * scalar);
    s.side_bar = round_up(sg_plan_words(plan) * lanes * scalar);
    s.paths_tree = lanes / spread * tree_nodes(s.keeps, spread) * s.row;
    s.bars = forward ? 0 : lanes * s.row_bar;
    if (l->chunks.pieces > 1) {
        s.pieces_tree = tree_nodes(s.keeps, l->chunks.pieces) * s.side;
        s.rows = lanes * s.row_bar;
    }
    s.store = s.paths_tree + s.bars + s.pieces_tree;
    if (l->chunks.pieces > 1 && !forward) s.store += l->chunks.pieces * s.side_bar;
    if (is_log(b)) {
        int64_t rest = (forward ? sg_sig_to_log_sig_work : sg_sig_to_log_sig_vjp_work)(plan, 0);
        s.log = sg_work_add(rest, forward ? 1 : 2, plan->sig_length) * scalar;
    }
    s.kernel = round_up(l->lanes->sig_bytes(plan, most_points(b, &l->chunks)));
    if (forward) return s;
    int64_t vjp = round_up(l->lanes->sig_vjp_bytes(plan, most_points(b, &l->chunks)));
    if (vjp > s.kernel) s.kernel = vjp;
    return s;
}

int64_t sg_signature_chunks_store_bytes(const sg_signature_batch *batch, int what,
                                        const sg_signature_layout *layout)
{
    return layout->chunks.apart ? layout->tasks * measure(batch, what, layout).store : 0;
}

int64_t sg_signature_chunks_area_bytes(const sg_signature_batch *batch, int what,
                                       const sg_signature_layout *layout)
{
    sizes s = measure(batch, what, layout);
    return s.log + (layout->chunks.apart ? 0 : s.store) + s.rows + s.kernel;
}

/* ---- a call under way ---------------------------------------------------------------------------
 */

typedef struct {
    const sg_signature_job *job;
    const sg_lane_kernels *lanes;
    sizes sizes;
    sigad_plan whole, kept; /* without scalar term, the second of the nodes' degree */
    int paths;              /* of a full group */
    int64_t parity;         /* of the pieces that are walked back now */
} run;

/* What a thread has at hand for one group. */
typedef struct {
    const run *run;
    int64_t group;
    int paths;
    char *area, *store, *rows, *kernel;
} place;

static place place_of(const run *r, int64_t group, int worker)
{
    const sg_signature_layout *l = &r->job->layout;
    int64_t left = r->job->batch->batch - group * r->paths;
    place p = {.run = r, .group = group, .paths = left < r->paths ? (int)left : r->paths};
    p.area = sg_signature_area(r->job, worker);
    p.rows = p.area + r->sizes.log;
    p.store = p.rows;
    if (l->chunks.apart)
        p.store = (char *)r->job->batch->work + l->order_bytes + group * r->sizes.store;
    else
        p.rows += r->sizes.store;
    p.kernel = p.rows + r->sizes.rows;
    return p;
}

static tree path_tree(const place *p, int path)
{
    const run *r = p->run;
    const sizes *s = &r->sizes;
    int64_t spread = r->job->layout.chunks.spread;
    return (tree){.kept = &r->kept,
                  .whole = &r->whole,
                  .join = r->lanes->join_rows,
                  .join_vjp = r->lanes->join_rows_vjp,
                  .keeps = s->keeps,
                  .node = p->store + path * tree_nodes(s->keeps, spread) * s->row,
                  .bar = p->store + s->paths_tree + path * spread * s->row_bar,
                  .node_bytes = s->row,
                  .bar_bytes = s->row_bar};
}

static tree pieces_tree(const place *p)
{
    const run *r = p->run;
    const sizes *s = &r->sizes;
    char *node = p->store + s->paths_tree + s->bars;
    return (tree){.kept = &r->kept,
                  .whole = &r->whole,
                  .join = r->lanes->join_lanes,
                  .join_vjp = r->lanes->join_lanes_vjp,
                  .keeps = s->keeps,
                  .node = node,
                  .bar = node + s->pieces_tree,
                  .node_bytes = s->side,
                  .bar_bytes = s->side_bar};
}

static int64_t item_of(const place *p, int path)
{
    int64_t at = p->group * p->run->paths + path;
    return p->run->job->layout.order_bytes ? p->run->job->order[at] : at;
}

/* Row of the leaf that lane l is in its path's tree, or of its cotangent; lanes without a path
 * share the first. */
static void *lane_row(const place *p, int lane, bool bar)
{
    int spread = p->run->job->layout.chunks.spread, path = lane / spread;
    tree t = path_tree(p, path < p->paths ? path : 0);
    if (path >= p->paths) lane = 0;
    return bar ? t.bar + lane % spread * t.bar_bytes : leaf_of(&t, lane % spread);
}

/* One piece of a group: a chunk for each lane. */
typedef struct {
    int count;
    int64_t longest, length[SG_MOST_LANES];
    double time[SG_MOST_LANES];
    const void *x[SG_MOST_LANES];
    void *x_bar[SG_MOST_LANES], *row[SG_MOST_LANES];
} piece;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Chunks of one path are equally long, but for the last ones, so none is empty between two others:
 * those would share a point without being neighbours. Rows are those of the paths' trees, or, of
 * several pieces, in the thread's area. */
static piece piece_of(const place *p, int64_t number, bool bars)
{
    const sg_signature_job *j = p->run->job;
    const sg_signature_batch *b = j->batch;
    const sg_chunks *chunks = &j->layout.chunks;
    int64_t all = chunks->spread * chunks->pieces;
    piece c = {.count = p->paths * chunks->spread, .longest = most_points(b, chunks)};
    for (int l = 0; l < p->run->lanes->lanes; l++) {
        int from = l < c.count ? l : 0;
        c.row[l] =
            chunks->pieces > 1 ? p->rows + from * p->run->sizes.row_bar : lane_row(p, from, bars);
        if (l >= c.count) continue;
        int64_t item = item_of(p, l / chunks->spread),
                chunk = l % chunks->spread * chunks->pieces + number,
                length = b->lengths ? b->lengths[item] : b->length,
                increments = length ? length - 1 : 0, size = (increments + all - 1) / all,
                begin = least(chunk * size, increments), end = least(begin + size, increments),
                at = item * j->x_entries + begin * b->plan->spec.dimension;
        c.length[l] = end - begin + (length > 0);
        c.time[l] = sg_time_step(b->plan, length);
        c.x[l] = sg_advance(b->x, at, b->scalar);
        c.x_bar[l] = sg_advance(b->out, at, b->scalar);
    }
    return c;
}

/* ---- steps: pieces, what joins them, pieces backward --------------------------------------------
 */

static void run_piece(const place *p, int64_t number)
{
    const run *r = p->run;
    piece c = piece_of(p, number, false);
    if (r->kept.degree == 1)
        r->lanes->ends(&r->kept, c.count, c.length, c.time, c.x, c.row);
    else
        r->lanes->sig(&r->kept, c.longest, c.count, c.length, c.time, c.x, c.row, p->kernel);
    if (r->job->layout.chunks.pieces == 1) return;
    tree t = pieces_tree(p);
    r->lanes->gather(sg_plan_words(&r->kept), (const void *const *)c.row, leaf_of(&t, number));
}

static void pull_piece(const place *p, int64_t number)
{
    const run *r = p->run;
    piece c = piece_of(p, number, true);
    if (r->job->layout.chunks.pieces > 1) {
        tree t = pieces_tree(p);
        r->lanes->scatter(sg_plan_words(&r->whole), t.bar + number * t.bar_bytes, c.count, c.row);
    }
    r->lanes->sig_vjp(&r->whole, c.longest, c.count, c.length, c.time, c.x,
                      (const void *const *)c.row, c.x_bar, p->kernel);
}

/* After this the root of each path's tree is its signature, as far as it is kept. */
static void join_pieces(const place *p)
{
    const run *r = p->run;
    const sg_chunks *chunks = &r->job->layout.chunks;
    if (chunks->pieces > 1) {
        tree t = pieces_tree(p);
        void *row[SG_MOST_LANES];
        for (int l = 0; l < r->lanes->lanes; l++) row[l] = lane_row(p, l, false);
        join_leaves(&t, 0, chunks->pieces);
        r->lanes->scatter(sg_plan_words(&r->kept), node_of(&t, 0, chunks->pieces),
                          p->paths * chunks->spread, row);
    }
    for (int k = 0; k < p->paths; k++) {
        tree t = path_tree(p, k);
        join_leaves(&t, 0, chunks->spread);
    }
}

static void split_pieces(const place *p)
{
    const run *r = p->run;
    const sg_chunks *chunks = &r->job->layout.chunks;
    for (int k = 0; k < p->paths; k++) {
        tree t = path_tree(p, k);
        split_leaves(&t, 0, chunks->spread);
    }
    if (chunks->pieces == 1) return;
    tree t = pieces_tree(p);
    const void *row[SG_MOST_LANES];
    for (int l = 0; l < r->lanes->lanes; l++) row[l] = lane_row(p, l, true);
    r->lanes->gather(sg_plan_words(&r->whole), row, t.bar);
    split_leaves(&t, 0, chunks->pieces);
}

/* ---- between the roots and the arrays of the call -----------------------------------------------
 */

static void write_signature(const place *p, int path, void *sig)
{
    const sg_signature_batch *b = p->run->job->batch;
    tree t = path_tree(p, path);
    if (b->plan->spec.scalar_term) {
        if (b->scalar == SG_F32)
            *(float *)sig = 1;
        else
            *(double *)sig = 1;
    }
    memcpy(sg_advance(sig, b->plan->spec.scalar_term, b->scalar),
           node_of(&t, 0, p->run->job->layout.chunks.spread),
           (size_t)(sg_plan_words(b->plan) * sg_scalar_bytes(b->scalar)));
}

static void take_cotangent(const place *p, int path, const void *sig_bar)
{
    const sg_signature_batch *b = p->run->job->batch;
    tree t = path_tree(p, path);
    memcpy(t.bar, sg_advance(sig_bar, b->plan->spec.scalar_term, b->scalar),
           (size_t)(sg_plan_words(b->plan) * sg_scalar_bytes(b->scalar)));
}

/* Logarithms take the signature, and backward its cotangent, in a thread's area. */
static void finish_path(const place *p, int path)
{
    const sg_signature_job *j = p->run->job;
    const sg_signature_batch *b = j->batch;
    const sg_signature_kernels *transform = &sg_sig_to_log_sig_kernels;
    int64_t at = item_of(p, path) * j->y_entries, entries = sg_block(b->plan->sig_length);
    void *out = sg_advance(b->out, at, b->scalar), *sig = is_log(b) ? p->area : out;
    if (is_log(b) || j->what == SG_BATCH_FWD) write_signature(p, path, sig);
    void *sig_bar = sg_advance(p->area, entries, b->scalar);
    if (j->what == SG_BATCH_FWD) {
        if (is_log(b)) transform->fwd[b->scalar](b->plan, 0, sig, out, sig_bar);
        return;
    }
    const void *y_bar = sg_advance(b->y_bar, at, b->scalar);
    if (is_log(b)) {
        memset(sig_bar, 0, (size_t)(b->plan->sig_length * sg_scalar_bytes(b->scalar)));
        transform->vjp[b->scalar](b->plan, 0, sig, y_bar, sig_bar,
                                  sg_advance(p->area, 2 * entries, b->scalar));
    }
    take_cotangent(p, path, is_log(b) ? sig_bar : y_bar);
}

static void turn_round(const place *p)
{
    join_pieces(p);
    for (int k = 0; k < p->paths; k++) finish_path(p, k);
    if (p->run->job->what == SG_BATCH_VJP) split_pieces(p);
}

/* ---- which thread does what ---------------------------------------------------------------------
 */

static void run_group(void *user, int64_t group, int worker)
{
    const run *r = user;
    place p = place_of(r, group, worker);
    int64_t pieces = r->job->layout.chunks.pieces;
    for (int64_t i = 0; i < pieces; i++) run_piece(&p, i);
    turn_round(&p);
    for (int64_t i = 0; r->job->what == SG_BATCH_VJP && i < pieces; i++) pull_piece(&p, i);
}

static void run_piece_apart(void *user, int64_t index, int worker)
{
    const run *r = user;
    int64_t pieces = r->job->layout.chunks.pieces;
    place p = place_of(r, index / pieces, worker);
    run_piece(&p, index % pieces);
}

static void turn_round_apart(void *user, int64_t group, int worker)
{
    place p = place_of(user, group, worker);
    turn_round(&p);
}

static void pull_piece_apart(void *user, int64_t index, int worker)
{
    const run *r = user;
    int64_t half = r->job->layout.chunks.pieces / 2;
    place p = place_of(r, index / half, worker);
    pull_piece(&p, index % half * 2 + r->parity);
}

void sg_signature_run_chunks(sg_signature_job *job)
{
    const sigad_plan *plan = job->batch->plan;
    const sg_signature_layout *l = &job->layout;
    run r = {.job = job,
             .lanes = l->lanes,
             .sizes = measure(job->batch, job->what, l),
             .whole = *plan,
             .paths = l->lanes->lanes / l->chunks.spread};
    r.whole.spec.scalar_term = 0;
    r.kept = r.whole;
    r.kept.degree = r.sizes.kept;
    if (r.kept.degree < plan->degree) r.kept.core = NULL; /* it is that of the whole plan */
    if (!l->chunks.apart) {
        sg_parallel(l->threads, l->tasks, run_group, &r);
        return;
    }
    int64_t runs = l->tasks * l->chunks.pieces;
    sg_parallel(l->threads, runs, run_piece_apart, &r);
    sg_parallel(l->threads, l->tasks, turn_round_apart, &r);
    if (job->what == SG_BATCH_FWD) return;
    /* Neighbouring chunks share a point, to whose cotangent both add: never at the same time, and
     * always in the same order. Pieces are even in number where they are apart. */
    for (r.parity = 0; r.parity < 2; r.parity++)
        sg_parallel(l->threads, runs / 2, pull_piece_apart, &r);
}

#include "ops/signature_chunks.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include "ops/signature_tree.h"
#include <string.h>

/* Chunks of a path in the order of time: by part, by lane, by piece. The pieces' tensors are joined
 * for all lanes at once, with whole vectors, and then the lanes and the parts of each path as rows,
 * with vectors inside the tensor. */

/* ---- scratch ------------------------------------------------------------------------------------
 */

/* Bytes. The store of a group: the trees of its paths, nodes and then cotangents, and for each part
 * the tree of its pieces, if they are several. */
typedef struct {
    int kept; /* levels of nodes: backward has no use for the top one */
    bool keeps;
    int64_t row, row_bar;   /* a node of a path's tree, its cotangent */
    int64_t side, side_bar; /* the same of a pieces' tree: tensors side by side in lanes */
    int64_t path_tree, path_bars, part;
    int64_t nodes, bars, store;
    int64_t log, rows, kernel; /* of a thread: see finish_path; rows of a piece; kernels' scratch */
} sizes;

static bool is_log(const sg_signature_batch *b)
{
    return b->kernels == &sg_log_sig_kernels;
}

/* Of the longest chunk. */
static int64_t most_points(const sg_signature_batch *b, const sg_chunks *chunks)
{
    int64_t all = sg_chunk_count(chunks);
    return (b->length - 1 + all - 1) / all + 1;
}

static int64_t round_up(int64_t bytes)
{
    return (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

/* Rows that a run of the kernels takes. */
static int width_of(const sg_signature_layout *l)
{
    return l->alone ? 1 : l->lanes->lanes;
}

static int64_t kernel_bytes(const sg_signature_batch *b, bool forward, const sg_signature_layout *l)
{
    int64_t longest = most_points(b, &l->chunks), scalar = sg_scalar_bytes(b->scalar);
    if (l->alone) {
        int64_t up = sg_tensor_elements(b->plan, longest, scalar, false),
                back = forward ? 0 : sg_tensor_elements(b->plan, longest, scalar, true);
        return round_up((up > back ? up : back) * scalar);
    }
    int64_t sig = l->lanes->sig_bytes(b->plan, longest);
    int64_t vjp = forward ? 0 : l->lanes->sig_vjp_bytes(b->plan, longest);
    return round_up(sig > vjp ? sig : vjp);
}

static sizes measure(const sg_signature_batch *b, int what, const sg_signature_layout *l)
{
    const sigad_plan *plan = b->plan;
    const sg_chunks *chunks = &l->chunks;
    bool forward = what == SG_BATCH_FWD;
    int64_t lanes = width_of(l), scalar = sg_scalar_bytes(b->scalar),
            leaves = chunks->parts * chunks->spread, paths = lanes / chunks->spread;
    sizes s = {.keeps = !forward, .kept = plan->degree - (!forward && !is_log(b))};
    s.row = sg_block(plan->offset[s.kept + 1]) * scalar;
    s.row_bar = sg_block(sg_plan_words(plan)) * scalar;
    s.side = round_up(plan->offset[s.kept + 1] * lanes * scalar);
    s.side_bar = round_up(sg_plan_words(plan) * lanes * scalar);
    s.path_tree = sg_tree_nodes(s.keeps, leaves) * s.row;
    s.path_bars = forward ? 0 : leaves * s.row_bar;
    s.nodes = paths * s.path_tree;
    s.bars = paths * s.path_bars;
    if (chunks->pieces > 1) {
        s.part = sg_tree_nodes(s.keeps, chunks->pieces) * s.side;
        if (!forward) s.part += chunks->pieces * s.side_bar;
        s.rows = lanes * s.row_bar;
    }
    s.store = s.nodes + s.bars + chunks->parts * s.part;
    if (is_log(b)) {
        int64_t rest = (forward ? sg_sig_to_log_sig_work : sg_sig_to_log_sig_vjp_work)(plan, 0);
        s.log = sg_work_add(rest, forward ? 1 : 2, plan->sig_length) * scalar;
    }
    s.kernel = kernel_bytes(b, forward, l);
    return s;
}

int64_t sg_signature_chunks_store_bytes(const sg_signature_batch *batch, int what,
                                        const sg_signature_layout *layout)
{
    if (layout->chunks.parts == 1) return 0;
    return layout->tasks / layout->chunks.parts * measure(batch, what, layout).store;
}

int64_t sg_signature_chunks_area_bytes(const sg_signature_batch *batch, int what,
                                       const sg_signature_layout *layout)
{
    sizes s = measure(batch, what, layout);
    return s.log + (layout->chunks.parts == 1 ? s.store : 0) + s.rows + s.kernel;
}

/* ---- a call under way ---------------------------------------------------------------------------
 */

typedef struct {
    const sg_signature_job *job;
    const sg_lane_kernels *lanes;
    sg_chunks chunks;
    sizes sizes;
    sigad_plan whole, kept; /* without scalar term, the second of the nodes' degree */
    int paths;              /* of a full group */
    int64_t parity;         /* of the parts that are walked back now */
} run;

/* What a thread has at hand for one part of a group. */
typedef struct {
    const run *run;
    int64_t group, part;
    int paths;
    char *log, *store, *rows, *kernel;
} place;

static place place_of(const run *r, int64_t group, int64_t part, int worker)
{
    const sg_signature_layout *l = &r->job->layout;
    int64_t left = r->job->batch->batch - group * r->paths;
    char *area = sg_signature_area(r->job, worker), *shared = r->job->batch->work;
    place p = {.run = r, .group = group, .part = part, .log = area, .rows = area + r->sizes.log};
    p.paths = left < r->paths ? (int)left : r->paths;
    p.store = r->chunks.parts > 1 ? shared + l->order_bytes + group * r->sizes.store : p.rows;
    if (r->chunks.parts == 1) p.rows += r->sizes.store;
    p.kernel = p.rows + r->sizes.rows;
    return p;
}

static sg_tree path_tree(const place *p, int path)
{
    const run *r = p->run;
    const sizes *s = &r->sizes;
    return (sg_tree){.kept = &r->kept,
                     .whole = &r->whole,
                     .join = r->lanes->join_rows,
                     .join_vjp = r->lanes->join_rows_vjp,
                     .keeps = s->keeps,
                     .node = p->store + path * s->path_tree,
                     .bar = p->store + s->nodes + path * s->path_bars,
                     .node_bytes = s->row,
                     .bar_bytes = s->row_bar};
}

static sg_tree pieces_tree(const place *p)
{
    const run *r = p->run;
    const sizes *s = &r->sizes;
    char *node = p->store + s->nodes + s->bars + p->part * s->part;
    return (sg_tree){.kept = &r->kept,
                     .whole = &r->whole,
                     .join = r->lanes->join_lanes,
                     .join_vjp = r->lanes->join_lanes_vjp,
                     .keeps = s->keeps,
                     .node = node,
                     .bar = node + sg_tree_nodes(s->keeps, r->chunks.pieces) * s->side,
                     .node_bytes = s->side,
                     .bar_bytes = s->side_bar};
}

static int64_t item_of(const place *p, int path)
{
    int64_t at = p->group * p->run->paths + path;
    return p->run->job->layout.order_bytes ? p->run->job->order[at] : at;
}

/* Row of the leaf that a lane is in its path's tree, or of its cotangent; lanes without a path
 * share the first. */
static void *lane_row(const place *p, int lane, bool bar)
{
    int spread = p->run->chunks.spread, path = lane / spread;
    int64_t leaf = p->part * spread + lane % spread;
    if (path >= p->paths) return lane_row(p, 0, bar);
    sg_tree t = path_tree(p, path);
    return bar ? t.bar + leaf * t.bar_bytes : sg_tree_leaf(&t, leaf);
}

/* One piece of a part: a chunk for each lane. */
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
    const run *r = p->run;
    const sg_signature_batch *b = r->job->batch;
    int64_t all = sg_chunk_count(&r->chunks), spread = r->chunks.spread;
    piece c = {.count = p->paths * (int)spread, .longest = most_points(b, &r->chunks)};
    for (int l = 0; l < width_of(&r->job->layout); l++) {
        int from = l < c.count ? l : 0;
        c.row[l] =
            r->chunks.pieces > 1 ? p->rows + from * r->sizes.row_bar : lane_row(p, from, bars);
        if (l >= c.count) continue;
        int64_t item = item_of(p, l / (int)spread),
                chunk = (p->part * spread + l % spread) * r->chunks.pieces + number,
                length = b->lengths ? b->lengths[item] : b->length,
                increments = length ? length - 1 : 0, size = (increments + all - 1) / all,
                begin = least(chunk * size, increments), end = least(begin + size, increments),
                at = item * r->job->x_entries + begin * b->plan->spec.dimension;
        c.length[l] = end - begin + (length > 0);
        c.time[l] = sg_time_step(b->plan, length);
        c.x[l] = sg_advance(b->x, at, b->scalar);
        c.x_bar[l] = sg_advance(b->out, at, b->scalar);
    }
    return c;
}

/* ---- a part: its pieces, what joins them, its pieces backward -----------------------------------
 */

static const sg_tensor_kernels *tensor_kernels(const run *r)
{
    return (r->job->batch->scalar == SG_F32 ? sg_tensor_f32 : sg_tensor_f64)[r->whole.isa];
}

/* The only chunk of a piece, by the kernels inside one tensor. */
static void run_alone(const place *p, const piece *c)
{
    const run *r = p->run;
    if (c->length[0] > 1)
        tensor_kernels(r)->sig(&r->kept, c->length[0], c->time[0], c->x[0], c->row[0], p->kernel);
    else
        memset(c->row[0], 0, (size_t)r->sizes.row);
}

static void run_piece(const place *p, int64_t number)
{
    const run *r = p->run;
    piece c = piece_of(p, number, false);
    if (r->kept.degree == 1)
        r->lanes->ends(&r->kept, c.count, c.length, c.time, c.x, c.row);
    else if (r->job->layout.alone)
        run_alone(p, &c);
    else
        r->lanes->sig(&r->kept, c.longest, c.count, c.length, c.time, c.x, c.row, p->kernel);
    if (r->chunks.pieces == 1) return;
    sg_tree t = pieces_tree(p);
    r->lanes->gather(sg_plan_words(&r->kept), (const void *const *)c.row, sg_tree_leaf(&t, number));
}

static void run_part(const place *p)
{
    const run *r = p->run;
    int64_t pieces = r->chunks.pieces, spread = r->chunks.spread, first = p->part * spread;
    for (int64_t i = 0; i < pieces; i++) run_piece(p, i);
    if (pieces > 1) {
        sg_tree t = pieces_tree(p);
        void *row[SG_MOST_LANES];
        for (int l = 0; l < r->lanes->lanes; l++) row[l] = lane_row(p, l, false);
        sg_tree_join(&t, 1, 0, pieces);
        r->lanes->scatter(sg_plan_words(&r->kept), sg_tree_node(&t, 0, pieces),
                          p->paths * (int)spread, row);
    }
    for (int k = 0; k < p->paths; k++) {
        sg_tree t = path_tree(p, k);
        sg_tree_join(&t, 1, first, first + spread);
    }
}

static void pull_piece(const place *p, int64_t number)
{
    const run *r = p->run;
    piece c = piece_of(p, number, true);
    if (r->job->layout.alone) {
        if (c.length[0] > 1)
            tensor_kernels(r)->sig_vjp(&r->whole, c.length[0], c.time[0], c.x[0], c.row[0],
                                       c.x_bar[0], p->kernel);
        return;
    }
    if (r->chunks.pieces > 1) {
        sg_tree t = pieces_tree(p);
        r->lanes->scatter(sg_plan_words(&r->whole), t.bar + number * t.bar_bytes, c.count, c.row);
    }
    r->lanes->sig_vjp(&r->whole, c.longest, c.count, c.length, c.time, c.x,
                      (const void *const *)c.row, c.x_bar, p->kernel);
}

static void pull_part(const place *p)
{
    const run *r = p->run;
    int64_t pieces = r->chunks.pieces, spread = r->chunks.spread, first = p->part * spread;
    for (int k = 0; k < p->paths; k++) {
        sg_tree t = path_tree(p, k);
        sg_tree_split(&t, 1, first, first + spread);
    }
    if (pieces > 1) {
        sg_tree t = pieces_tree(p);
        const void *row[SG_MOST_LANES];
        for (int l = 0; l < r->lanes->lanes; l++) row[l] = lane_row(p, l, true);
        r->lanes->gather(sg_plan_words(&r->whole), row, t.bar);
        sg_tree_split(&t, 1, 0, pieces);
    }
    for (int64_t i = 0; i < pieces; i++) pull_piece(p, i);
}

/* ---- between the roots and the arrays of the call -----------------------------------------------
 */

static void write_signature(const place *p, int path, void *sig)
{
    const sg_signature_batch *b = p->run->job->batch;
    sg_tree t = path_tree(p, path);
    if (b->plan->spec.scalar_term) {
        if (b->scalar == SG_F32)
            *(float *)sig = 1;
        else
            *(double *)sig = 1;
    }
    memcpy(sg_advance(sig, b->plan->spec.scalar_term, b->scalar),
           sg_tree_node(&t, 0, p->run->chunks.parts * p->run->chunks.spread),
           (size_t)(sg_plan_words(b->plan) * sg_scalar_bytes(b->scalar)));
}

static void take_cotangent(const place *p, int path, const void *sig_bar)
{
    const sg_signature_batch *b = p->run->job->batch;
    sg_tree t = path_tree(p, path);
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
    void *out = sg_advance(b->out, at, b->scalar), *sig = is_log(b) ? p->log : out;
    if (is_log(b) || j->what == SG_BATCH_FWD) write_signature(p, path, sig);
    void *sig_bar = sg_advance(p->log, entries, b->scalar);
    if (j->what == SG_BATCH_FWD) {
        if (is_log(b)) transform->fwd[b->scalar](b->plan, 0, sig, out, sig_bar);
        return;
    }
    const void *y_bar = sg_advance(b->y_bar, at, b->scalar);
    if (is_log(b)) {
        memset(sig_bar, 0, (size_t)(b->plan->sig_length * sg_scalar_bytes(b->scalar)));
        transform->vjp[b->scalar](b->plan, 0, sig, y_bar, sig_bar,
                                  sg_advance(p->log, 2 * entries, b->scalar));
    }
    take_cotangent(p, path, is_log(b) ? sig_bar : y_bar);
}

static void turn_round(const place *p)
{
    const run *r = p->run;
    int64_t spread = r->chunks.spread, leaves = r->chunks.parts * spread;
    for (int k = 0; k < p->paths; k++) {
        sg_tree t = path_tree(p, k);
        sg_tree_join(&t, spread, 0, leaves);
        finish_path(p, k);
        if (r->job->what == SG_BATCH_VJP) sg_tree_split(&t, spread, 0, leaves);
    }
}

/* ---- which thread does what ---------------------------------------------------------------------
 */

static void run_group(void *user, int64_t group, int worker)
{
    const run *r = user;
    place p = place_of(r, group, 0, worker);
    for (int k = 0; k < p.paths; k++) sg_signature_clear(r->job, item_of(&p, k));
    run_part(&p);
    turn_round(&p);
    if (r->job->what == SG_BATCH_VJP) pull_part(&p);
}

static void run_part_apart(void *user, int64_t index, int worker)
{
    const run *r = user;
    place p = place_of(r, index / r->chunks.parts, index % r->chunks.parts, worker);
    run_part(&p);
}

static void turn_round_apart(void *user, int64_t group, int worker)
{
    place p = place_of(user, group, 0, worker);
    turn_round(&p);
}

static void pull_part_apart(void *user, int64_t index, int worker)
{
    const run *r = user;
    int64_t half = r->chunks.parts / 2;
    place p = place_of(r, index / half, index % half * 2 + r->parity, worker);
    pull_part(&p);
}

void sg_signature_run_chunks(sg_signature_job *job)
{
    const sigad_plan *plan = job->batch->plan;
    const sg_signature_layout *l = &job->layout;
    run r = {.job = job,
             .lanes = l->lanes,
             .chunks = l->chunks,
             .sizes = measure(job->batch, job->what, l),
             .whole = *plan,
             .paths = width_of(l) / l->chunks.spread};
    r.whole.spec.scalar_term = 0;
    r.kept = r.whole;
    r.kept.degree = r.sizes.kept;
    if (r.kept.degree < plan->degree) r.kept.core = NULL; /* it is that of the whole plan */
    if (l->chunks.parts == 1) {
        sg_parallel(l->threads, l->tasks, run_group, &r);
        return;
    }
    int64_t groups = l->tasks / l->chunks.parts;
    for (int64_t i = 0; i < job->batch->batch; i++) sg_signature_clear(job, i);
    sg_parallel(l->threads, l->tasks, run_part_apart, &r);
    sg_parallel(l->threads, groups, turn_round_apart, &r);
    if (job->what == SG_BATCH_FWD) return;
    /* Neighbouring parts share a point, to whose cotangent both add: never at the same time, and
     * always in the same order. */
    for (r.parity = 0; r.parity < 2; r.parity++)
        sg_parallel(l->threads, l->tasks / 2, pull_part_apart, &r);
}

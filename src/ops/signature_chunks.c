#include "ops/signature_chunks.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "ops/cpu/steps.h"
#include <string.h>

/* Chunk c * pieces + p of a path is piece p of the c-th lane that the path takes. So the pieces'
 * tensors, side by side in lanes, are joined with whole vectors, and the lanes of one path only at
 * the end. Tensors are those of join.inc. */

/* ---- scratch ------------------------------------------------------------------------------------
 */

enum { MOST_STAGES = 4 };

/* Sizes in bytes. */
typedef struct {
    int kept;            /* levels of the tree's nodes: backward has no use for the top one */
    int stages;          /* log2(spread) */
    int64_t nodes;       /* of the tree over pieces */
    int64_t node, whole; /* a tensor of `kept` levels, and one of all */
    int64_t store;       /* of one group */
    int64_t row, rows;   /* a lane kernel's row; all of them, or the scratch of joins */
    int64_t kernel;
} sizes;

/* The tensors of one group. */
typedef struct {
    char *node;      /* pieces and their products, see node_of */
    char *stage;     /* what joining lanes makes of the root, but for the last product */
    char *cotangent; /* of each piece */
} tensors;

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

static sizes measure(const sg_signature_batch *b, int what, const sg_signature_layout *l)
{
    const sigad_plan *plan = b->plan;
    const sg_lane_kernels *lanes = l->lanes;
    bool forward = what == SG_BATCH_FWD;
    int64_t scalar = sg_scalar_bytes(b->scalar), vector = lanes->lanes * scalar;
    sizes s = {.kept = plan->degree - (!forward && !is_log(b))};
    while (1 << s.stages < l->chunks.spread) s.stages++;
    s.nodes = forward ? l->chunks.pieces : 2 * l->chunks.pieces - 1;
    s.node = plan->offset[s.kept + 1] * vector;
    s.whole = sg_plan_words(plan) * vector;
    s.store = s.nodes * s.node;
    if (!forward) s.store += s.stages * s.node + l->chunks.pieces * s.whole;
    s.row = sg_block(sg_plan_words(plan)) * scalar;
    int64_t scratch = s.whole + (forward ? 0 : 2 * sg_plan_low_words(plan) * vector);
    s.rows = lanes->lanes * s.row > scratch ? lanes->lanes * s.row : scratch;
    s.kernel = lanes->sig_bytes(plan);
    if (!forward) {
        int64_t vjp = lanes->sig_vjp_bytes(plan, most_points(b, &l->chunks));
        if (vjp > s.kernel) s.kernel = vjp;
    }
    return s;
}

static int64_t round_up(int64_t bytes)
{
    return (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

int64_t sg_signature_chunks_store_bytes(const sg_signature_batch *batch, int what,
                                        const sg_signature_layout *layout)
{
    if (!layout->chunks.apart) return 0;
    return layout->tasks * round_up(measure(batch, what, layout).store);
}

int64_t sg_signature_chunks_area_bytes(const sg_signature_batch *batch, int what,
                                       const sg_signature_layout *layout)
{
    sizes s = measure(batch, what, layout);
    int64_t store = layout->chunks.apart ? 0 : round_up(s.store);
    return layout->row_bytes + store + round_up(s.rows) + round_up(s.kernel);
}

/* ---- a call under way ---------------------------------------------------------------------------
 */

typedef struct {
    const sg_signature_job *job;
    const sg_lane_kernels *lanes;
    sizes sizes;
    sigad_plan whole, kept; /* plans without scalar term, the second of the nodes' degree */
    int paths;              /* of a full group */
    int64_t parity;         /* of the pieces that are walked back now */
} run;

static char *rows_of(const run *r, int worker)
{
    int64_t store = r->job->layout.chunks.apart ? 0 : round_up(r->sizes.store);
    return (char *)sg_signature_area(r->job, worker) + r->job->layout.row_bytes + store;
}

static void *kernel_work(const run *r, int worker)
{
    return rows_of(r, worker) + round_up(r->sizes.rows);
}

static tensors tensors_of(const run *r, int64_t group, int worker)
{
    const sg_signature_layout *l = &r->job->layout;
    char *at = l->chunks.apart
                   ? (char *)r->job->batch->work + l->order_bytes + group * round_up(r->sizes.store)
                   : (char *)sg_signature_area(r->job, worker) + l->row_bytes;
    tensors s = {.node = at, .stage = at + r->sizes.nodes * r->sizes.node};
    s.cotangent = s.stage + r->sizes.stages * r->sizes.node;
    return s;
}

static int paths_in(const run *r, int64_t group)
{
    int64_t left = r->job->batch->batch - group * r->paths;
    return left < r->paths ? (int)left : r->paths;
}

static int64_t item_of(const run *r, int64_t group, int path)
{
    int64_t at = group * r->paths + path;
    return r->job->layout.order_bytes ? r->job->order[at] : at;
}

/* One piece of a group: a chunk for each lane. */
typedef struct {
    int count;
    int64_t length[SG_MOST_LANES];
    double time[SG_MOST_LANES];
    const void *x[SG_MOST_LANES];
    void *x_bar[SG_MOST_LANES], *row[SG_MOST_LANES];
} piece;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Chunks of one path are equally long, but for the last ones, so none is empty between two others:
 * those would share a point without being neighbours. */
static piece piece_of(const run *r, int64_t group, int64_t number, int worker)
{
    const sg_signature_batch *b = r->job->batch;
    const sg_chunks *chunks = &r->job->layout.chunks;
    int64_t all = chunks->spread * chunks->pieces;
    piece p = {.count = paths_in(r, group) * chunks->spread};
    for (int l = 0; l < r->lanes->lanes; l++) {
        p.row[l] = rows_of(r, worker) + l * r->sizes.row;
        if (l >= p.count) continue;
        int64_t item = item_of(r, group, l / chunks->spread),
                chunk = l % chunks->spread * chunks->pieces + number,
                length = b->lengths ? b->lengths[item] : b->length,
                increments = length ? length - 1 : 0, size = (increments + all - 1) / all,
                begin = least(chunk * size, increments), end = least(begin + size, increments),
                at = item * r->job->x_entries + begin * b->plan->spec.dimension;
        p.length[l] = end - begin + (length > 0);
        p.time[l] = sg_time_step(b->plan, length);
        p.x[l] = sg_advance(b->x, at, b->scalar);
        p.x_bar[l] = sg_advance(b->out, at, b->scalar);
    }
    return p;
}

/* ---- the tree over pieces -----------------------------------------------------------------------
 */

/* Where [first, end) is cut: the left part is as large a power of two as can be. */
static int64_t middle_of(int64_t first, int64_t end)
{
    int64_t half = 1;
    while (2 * half < end - first) half *= 2;
    return first + half;
}

/* Forward, a product replaces its left factor. Backward keeps both: pieces at even places, and a
 * product between its factors' last and first piece. */
static char *node_of(const run *r, const tensors *s, int64_t first, int64_t end)
{
    bool forward = r->job->what == SG_BATCH_FWD;
    int64_t place = forward ? first : end - first == 1 ? 2 * first : 2 * middle_of(first, end) - 1;
    return s->node + place * r->sizes.node;
}

static void join_pieces(const run *r, const tensors *s, int64_t first, int64_t end)
{
    if (end - first < 2) return;
    int64_t middle = middle_of(first, end);
    join_pieces(r, s, first, middle);
    join_pieces(r, s, middle, end);
    char *left = node_of(r, s, first, middle), *product = node_of(r, s, first, end);
    if (product != left) memcpy(product, left, (size_t)r->sizes.node);
    r->lanes->join(&r->kept, r->kept.degree, product, node_of(r, s, middle, end));
}

/* The cotangent of a node lies where that of its first piece will. */
static void split_pieces(const run *r, const tensors *s, int64_t first, int64_t end)
{
    if (end - first < 2) return;
    int64_t middle = middle_of(first, end), bar = r->sizes.whole;
    r->lanes->join_vjp(&r->whole, node_of(r, s, first, middle), node_of(r, s, middle, end),
                       s->cotangent + first * bar, s->cotangent + middle * bar);
    split_pieces(r, s, first, middle);
    split_pieces(r, s, middle, end);
}

/* ---- steps: pieces, what joins them, pieces backward --------------------------------------------
 */

static void run_piece(const run *r, int64_t group, int64_t number, int worker)
{
    piece p = piece_of(r, group, number, worker);
    tensors s = tensors_of(r, group, worker);
    char *node = node_of(r, &s, number, number + 1);
    if (r->kept.degree == 1) {
        r->lanes->ends(&r->kept, p.count, p.length, p.time, p.x, node);
        return;
    }
    r->lanes->sig(&r->kept, most_points(r->job->batch, &r->job->layout.chunks), p.count, p.length,
                  p.time, p.x, p.row, kernel_work(r, worker));
    for (int l = p.count; l < r->lanes->lanes; l++) p.row[l] = p.row[0];
    r->lanes->gather(sg_plan_words(&r->kept), (const void *const *)p.row, node);
}

static void pull_piece(const run *r, int64_t group, int64_t number, int worker)
{
    piece p = piece_of(r, group, number, worker);
    tensors s = tensors_of(r, group, worker);
    r->lanes->scatter(sg_plan_words(&r->whole), s.cotangent + number * r->sizes.whole, 1, p.count,
                      p.row);
    r->lanes->sig_vjp(&r->whole, most_points(r->job->batch, &r->job->layout.chunks), p.count,
                      p.length, p.time, p.x, (const void *const *)p.row, p.x_bar,
                      kernel_work(r, worker));
}

/* Where the signature of each path of a group is wanted; for logarithms, in a thread's area. */
static void *sig_of(const run *r, int64_t group, int path, int worker)
{
    const sg_signature_batch *b = r->job->batch;
    if (!is_log(b))
        return sg_advance(b->out, item_of(r, group, path) * r->job->y_entries, b->scalar);
    return sg_advance(sg_signature_area(r->job, worker), path * sg_block(b->plan->sig_length),
                      b->scalar);
}

static void set_scalar_term(const sg_signature_batch *b, void *sig)
{
    if (!b->plan->spec.scalar_term) return;
    if (b->scalar == SG_F32)
        *(float *)sig = 1;
    else
        *(double *)sig = 1;
}

static void write_signatures(const run *r, int64_t group, const char *tensor, int worker)
{
    const sg_signature_batch *b = r->job->batch;
    int paths = paths_in(r, group);
    void *row[SG_MOST_LANES];
    for (int k = 0; k < paths; k++) {
        void *sig = sig_of(r, group, k, worker);
        set_scalar_term(b, sig);
        row[k] = sg_advance(sig, b->plan->spec.scalar_term, b->scalar);
    }
    r->lanes->scatter(sg_plan_words(&r->whole), tensor, r->job->layout.chunks.spread, paths, row);
}

static void finish_forward(const run *r, int64_t group, int worker)
{
    const sg_signature_batch *b = r->job->batch;
    const sg_chunks *chunks = &r->job->layout.chunks;
    tensors s = tensors_of(r, group, worker);
    join_pieces(r, &s, 0, chunks->pieces);
    for (int distance = 1; distance < chunks->spread; distance *= 2)
        r->lanes->join_lanes(&r->whole, r->whole.degree, distance, s.node, rows_of(r, worker));
    write_signatures(r, group, s.node, worker);
    if (!is_log(b)) return;
    char *rest = sig_of(r, group, r->paths, worker);
    for (int k = 0; k < paths_in(r, group); k++)
        sg_sig_to_log_sig_kernels.fwd[b->scalar](
            b->plan, 0, sig_of(r, group, k, worker),
            sg_advance(b->out, item_of(r, group, k) * r->job->y_entries, b->scalar), rest);
}

/* The signatures' cotangents: as given, or for logarithms through the transform, from the products'
 * tensor. */
static void find_cotangents(const run *r, int64_t group, const char *product, int worker,
                            const void **row)
{
    const sg_signature_batch *b = r->job->batch;
    int paths = paths_in(r, group);
    if (!is_log(b)) {
        for (int k = 0; k < paths; k++)
            row[k] = sg_advance(b->y_bar, item_of(r, group, k) * r->job->y_entries, b->scalar);
        return;
    }
    write_signatures(r, group, product, worker);
    char *rest = sig_of(r, group, 2 * r->paths, worker);
    for (int k = 0; k < paths; k++) {
        void *bar = sig_of(r, group, r->paths + k, worker);
        memset(bar, 0, (size_t)(b->plan->sig_length * sg_scalar_bytes(b->scalar)));
        sg_sig_to_log_sig_kernels.vjp[b->scalar](
            b->plan, 0, sig_of(r, group, k, worker),
            sg_advance(b->y_bar, item_of(r, group, k) * r->job->y_entries, b->scalar), bar, rest);
        row[k] = bar;
    }
}

/* From the pieces' tensors to the pieces' cotangents. */
static void turn_round(const run *r, int64_t group, int worker)
{
    const sg_signature_batch *b = r->job->batch;
    const sg_chunks *chunks = &r->job->layout.chunks;
    tensors s = tensors_of(r, group, worker);
    char *scratch = rows_of(r, worker),
         *before[MOST_STAGES + 1] = {node_of(r, &s, 0, chunks->pieces)};
    int stages = r->sizes.stages, joins = is_log(b) || !stages ? stages : stages - 1;
    join_pieces(r, &s, 0, chunks->pieces);
    for (int t = 0; t < joins; t++) {
        before[t + 1] = s.stage + t * r->sizes.node;
        memcpy(before[t + 1], before[t], (size_t)r->sizes.node);
        r->lanes->join_lanes(&r->kept, r->kept.degree, 1 << t, before[t + 1], scratch);
    }
    const void *row[SG_MOST_LANES], *of_lane[SG_MOST_LANES];
    find_cotangents(r, group, before[joins], worker, row);
    for (int l = 0; l < r->lanes->lanes; l++) {
        int path = l / chunks->spread < paths_in(r, group) ? l / chunks->spread : 0;
        of_lane[l] = sg_advance(row[path], b->plan->spec.scalar_term, b->scalar);
    }
    r->lanes->gather(sg_plan_words(&r->whole), of_lane, s.cotangent);
    for (int t = stages; t-- > 0;)
        r->lanes->join_lanes_vjp(&r->whole, 1 << t, before[t], s.cotangent, scratch);
    split_pieces(r, &s, 0, chunks->pieces);
}

/* ---- which thread does what ---------------------------------------------------------------------
 */

static void run_group(void *user, int64_t group, int worker)
{
    const run *r = user;
    int64_t pieces = r->job->layout.chunks.pieces;
    for (int64_t p = 0; p < pieces; p++) run_piece(r, group, p, worker);
    if (r->job->what == SG_BATCH_FWD) {
        finish_forward(r, group, worker);
        return;
    }
    turn_round(r, group, worker);
    for (int64_t p = 0; p < pieces; p++) pull_piece(r, group, p, worker);
}

static void run_piece_apart(void *user, int64_t index, int worker)
{
    const run *r = user;
    int64_t pieces = r->job->layout.chunks.pieces;
    run_piece(r, index / pieces, index % pieces, worker);
}

static void join_apart(void *user, int64_t group, int worker)
{
    const run *r = user;
    (r->job->what == SG_BATCH_FWD ? finish_forward : turn_round)(r, group, worker);
}

static void pull_piece_apart(void *user, int64_t index, int worker)
{
    const run *r = user;
    int64_t half = r->job->layout.chunks.pieces / 2;
    pull_piece(r, index / half, index % half * 2 + r->parity, worker);
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
    if (!l->chunks.apart) {
        sg_parallel(l->threads, l->tasks, run_group, &r);
        return;
    }
    int64_t runs = l->tasks * l->chunks.pieces;
    sg_parallel(l->threads, runs, run_piece_apart, &r);
    sg_parallel(l->threads, l->tasks, join_apart, &r);
    if (job->what == SG_BATCH_FWD) return;
    /* Neighbouring chunks share a point, to whose cotangent both add: never at the same time, and
     * always in the same order. Pieces are even in number where they are apart. */
    for (r.parity = 0; r.parity < 2; r.parity++)
        sg_parallel(l->threads, runs / 2, pull_piece_apart, &r);
}

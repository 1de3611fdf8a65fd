/* Chunks of a path in the order of time: by lane, by piece, unless they are joined by lane. */
#include "ops/signature_pieces.h"
#include "core/least.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include <string.h>

/* What a run of the kernels takes: a chunk for each lane. */
typedef struct {
    int count;
    int64_t longest, length[SG_MOST_LANES], room[SG_MOST_LANES];
    double time[SG_MOST_LANES];
    const void *x[SG_MOST_LANES];
    void *x_bar[SG_MOST_LANES], *row[SG_MOST_LANES];
} piece;

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
    k.begin = sg_least(k.number * c->size, c->increments);
    k.end = sg_least(k.begin + c->size, c->increments);
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

void sg_chunk_run_piece(const sg_chunk_place *p, int64_t number)
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

void sg_chunk_pull_piece(const sg_chunk_place *p, int64_t number)
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

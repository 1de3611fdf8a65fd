#include "ops/signature_place.h"
#include "core/memory.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"
#include "ops/signature_chunks.h"

static int64_t round_up(int64_t bytes)
{
    return (bytes + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

static int64_t kernel_bytes(const sg_signature_batch *b, bool forward, const sg_signature_layout *l)
{
    int64_t longest = sg_most_points(b, &l->chunks), scalar = sg_scalar_bytes(b->scalar);
    if (l->alone) {
        int64_t up = sg_tensor_elements(b->plan, longest, scalar, false),
                back = forward ? 0 : sg_tensor_elements(b->plan, longest, scalar, true);
        return round_up((up > back ? up : back) * scalar);
    }
    int64_t sig = (l->joined ? l->lanes->spread_bytes : l->lanes->sig_bytes)(b->plan, longest);
    int64_t vjp = forward ? 0 : l->lanes->sig_vjp_bytes(b->plan, longest);
    return round_up(sig > vjp ? sig : vjp);
}

sg_chunk_sizes sg_chunk_measure(const sg_signature_batch *b, int what, const sg_signature_layout *l)
{
    const sigad_plan *plan = b->plan;
    const sg_chunks *chunks = &l->chunks;
    bool forward = what == SG_BATCH_FWD;
    int64_t lanes = sg_chunk_width(l), scalar = sg_scalar_bytes(b->scalar),
            leaves = sg_chunk_leaves(l), paths = sg_chunk_paths(l);
    sg_chunk_sizes s = {.keeps = !forward, .kept = plan->degree - (!forward && !sg_is_log(b))};
    s.row = sg_block(plan->offset[s.kept + 1]) * scalar;
    s.row_bar = sg_block(sg_plan_words(plan)) * scalar;
    s.side = round_up(plan->offset[s.kept + 1] * lanes * scalar);
    s.side_bar = round_up(sg_plan_words(plan) * lanes * scalar);
    s.path_tree = sg_tree_nodes(s.keeps, leaves) * s.row;
    s.path_bars = forward ? 0 : leaves * s.row_bar;
    s.nodes = paths * s.path_tree;
    s.bars = paths * s.path_bars;
    s.marks = l->apart ? round_up(sg_runs_of_group(l) * (int64_t)sizeof(atomic_int)) : 0;
    s.store = s.nodes + s.bars + s.marks;
    if (sg_has_sides(l)) {
        s.store += sg_tree_nodes(s.keeps, chunks->pieces) * s.side;
        if (!forward) s.store += chunks->pieces * s.side_bar;
        s.rows = lanes * s.row_bar;
    }
    for (int64_t by = 1; l->woven && by < chunks->spread; by *= 2) s.woven += s.side;
    if (l->woven) s.woven += s.side_bar;
    s.store += s.woven;
    if (sg_is_log(b)) {
        int64_t rest = (forward ? sg_sig_to_log_sig_work : sg_sig_to_log_sig_vjp_work)(plan, 0);
        s.log = sg_work_add(rest, forward ? 1 : 2, plan->sig_length) * scalar;
    }
    s.kernel = kernel_bytes(b, forward, l);
    return s;
}

int64_t sg_signature_chunks_store_bytes(const sg_signature_batch *batch, int what,
                                        const sg_signature_layout *layout)
{
    return layout->apart ? layout->tasks * sg_chunk_measure(batch, what, layout).store : 0;
}

int64_t sg_signature_chunks_area_bytes(const sg_signature_batch *batch, int what,
                                       const sg_signature_layout *layout)
{
    sg_chunk_sizes s = sg_chunk_measure(batch, what, layout);
    return s.log + (layout->apart ? 0 : s.store) + s.rows + s.kernel;
}

sg_chunk_place sg_chunk_place_of(const sg_chunk_call *r, int64_t group, int worker)
{
    const sg_signature_layout *l = &r->job->layout;
    int64_t left = r->job->batch->batch - group * r->paths;
    char *area = sg_signature_area(r->job, worker), *shared = r->job->batch->work;
    sg_chunk_place p = {.call = r, .group = group, .log = area, .rows = area + r->sizes.log};
    p.paths = left < r->paths ? (int)left : r->paths;
    p.store = l->apart ? shared + l->order_bytes + group * r->sizes.store : p.rows;
    if (!l->apart) p.rows += r->sizes.store;
    p.kernel = p.rows + r->sizes.rows;
    return p;
}

sg_tree sg_chunk_path_tree(const sg_chunk_place *p, int path)
{
    const sg_chunk_call *r = p->call;
    const sg_chunk_sizes *s = &r->sizes;
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

sg_tree sg_chunk_pieces_tree(const sg_chunk_place *p)
{
    const sg_chunk_call *r = p->call;
    const sg_chunk_sizes *s = &r->sizes;
    char *node = p->store + s->nodes + s->bars + s->marks;
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

sg_tree sg_chunk_runs_tree(const sg_chunk_place *p)
{
    return sg_runs_are_leaves(&p->call->job->layout) ? sg_chunk_path_tree(p, 0)
                                                     : sg_chunk_pieces_tree(p);
}

/* Last of the store. */
void *sg_chunk_woven(const sg_chunk_place *p)
{
    return p->store + p->call->sizes.store - p->call->sizes.woven;
}

atomic_int *sg_chunk_marks(const sg_chunk_place *p)
{
    return (atomic_int *)(void *)(p->store + p->call->sizes.nodes + p->call->sizes.bars);
}

int64_t sg_chunk_item(const sg_chunk_place *p, int path)
{
    int64_t at = p->group * p->call->paths + path;
    return p->call->job->layout.order_bytes ? p->call->job->order[at] : at;
}

void *sg_chunk_leaf_row(const sg_chunk_place *p, int path, int64_t leaf, bool bar)
{
    sg_tree t = sg_chunk_path_tree(p, path);
    return bar ? t.bar + leaf * t.bar_bytes : sg_tree_leaf(&t, leaf);
}

void *sg_chunk_lane_row(const sg_chunk_place *p, int64_t lane, bool bar)
{
    int64_t spread = p->call->chunks.spread, path = lane / spread;
    if (path >= p->paths) return sg_chunk_leaf_row(p, 0, 0, bar);
    return sg_chunk_leaf_row(p, (int)path, lane % spread, bar);
}

/* Where the tensors of chunks of time stand: scratch of groups and of threads, and the trees of
 * products over them. For signature_chunks.c and signature_pieces.c. */
#ifndef SG_SIGNATURE_PLACE_H
#define SG_SIGNATURE_PLACE_H
#include "ops/signature_route.h"
#include "ops/signature_tree.h"

/* Bytes. The store of a group: the trees of its paths, nodes and then cotangents, and the tree of
 * its pieces, if they are several. */
typedef struct {
    int kept; /* levels of nodes: backward has no use for the top one */
    bool keeps;
    int64_t row, row_bar;   /* a node of a path's tree, its cotangent */
    int64_t side, side_bar; /* the same of a pieces' tree: tensors side by side in lanes */
    int64_t path_tree, path_bars;
    int64_t woven;                     /* products of a tensor's lanes */
    int64_t nodes, bars, marks, store; /* marks: of threads that bring runs' tensors */
    int64_t log, rows, kernel; /* of a thread: see finish_path; rows of a piece; kernels' scratch */
} sg_chunk_sizes;

typedef struct {
    const sg_signature_job *job;
    const sg_lane_kernels *lanes;
    sg_chunks chunks;
    sg_chunk_sizes sizes;
    sigad_plan whole, kept; /* without scalar term, the second of the nodes' degree */
    int paths;              /* of a full group */
    int64_t runs;           /* of a group */
    bool closed;            /* lanes compute the nodes with vectors along the points */
} sg_chunk_call;

/* What a thread has at hand for a group. */
typedef struct {
    const sg_chunk_call *call;
    int64_t group;
    int paths;
    char *log, *store, *rows, *kernel;
} sg_chunk_place;

static inline bool sg_is_log(const sg_signature_batch *b)
{
    return b->kernels == &sg_log_sig_kernels;
}

/* Of the longest chunk. */
static inline int64_t sg_most_points(const sg_signature_batch *b, const sg_chunks *chunks)
{
    int64_t all = sg_chunk_count(chunks);
    return (b->length - 1 + all - 1) / all + 1;
}

/* Rows that a run of the kernels takes. */
static inline int sg_chunk_width(const sg_signature_layout *l)
{
    return l->alone ? 1 : l->lanes->lanes;
}

/* Rows that are joined in memory for a path. */
static inline int64_t sg_chunk_leaves(const sg_signature_layout *l)
{
    return l->joined ? l->chunks.pieces : l->woven ? 1 : l->chunks.spread;
}

/* Whether pieces are tensors side by side in lanes, to be joined as such. */
static inline bool sg_has_sides(const sg_signature_layout *l)
{
    return (l->chunks.pieces > 1 || l->woven) && !l->joined;
}

/* Whether what runs compute are the leaves of the tree of a group's only path. */
static inline bool sg_runs_are_leaves(const sg_signature_layout *l)
{
    return l->alone || l->joined;
}

/* Of a full group. */
static inline int sg_chunk_paths(const sg_signature_layout *l)
{
    return l->alone ? 1 : (int)(l->lanes->lanes / l->chunks.spread);
}

sg_chunk_sizes sg_chunk_measure(const sg_signature_batch *batch, int what,
                                const sg_signature_layout *layout);
sg_chunk_place sg_chunk_place_of(const sg_chunk_call *call, int64_t group, int worker);
/* Over the lanes of a path; over the pieces of all lanes; over what runs compute, the one or the
 * other, with marks of what is there. */
sg_tree sg_chunk_path_tree(const sg_chunk_place *place, int path);
sg_tree sg_chunk_pieces_tree(const sg_chunk_place *place);
sg_tree sg_chunk_runs_tree(const sg_chunk_place *place);
void *sg_chunk_woven(const sg_chunk_place *place);
atomic_int *sg_chunk_marks(const sg_chunk_place *place);
/* Of the batch. */
int64_t sg_chunk_item(const sg_chunk_place *place, int path);
/* Row of a leaf of a path's tree, or of its cotangent; and that of a lane, if lanes are leaves:
 * those without a path share the first. */
void *sg_chunk_leaf_row(const sg_chunk_place *place, int path, int64_t leaf, bool bar);
void *sg_chunk_lane_row(const sg_chunk_place *place, int64_t lane, bool bar);
#endif

/* How a call over a batch of signatures is cut into pieces, and what runs a piece: for
 * signature_batch.c, which chooses, and the files that it chooses between. */
#ifndef SG_SIGNATURE_ROUTE_H
#define SG_SIGNATURE_ROUTE_H
#include "ops/cpu/lanes/lanes.h"
#include "ops/signature_batch.h"
#include <string.h>

enum { SG_MOST_LANES = 16, SG_MOST_ROWS = 64 };

/* How a path is cut: it lies in several lanes, one after the other in time, and what a lane holds
 * of it is cut again into pieces. A run of the kernels takes one piece of every lane. Both are
 * powers of two. Where lanes are joined, it is cut the other way round: into pieces, and each of
 * these into what its lanes hold. */
typedef struct {
    int64_t spread; /* lanes of a path */
    int64_t pieces;
} sg_chunks;

static inline int64_t sg_chunk_count(const sg_chunks *chunks)
{
    return chunks->spread * chunks->pieces;
}

typedef struct {
    const sg_lane_kernels *lanes; /* NULL: one item at a time, whole */
    bool alone;       /* a chunk at a time by the kernels inside one tensor; lanes only join them */
    bool joined;      /* forward: the lanes of a path are joined before they leave the vectors */
    bool woven;       /* the same backward, of several lanes: joined, and split */
    bool apart;       /* threads share the runs of a group */
    sg_chunks chunks; /* only if lanes */
    int64_t tasks;    /* items or groups */
    int threads;
    int64_t order_bytes; /* of the items' order, first of all */
    int64_t store_bytes; /* of chunks' tensors, next, where threads share a group */
    int64_t row_bytes;   /* of what comes row by row, first in a thread's area */
    int64_t area_bytes;  /* of one thread; -1: more than any memory */
} sg_signature_layout;

/* Of the kernels, for a group. */
static inline int64_t sg_runs_of_group(const sg_signature_layout *layout)
{
    return layout->alone ? layout->chunks.spread : layout->chunks.pieces;
}

typedef struct {
    const sg_signature_batch *batch;
    int what;
    sg_signature_layout layout;
    int64_t x_entries, y_entries; /* of an item's place */
    int64_t *order;               /* of the items, longest first; only for groups */
    int64_t items;                /* of a task, SG_MOST_ROWS at most */
} sg_signature_job;

sg_signature_layout sg_signature_lay_out(const sg_signature_batch *batch, int what);
/* Signatures by these lanes, each path in `spread` of them, or (lanes NULL) item by item, whatever
 * is cheapest: for what compares the ways. What this way should cost, negative if it is not there.
 */
double sg_signature_lay_out_by(const sg_signature_batch *batch, int what,
                               const sg_lane_kernels *lanes, int spread,
                               sg_signature_layout *layout);
/* Fills in what follows from lanes and chunks. */
void sg_signature_lay_out_lanes(const sg_signature_batch *batch, int what,
                                sg_signature_layout *layout);
/* Does a call by this layout, whose work the batch holds. */
void sg_signature_run_by(const sg_signature_batch *batch, int what,
                         const sg_signature_layout *layout);
int64_t sg_signature_layout_bytes(const sg_signature_layout *layout);

static inline bool sg_signature_is_forward(int what)
{
    return what == SG_BATCH_FWD || what == SG_BATCH_JVP;
}

static inline int64_t sg_scalar_bytes(int scalar)
{
    return scalar == SG_F32   ? sizeof(float)
           : scalar == SG_F64 ? sizeof(double)
                              : 2 * sizeof(double);
}

static inline void *sg_advance(const void *array, int64_t entries, int scalar)
{
    return array ? (char *)(uintptr_t)array + entries * sg_scalar_bytes(scalar) : NULL;
}

/* The scratch of one thread. */
static inline void *sg_signature_area(const sg_signature_job *j, int worker)
{
    return (char *)j->batch->work + j->layout.order_bytes + j->layout.store_bytes +
           worker * j->layout.area_bytes;
}

/* Clears an item's place in out, if nothing is there yet, but for its first entries. */
static inline void sg_signature_clear_behind(const sg_signature_job *j, int64_t item, int64_t first)
{
    const sg_signature_batch *b = j->batch;
    void *place = sg_advance(b->out, item * j->x_entries + first, b->scalar);
    int64_t bytes = (j->x_entries - first) * sg_scalar_bytes(b->scalar);
    if (b->fresh && bytes > 0) memset(place, 0, (size_t)bytes);
}

static inline void sg_signature_clear(const sg_signature_job *j, int64_t item)
{
    sg_signature_clear_behind(j, item, 0);
}

/* One item at a time: all four derivatives. -1: more than any memory. */
int64_t sg_signature_item_bytes(const sg_signature_batch *batch, int what);
void sg_signature_run_item(void *job, int64_t item, int worker);

/* Groups, one item a lane: forward and vjp. The first is what a group of log-signatures needs for
 * the signatures in between, the second what the lane kernels need. */
int64_t sg_signature_row_bytes(const sg_signature_batch *batch, int what, int lanes);
int64_t sg_signature_lane_bytes(const sg_signature_batch *batch, int what,
                                const sg_lane_kernels *lanes);
/* The longest first; lengths are at most `longest`. */
void sg_signature_sort(const int64_t *lengths, int64_t longest, int64_t *order, int64_t count);
void sg_signature_run_group(void *job, int64_t group, int worker);

#endif

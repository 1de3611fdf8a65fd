/* Walking over several arrays at once: an index runs over a box, and each array has strides of its
 * own for it. Axes are merged where every array allows it, so that equal shapes, scalars and row
 * vectors come down to long runs over contiguous entries. */
#ifndef SG_CPU_WALK_H
#define SG_CPU_WALK_H
#include "sigad/op.h"

enum { SG_WALK_OPERANDS = 4 };

typedef struct {
    int n, rank;
    int64_t shape[SIGAD_MAX_RANK];                    /* merged; the last axis is a run */
    int64_t stride[SG_WALK_OPERANDS][SIGAD_MAX_RANK]; /* in entries */
} sg_walk;

/* `rows` runs of `n` entries each: of a dense array of the box's shape from `start` on, one run
 * behind the other, of operand k from offset[k] in steps of step[k], with row_step[k] from one run
 * to the next. */
typedef struct {
    int64_t n, rows, start;
    int64_t offset[SG_WALK_OPERANDS], step[SG_WALK_OPERANDS], row_step[SG_WALK_OPERANDS];
} sg_stretch;
typedef void (*sg_stretch_body)(void *user, const sg_stretch *run);

void sg_walk_strides(sg_walk *plan, int rank, const int64_t *shape, int n,
                     const int64_t (*stride)[SIGAD_MAX_RANK]);
/* The box is y. Operands are right-aligned to its axes and have y's size or 1 on each; steps of
 * runs are then 0 or 1. */
void sg_walk_broadcast(sg_walk *plan, const sigad_array *y, int n,
                       const sigad_array *const *operands);
/* Runs do not overlap; each thread takes whole ones, cut by shape alone. The body gets one run at a
 * time. */
void sg_walk_run(const sg_walk *plan, int threads, sg_stretch_body body, void *user);
/* The body gets several at a time, where they are short. */
void sg_walk_run_rows(const sg_walk *plan, int threads, sg_stretch_body body, void *user);
#endif

/* Walking over dense operands that broadcast against one dense result. Axes are merged where every
 * operand allows it, so that equal shapes, scalars and row vectors come down to long runs over
 * contiguous entries. */
#ifndef SG_CPU_BROADCAST_H
#define SG_CPU_BROADCAST_H
#include "sigad/op.h"

enum { SG_BROADCAST_OPERANDS = 4 };

typedef struct {
    int n, rank;
    int64_t shape[SIGAD_MAX_RANK];                         /* merged; the last axis is a run */
    int64_t stride[SG_BROADCAST_OPERANDS][SIGAD_MAX_RANK]; /* in entries; of the last axis 0 or 1 */
} sg_broadcast;

/* A run of `n` entries: of the result from `start` on, of operand k from offset[k] in steps of
 * step[k]. */
typedef struct {
    int64_t n, start;
    int64_t offset[SG_BROADCAST_OPERANDS], step[SG_BROADCAST_OPERANDS];
} sg_run;
typedef void (*sg_run_body)(void *user, const sg_run *run);

/* Operands are right-aligned to y's axes and have y's size or 1 on each. */
void sg_broadcast_plan(sg_broadcast *plan, const sigad_array *y, int n,
                       const sigad_array *const *operands);
/* Runs never overlap in the result; each thread takes whole ones, cut by shape alone. */
void sg_broadcast_walk(const sg_broadcast *plan, int threads, sg_run_body body, void *user);
#endif

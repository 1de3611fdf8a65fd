/* How many increments the augmented path has, and how the backward sweep cuts them into blocks. */
#ifndef SG_STEPS_H
#define SG_STEPS_H
#include "algebra/plan.h"

static inline int64_t sg_steps(const sigad_plan *plan, int64_t length)
{
    int64_t steps = length > 1 ? length - 1 : 0;
    return plan->spec.lead_lag ? 2 * steps : steps;
}

/* What the time channel gains at each step of a path. */
static inline double sg_time_step(const sigad_plan *plan, int64_t length)
{
    int64_t steps = plan->spec.time_aug ? sg_steps(plan, length) : 0;
    return steps ? plan->spec.end_time / (double)steps : 0;
}

/* The state of the forward pass is kept every so many increments, at most `undo`, inside a span of
 * `kept` such blocks; between spans only the state at their ends. So memory grows like the square
 * root of the path's length, and no state is undone over more than `undo` increments. */
enum { SG_LEAST_KEPT = 32 };

typedef struct {
    int64_t kept; /* blocks in a span */
    int64_t spans;
} sg_cuts;

static inline sg_cuts sg_cut(int64_t steps, int64_t undo)
{
    int64_t blocks = (steps + undo - 1) / undo, kept = SG_LEAST_KEPT;
    while (kept * kept < blocks) kept *= 2;
    if (blocks < kept) kept = blocks;
    return (sg_cuts){kept, kept ? (blocks + kept - 1) / kept : 0};
}

#endif

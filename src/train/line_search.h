/* A step along a descent direction that satisfies the strong Wolfe conditions. */
#ifndef SG_LINE_SEARCH_H
#define SG_LINE_SEARCH_H
#include "sigad/base.h"
#include <stdbool.h>

typedef struct {
    double step, loss, slope; /* slope: the derivative of the loss in the step */
} sg_line_point;

typedef struct {
    /* Loss and slope at a step; a loss of INFINITY means "too far". */
    sigad_status (*evaluate)(void *user, double step, double *loss, double *slope);
    /* The point evaluated last is the best so far. */
    void (*keep)(void *user);
    void *user;
    double decrease, curvature;
    int64_t evaluations_left;
} sg_line;

/* From `start` (step 0, slope < 0), trying `step` first. *found is the last point that was kept,
 * and is lower than the start, or is the start if there was none. */
sigad_status sg_line_search(sg_line *line, sg_line_point start, double step, sg_line_point *found);
#endif

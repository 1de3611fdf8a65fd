/* What the ways to compute a call would cost: for signature_route.c, which takes the cheapest. */
#ifndef SG_SIGNATURE_COST_H
#define SG_SIGNATURE_COST_H
#include "ops/signature_route.h"

#define SG_HALF_COST 0.62 /* of an operation on half vectors, beside one on whole ones */
enum { SG_EXACT_STEPS = SG_CORE_FLOAT_STEPS }; /* of a piece, for float's accuracy backward */

/* What the cost of a call depends on. */
typedef struct {
    const sigad_plan *plan;
    bool forward, closed; /* closed: forward, path by path */
    bool half;            /* `lanes` are half vectors */
    bool pathwise;        /* what lanes compute forward they compute so */
    int64_t bytes;        /* of a number */
    int degree;
    double lanes, batch, steps, words;
    double step;    /* multiply-adds of Horner's rule for one increment */
    double product; /* of the Chen product of two tensors */
    double log;     /* of a logarithm, where that is wanted */
    bool volume;    /* forward of degree 3 by points, item by item */
    bool field;     /* backward in closed form, item by item */
    double filled;  /* mean length of a path over the longest: a guess where lengths differ */
} sg_signature_shape;

sg_signature_shape sg_signature_shape_of(const sg_signature_batch *batch, int what,
                                         const sg_lane_kernels *lanes);

/* All items, one after the other. */
double sg_cost_of_items(const sg_signature_shape *shape);
/* All items in groups, each in `spread` lanes, and whether these are best joined in the vectors. */
double sg_cost_of_groups(const sg_signature_shape *shape, int spread, bool *joined);

/* No more than that, sooner known: what a group costs once, and its steps if no lane has but one
 * path's. */
typedef struct {
    double once, steps;
} sg_bound;
sg_bound sg_least_cost_of_group(const sg_signature_shape *shape);

static inline double sg_least_of_groups(const sg_signature_shape *s, const sg_bound *least,
                                        int spread)
{
    int64_t paths = (int64_t)s->lanes / spread, groups = ((int64_t)s->batch + paths - 1) / paths;
    return (double)groups * (least->once + least->steps / spread);
}

/* Of one group's increments. Of the longest path of the batch there are `longest`, which decide how
 * they are added up, of the longest of the group `filled` times as many. */
double sg_cost_of_steps(const sg_signature_shape *shape, double longest, double filled);

/* Of two tensors in rows, and of all lanes of a group at once. */
double sg_cost_of_join(const sg_signature_shape *shape);
double sg_cost_of_lanes_join(const sg_signature_shape *shape);
/* Backward, whether groups leave their paths, one after the other, to a closed form, as they do
 * where nothing is cut. */
bool sg_lanes_pull_rows(const sg_signature_shape *shape, int64_t spread);
/* Backward, whether the lanes of a path are best joined and split in the vectors. */
bool sg_lanes_are_woven(const sg_signature_shape *shape, int64_t spread);
/* Of one more piece of so many steps, where lanes are joined in the vectors. */
double sg_cost_of_joined_piece(const sg_signature_shape *shape, int spread, double steps);

#endif

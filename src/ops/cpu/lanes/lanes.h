/* Signature kernels with one path per vector lane, for each instruction set. They compute what
 * ops/cpu/signature.h says, for a group of paths at once. */
#ifndef SG_LANES_H
#define SG_LANES_H
#include "algebra/plan.h"

/* Each number of letters has tiles of its own. Sanitizer builds have few (SIGAD_FEW_TILES): all of
 * them would compile for minutes. */
#ifdef SIGAD_FEW_TILES
enum { SG_LANE_LETTERS = 5, SG_CORE_LANE_LETTERS = 5 };
#else
/* Beyond 12 letters rows inside one tensor are long enough for vectors; but the core saves more. */
enum { SG_LANE_LETTERS = 12, SG_CORE_LANE_LETTERS = 16 };
#endif

enum {
    SG_LANE_BLOCK = 64,   /* most increments between two looks at the tree, forward */
    SG_LANE_UNDO = 32,    /* and backward, where rounding errors of undoing add up inside a block */
    SG_TAIL_DEGREE = 7,   /* from which they add up to too much where a path has hardly begun, */
    SG_TAIL_BLOCKS = 5,   /* and how many blocks are shorter there */
    SG_SHARE_STREAMS = 4, /* of nodes whose share of z_bar is summed by itself */
    SG_CHUNK = 256,       /* floats: longer chunks of time are cut and joined, for accuracy */
    SG_JOIN_BYTES = 1 << 20, /* for these joins: fewer where states are large */
    SG_LANE_KEPT = 4096,     /* vectors of states to keep at least before a path is run twice */
    SG_CORE_STAGE = 3 << 19, /* bytes of a top level that is completed and written in parts */
    SG_WIDE_DEGREE = 5,      /* from which the wide core pays, up to SG_WIDE_MOST, */
    SG_WIDE_STEPS = 11,      /* and from how many increments on, */
    SG_WIDE_MOST = 12,       /* beyond which its errors were not looked at */
    SG_SUM_STEPS = 6,        /* of a lead-lag path, from which completing anything pays */
    SG_SUM_PULL_STEPS = 12,  /* and backward, iterated sums */
    SG_CORE_STEPS = 30,      /* increments from which completing the core pays backward, degree 3 */
    SG_CORE_PULL_STEPS = 15, /* and backward, for four levels or more */
    SG_CORE_PULL_DEGREE = 6, /* up to which it is accurate enough backward */
    SG_CORE_FLOAT_STEPS = 128, /* and increments, in float */
    SG_LANE_DEGREE = 31,
    SG_LANE_STAGE = 256,        /* words of the top level that transforms hold in lanes at once */
    SG_LANE_HELD = 1 << 16,     /* vectors that they may hold: 4 MiB */
    SG_LANE_WORDS = SG_REVERSED /* most words: larger tensors leave the cache in lanes */
};

typedef void (*sg_join)(const sigad_plan *plan, int degree, const void *left, void *right);
/* The product's cotangent becomes that of the left factor; that of the right one is overwritten. Of
 * the factors only the levels below the top one are looked at. */
typedef void (*sg_join_vjp)(const sigad_plan *plan, const void *left, const void *right,
                            void *left_bar, void *right_bar);

/* Between signatures and log-signatures: rows of the interface's layouts. vjp adds to x_bar. */
typedef struct {
    void (*fwd)(const sigad_plan *plan, int rows, const void *const *x, void *const *y, void *work);
    void (*vjp)(const sigad_plan *plan, int rows, const void *const *x, const void *const *y_bar,
                void *const *x_bar, void *work);
} sg_lane_transform;

/* Arrays of pointers have an entry for each of `rows` paths, 1 <= rows <= lanes, and for sig any
 * number of them, group after group; lengths count points, and room[l] those that lie in memory, of
 * which the first ones are the path's and the others may be read but are not used; time[l] is the
 * increment of the time channel at each step of path l; `longest` is no less than any length, and
 * decides where time is cut into blocks: the bits of a path's results do not depend on the others
 * of its group. */
typedef struct {
    int lanes, pairs_letters; /* see sg_lanes_sig_is_closed */
    int64_t (*sig_bytes)(const sigad_plan *plan, int64_t longest);
    void (*sig)(const sigad_plan *plan, int64_t longest, int rows, const int64_t *lengths,
                const int64_t *room, const double *time, const void *const *path, void *const *sig,
                void *work);
    /* The same, but not in closed form, of few paths, one group of them: a path lies in `spread`
     * lanes, a power of two, one after the other in time, which are joined before they leave
     * them. `rows` is of lanes still, but `sig` has an entry for each path. */
    int64_t (*spread_bytes)(const sigad_plan *plan, int64_t longest);
    void (*sig_spread)(const sigad_plan *plan, int spread, int64_t longest, int rows,
                       const int64_t *lengths, const int64_t *room, const double *time,
                       const void *const *path, void *const *sig, void *work);
    /* path_bar += J^T sig_bar */
    int64_t (*sig_vjp_bytes)(const sigad_plan *plan, int64_t longest);
    void (*sig_vjp)(const sigad_plan *plan, int64_t longest, int rows, const int64_t *lengths,
                    const int64_t *room, const double *time, const void *const *path,
                    const void *const *sig_bar, void *const *path_bar, void *work);
    sg_lane_transform log, exp; /* sig_to_log_sig, logsig_to_sig */
    int64_t (*transform_bytes)(const sigad_plan *plan);
    int64_t (*transform_vjp_bytes)(const sigad_plan *plan);

    /* Chen products of tensors without scalar term, levels 1 .. degree in the order of words:
     * right <- left right. `_rows` are tensors in memory; `_lanes` are as many as there are lanes,
     * side by side, a vector for each word; gather and scatter go from one to the other. */
    sg_join join_lanes, join_rows;
    sg_join_vjp join_lanes_vjp, join_rows_vjp;
    /* Of a tensor whose lanes are parts of paths, `spread` of each, one after the other in time:
     * products of more and more of them, the last of which has the paths' in their first lanes, and
     * back from the cotangents there to those of the parts. There are as many products as spread
     * can be halved, of kept's levels, and room for a tensor of plan's behind them. */
    void (*join_spread)(const sigad_plan *kept, int spread, const void *parts, void *products);
    void (*split_spread)(const sigad_plan *plan, const sigad_plan *kept, int spread,
                         const void *parts, void *products, void *bar);
    void (*gather)(int64_t words, const void *const *row, void *tensor);
    void (*scatter)(int64_t words, const void *tensor, int rows, void *const *row);
    /* Level 1 of each path. */
    void (*ends)(const sigad_plan *plan, int rows, const int64_t *lengths, const double *time,
                 const void *const *path, void *const *row);
} sg_lane_kernels;

/* How a group computes signatures, by the plan and the steps of the batch's longest path alone: by
 * iterated sums, by the core (the core of degree 2 needs no tables), or (both NULL) by all words or
 * the wide core;
 * in 2^joins chunks of time joined by a tree of products. */
typedef struct {
    const sg_sums *sums;
    const sg_core *core;
    bool area, wide;
    int joins, whole; /* the last ones of them join what has been completed to all words */
} sg_lane_route;
sg_lane_route sg_lanes_route(const sigad_plan *plan, int64_t steps, bool single,
                             int64_t vector_bytes);

/* The iterated sums that are walked back for paths of so many steps, or NULL: by words. */
static inline const sg_sums *sg_lanes_vjp_sums(const sigad_plan *plan, int64_t steps)
{
    return steps >= SG_SUM_PULL_STEPS ? plan->sums : NULL;
}
/* The core that is walked back for paths of so many steps, or NULL: all words. */
const sg_core *sg_lanes_vjp_core(const sigad_plan *plan, int64_t steps, bool single);
/* Or whether that is the wide core. */
bool sg_lanes_vjp_wide(const sigad_plan *plan, int64_t steps, bool single);

/* What this file's kernels can do: 2 letters or more, degree 2 or more, and not too much of both.
 */
bool sg_lanes_serve(const sigad_plan *plan);
/* More letters, where the forward takes the core, and where iterated sums are taken. */
bool sg_lanes_serve_forward(const sigad_plan *plan, int64_t steps);
bool sg_lanes_serve_backward(const sigad_plan *plan, int64_t steps);

/* Where `log` and `exp` are faster than one row at a time: what they hold, all but the top level,
 * should not leave the cache. They can do at least what the others can. */
bool sg_lanes_transform(const sigad_plan *plan);

/* Whether sig runs path by path, with vectors along the points, which few letters allow. */
static inline bool sg_lanes_sig_is_closed(const sigad_plan *plan, int pairs_letters)
{
    return plan->degree == 2 && plan->letters > 1 && plan->letters <= pairs_letters &&
           !plan->spec.time_aug && !plan->spec.lead_lag && plan->spec.kernel != SIGAD_KERNEL_PLAIN;
}

/* By instruction set (sg_isa of core/cpu.h), for float and double; an instruction set that the
 * library was not built for has those of the next lower one. */
extern const sg_lane_kernels *const sg_lanes_f32[3], *const sg_lanes_f64[3];
/* Half as many lanes and the same bits, or NULL. */
extern const sg_lane_kernels *const sg_half_lanes_f32[3], *const sg_half_lanes_f64[3];
#endif

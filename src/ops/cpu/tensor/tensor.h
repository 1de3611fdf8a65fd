/* Signature kernels that put the words of one tensor into the lanes of a vector, for each
 * instruction set: for many letters, for tensors that are too large for the lanes, for few paths.
 * They compute what ops/cpu/signature.h says, for one path. */
#ifndef SG_TENSOR_H
#define SG_TENSOR_H
#include "ops/cpu/signature.h"

/* At least 2 points; `time` is the increment of the time channel at each step; tensors here are
 * levels 1 .. degree without a scalar term. */
typedef struct {
    void (*sig)(const sigad_plan *plan, int64_t length, double time, const void *path, void *sig,
                void *work);
    /* path_bar += J^T sig_bar, or = if `fresh` */
    void (*sig_vjp)(const sigad_plan *plan, int64_t length, double time, const void *path,
                    const void *sig_bar, bool fresh, void *path_bar, void *work);
    int64_t (*closed_bytes)(const sigad_plan *plan); /* of sig in degree 3 */
    int64_t (*closed_vjp_bytes)(const sigad_plan *plan, int64_t length);
    /* sg_series and sg_series_vjp of ops/cpu/signature.h, for any number of letters */
    void (*series)(const sigad_plan *plan, sg_series series, bool words_only, const void *x,
                   void *y, void *work);
    void (*series_vjp)(const sigad_plan *plan, sg_series series, bool words_only, const void *x,
                       const void *y_bar, void *x_bar, void *work);
} sg_tensor_kernels;

/* What they can do: at least 2 letters and degree 2. */
static inline bool sg_tensor_serves(const sigad_plan *plan)
{
    return plan->letters > 1 && plan->degree > 1;
}

/* Whether sig_vjp runs no state through time: from as many increments on as it takes to make up for
 * the tables of its field, which are made from the cotangent first; those of few letters are small.
 */
enum { SG_FIELD_STEPS = 16, SG_FIELD_LETTERS = 5 };
static inline bool sg_tensor_vjp_is_always_closed(const sigad_plan *plan)
{
    return sg_tensor_serves(plan) && plan->degree <= (plan->letters <= SG_FIELD_LETTERS ? 4 : 2);
}
static inline bool sg_tensor_vjp_is_closed(const sigad_plan *plan, int64_t steps)
{
    return sg_tensor_vjp_is_always_closed(plan) ||
           (sg_tensor_serves(plan) && plan->degree <= 4 && steps >= SG_FIELD_STEPS);
}

/* Whether sig sums the words of degree 3 by points: from as many increments on as it takes to make
 * up for the completion of words, which more letters have more of. Longer paths lose nothing in
 * lanes. */
enum { SG_VOLUME_LETTERS = 12, SG_VOLUME_STEPS = 12, SG_VOLUME_MOST = 2048 };
static inline bool sg_tensor_has_volumes(const sigad_plan *plan)
{
    return plan->degree == 3 && plan->letters > 1 && plan->letters <= SG_VOLUME_LETTERS &&
           !plan->spec.lead_lag && plan->spec.kernel != SIGAD_KERNEL_PLAIN;
}
static inline bool sg_tensor_sig_is_closed(const sigad_plan *plan, int64_t steps)
{
    return sg_tensor_has_volumes(plan) && steps >= SG_VOLUME_STEPS &&
           steps >= 4 * (plan->letters - 1) && steps <= SG_VOLUME_MOST;
}

enum {
    SG_TENSOR_CORE_ROW = 80,     /* bytes of all letters: fewer do not fill vectors */
    SG_TENSOR_CORE_STEPS = 40,   /* increments from which completing the core pays */
    SG_TENSOR_PAIR_LETTERS = 17, /* the same of degree 2: more letters than lanes take, where a */
    SG_TENSOR_PAIR_STEPS = 8     /* point does not fit a vector */
};
/* Whether the signature of a path of so many increments, in numbers of `bytes`, comes from the
 * core. */
bool sg_tensor_core(const sigad_plan *plan, int64_t steps, int64_t bytes);

/* Scratch, in numbers of `bytes` each, for paths of up to `length` points; -1 if it is more than
 * any memory. */
int64_t sg_tensor_elements(const sigad_plan *plan, int64_t length, int64_t bytes, bool backward);

/* By instruction set (sg_isa of core/cpu.h), for float and double; an instruction set that the
 * library was not built for has those of the next lower one. */
extern const sg_tensor_kernels *const sg_tensor_f32[3], *const sg_tensor_f64[3];

/* ---- inside: how the tree of suffixes is cut, by shape alone --------------------------------- */

/* More letters than one, so that 2^degree words are in memory. */
enum { SG_TENSOR_DEGREE = 62, SG_TENSOR_LINE = 64 };

/* A node is a range of columns: consecutive words of level m. It goes up to level m + 1 in panels
 * of columns and groups of letters, whose children lie side by side: as one node where they are
 * neighbours in the level, else as one each. Streams are rows of columns, one for each increment:
 * `row` entries apart, an odd number of cache lines, so that a column does not stay in few cache
 * sets, with room for a vector that begins in the last column. */
typedef struct {
    int64_t columns; /* of a row, at most */
    int64_t row;
    int64_t panel;
    int64_t letters;
    bool joined; /* their children: only where a node is the whole level */
} sg_tensor_level;

typedef struct {
    int64_t most;  /* increments in a block */
    int64_t z_row; /* entries from one increment to the next */
    bool far;      /* the tensor does not stay in the cache */
    sg_tensor_level level[SG_TENSOR_DEGREE];
} sg_tensor_shape;

/* Parts of the scratch, in the order in which they lie there. */
typedef struct {
    void *z, *stream[SG_TENSOR_DEGREE];
    /* backward only */
    void *z_bar, *returned[SG_TENSOR_DEGREE], *state, *state_bar, *kept, *ends;
    void *sums;
} sg_tensor_area;

/* Cuts the tree and places the scratch at `work`; how many bytes that is, or -1. */
int64_t sg_tensor_place(const sigad_plan *plan, int64_t steps, int64_t bytes, bool backward,
                        void *work, sg_tensor_shape *shape, sg_tensor_area *area);
#endif

/* What the signature operations know of a spec: level sizes and, for log-signatures in Lyndon words
 * or brackets, sparse integer tables. Immutable, so that any number of threads may use one at once.
 */
#ifndef SG_PLAN_H
#define SG_PLAN_H
#include "algebra/core.h"
#include "algebra/sums.h"
#include "core/arena.h"
#include "core/cpu.h"
#include "sigad/signature.h"

enum { SG_MOST_DEGREE = 1024 }; /* of a plan; only one letter could go further anyway */
enum { SG_REVERSED = 1 << 20 };

/* A sparse integer matrix by columns. A column stands for a Lyndon word or its bracket; all its
 * rows are words of the same length. */
typedef struct {
    int32_t row, value;
} sg_entry;

typedef struct {
    int64_t *start;  /* [columns + 1] */
    sg_entry *entry; /* rows of a column ascend */
} sg_sparse;

/* Lyndon words that differ in their last letter alone: if u k is one, so is u l for each l > k. */
typedef struct {
    int32_t prefix; /* index of u */
    int32_t letter; /* the least k */
} sg_run;

/* The same entries by word: that of `word` in the bracket of this rank. */
typedef struct {
    int32_t word; /* index inside its level */
    int32_t rank, value;
} sg_term;

/* What a device keeps of a plan. The list only grows, without a lock, until the plan's end. */
typedef struct sg_plan_copy sg_plan_copy;
struct sg_plan_copy {
    sg_plan_copy *next;
    int32_t device;
    void (*release)(sg_plan_copy *copy, const sigad_allocator *allocator);
};

struct sigad_plan {
    sigad_sig_spec spec; /* as read: dimension set, end_time not 0 */
    sigad_allocator allocator;
    sg_arena arena; /* of all tables */
    int32_t letters, degree;
    sg_isa isa;      /* whose kernels the plan's calls use */
    int64_t *size;   /* [degree + 1] words of length k: letters^k */
    int64_t *offset; /* [degree + 2] of level k in a tensor without scalar term; offset[1] = 0,
                        offset[degree + 1] is all */
    double *inverse; /* [degree + 1] 1 / q */
    int64_t sig_length, log_sig_length; /* of the arrays at the interface */

    int32_t *reversed; /* [words] place of each word of a tensor among the words of its level in the
                          order of their mirror images; NULL beyond SG_REVERSED words */

    const sg_core *core; /* NULL where it does not exist or kernel is SIGAD_KERNEL_PLAIN */
    const sg_sums *sums; /* of lead-lag; NULL where they do not exist or a kernel is asked for */

    /* The letters that move in a step of the augmented path, ascending: in even and in odd steps
     * (lead first, then lag; without lead-lag all of them, twice). */
    int32_t *moving[2], moving_count;

    /* Methods 1 and 2 only. Rank: place in the order by length, then lexicographic. */
    int64_t *lyndon_first; /* [degree + 2] first rank of length k */
    int32_t *lyndon;       /* [rank] index of the word inside its level */
    int64_t *run_first;    /* [degree + 2] first run of length k */
    sg_run *run;
    sg_sparse bracket;   /* expansion of each bracket: row = index of a word */
    sg_sparse triangle;  /* the same at Lyndon words alone, without the unit diagonal: row = rank,
                            greater than the column */
    int64_t *term_first; /* [degree + 2] first term of words of length k */
    sg_term *term;       /* the expansions again, by word, then by rank */
    sg_term *triangle_term; /* the triangle again, by row, which is called word here */

    _Atomic(sg_plan_copy *) copies;
};

/* The copy for a device, or NULL. */
sg_plan_copy *sg_plan_copy_find(const sigad_plan *plan, int32_t device);
/* False if another thread has added one for that device in the meantime. */
bool sg_plan_copy_add(const sigad_plan *plan, sg_plan_copy *copy);

static inline bool sg_plan_has_tables(const sigad_plan *plan)
{
    return plan->spec.method != SIGAD_EXPANDED;
}

/* Entries of a whole tensor without scalar term, and of one without its top level. */
static inline int64_t sg_plan_words(const sigad_plan *plan)
{
    return plan->offset[plan->degree + 1];
}
static inline int64_t sg_plan_low_words(const sigad_plan *plan)
{
    return plan->offset[plan->degree];
}

/* Fills the tables of methods 1 and 2; the level sizes are there already. SIGAD_ERANGE where a
 * word's index exceeds 31 bits, SIGAD_ENOMEM. */
sigad_status sg_plan_build_tables(sigad_plan *plan);

#endif

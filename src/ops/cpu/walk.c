#include "ops/cpu/walk.h"
#include "core/parallel.h"
#include "ops/cpu/parallel_rows.h"
#include <stdbool.h>

/* Strides of an operand on y's axes: 0 where it broadcasts. */
static void operand_strides(const sigad_array *y, const sigad_array *x, int64_t *stride)
{
    int64_t step = 1;
    for (int i = y->rank - 1, j = x->rank - 1; i >= 0; i--, j--) {
        int64_t size = j >= 0 ? x->shape[j] : 1;
        stride[i] = size == 1 ? 0 : step;
        step *= size;
    }
}

/* Appends an axis, merged with the one before it where that is one step of every operand. */
static void append(sg_walk *plan, int64_t size, int axis, const int64_t (*stride)[SIGAD_MAX_RANK])
{
    int last = plan->rank - 1;
    bool merge = true;
    for (int k = 0; k < plan->n; k++)
        merge = merge && plan->stride[k][last] == stride[k][axis] * size;
    if (merge || plan->shape[last] == 1)
        plan->shape[last] *= size;
    else
        plan->shape[++last] = size;
    for (int k = 0; k < plan->n; k++) plan->stride[k][last] = stride[k][axis];
    plan->rank = last + 1;
}

void sg_walk_strides(sg_walk *plan, int rank, const int64_t *shape, int n,
                     const int64_t (*stride)[SIGAD_MAX_RANK])
{
    plan->n = n;
    plan->rank = 1;
    plan->shape[0] = 1;
    for (int k = 0; k < n; k++) plan->stride[k][0] = 0;
    for (int i = 0; i < rank; i++)
        if (shape[i] != 1) append(plan, shape[i], i, stride);
}

void sg_walk_broadcast(sg_walk *plan, const sigad_array *y, int n,
                       const sigad_array *const *operands)
{
    int64_t stride[SG_WALK_OPERANDS][SIGAD_MAX_RANK];
    bool same = true;
    for (int k = 0; k < n; k++) same = same && operands[k]->elements == y->elements;
    if (same) {
        plan->n = n;
        plan->rank = 1;
        plan->shape[0] = y->elements;
        for (int k = 0; k < n; k++) plan->stride[k][0] = 1;
        return;
    }
    for (int k = 0; k < n; k++) operand_strides(y, operands[k], stride[k]);
    sg_walk_strides(plan, y->rank, y->shape, n, (const int64_t(*)[SIGAD_MAX_RANK])stride);
}

typedef struct {
    const sg_walk *plan;
    sg_stretch_body body;
    void *user;
    bool together; /* the body takes several runs at once */
    /* A long row is cut into pieces, short rows are put together. */
    int64_t rows, rows_per_block, pieces;
} job;

/* Moves on by `rows` rows, which end no later than the axis above them. */
static void advance(const sg_walk *plan, int64_t rows, int64_t *index, sg_stretch *run)
{
    run->start += rows * plan->shape[plan->rank - 1];
    for (int i = plan->rank - 2; i >= 0; i--, rows = 1) {
        index[i] += rows;
        bool carry = index[i] == plan->shape[i];
        for (int k = 0; k < plan->n; k++)
            run->offset[k] += (carry ? rows - plan->shape[i] : rows) * plan->stride[k][i];
        if (!carry) break;
        index[i] = 0;
    }
}

static void run_rows(const job *j, int64_t first, int64_t count, int64_t from, int64_t n)
{
    const sg_walk *plan = j->plan;
    int outer = plan->rank - 1;
    int64_t index[SIGAD_MAX_RANK], rest = first;
    sg_stretch run;
    run.n = n;
    run.rows = 1;
    run.start = first * plan->shape[outer] + from;
    for (int k = 0; k < plan->n; k++) {
        run.step[k] = plan->stride[k][outer];
        run.row_step[k] = outer ? plan->stride[k][outer - 1] : 0;
        run.offset[k] = from * run.step[k];
    }
    for (int i = outer - 1; i >= 0; i--) {
        index[i] = rest % plan->shape[i];
        rest /= plan->shape[i];
        for (int k = 0; k < plan->n; k++) run.offset[k] += index[i] * plan->stride[k][i];
    }
    for (int64_t row = 0; row < count; row += run.rows) {
        if (j->together && outer) {
            int64_t left = plan->shape[outer - 1] - index[outer - 1];
            run.rows = left < count - row ? left : count - row;
        }
        j->body(j->user, &run);
        advance(plan, run.rows, index, &run);
    }
}

static void run_block(void *user, int64_t index, int worker)
{
    const job *j = user;
    int64_t row_entries = j->plan->shape[j->plan->rank - 1];
    (void)worker;
    if (j->pieces > 1) {
        int64_t from = index % j->pieces * SG_BLOCK, rest = row_entries - from;
        run_rows(j, index / j->pieces, 1, from, rest < SG_BLOCK ? rest : SG_BLOCK);
        return;
    }
    int64_t first = index * j->rows_per_block, rest = j->rows - first;
    run_rows(j, first, rest < j->rows_per_block ? rest : j->rows_per_block, 0, row_entries);
}

static void walk(const sg_walk *plan, int threads, sg_stretch_body body, void *user, bool together)
{
    int64_t row_entries = plan->shape[plan->rank - 1], rows = 1;
    for (int i = 0; i < plan->rank - 1; i++) rows *= plan->shape[i];
    if (rows == 0 || row_entries == 0) return;
    job j = {plan,
             body,
             user,
             together,
             rows,
             row_entries < SG_BLOCK ? SG_BLOCK / row_entries : 1,
             (row_entries + SG_BLOCK - 1) / SG_BLOCK};
    int64_t blocks =
        j.pieces > 1 ? rows * j.pieces : (rows + j.rows_per_block - 1) / j.rows_per_block;
    sg_parallel(threads, blocks, run_block, &j);
}

void sg_walk_run(const sg_walk *plan, int threads, sg_stretch_body body, void *user)
{
    walk(plan, threads, body, user, false);
}

void sg_walk_run_rows(const sg_walk *plan, int threads, sg_stretch_body body, void *user)
{
    walk(plan, threads, body, user, true);
}

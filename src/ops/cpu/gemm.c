#include "ops/cpu/gemm.h"
#include "core/parallel.h"
#include "ops/cpu/dense/dense.h"
#include <cblas.h>
#include <limits.h>

/* Less arithmetic than this is not worth handing to another thread. */
enum { WORTH_A_TASK = 1 << 18 };

enum {
    PACKED = 2048,     /* most entries of a B that is transposed for a thin product */
    PIECE = 512,       /* terms that a thin product sums up in one go */
    LITTLE = 32768,    /* multiplications before which BLAS has hardly begun */
    WORTH_A_PACK = 256 /* terms from which on BLAS copies its operands first */
};

/* C^T = op(B)^T op(A)^T has the longer rows, and those of A are dense. */
static bool is_better_transposed(const sg_gemm_plan *p, int64_t rows, int64_t columns)
{
    const int lanes = sg_dense_of(p->dtype)->lanes;
    return p->transpose_a && !p->transpose_b && columns <= lanes / 2 && rows >= lanes;
}

/* Is a block better done by our own loops than by BLAS? These bounds are where the two met on
 * processors with AVX2 and with AVX-512; in between BLAS is a little ahead on the latter. */
static bool is_thin(const sg_gemm_plan *p, int64_t rows, int64_t columns, int64_t depth)
{
    const int lanes = sg_dense_of(p->dtype)->lanes;
    if (p->transpose_b) return rows >= 4 && columns * depth <= PACKED;
    if (is_better_transposed(p, rows, columns)) return true;
    if (columns < lanes / 4) return false;
    return rows * columns * depth <= LITTLE ||
           (columns <= 2 * lanes && depth >= WORTH_A_PACK && !p->transpose_a);
}

#define gemm_f32   cblas_sgemm
#define gemm_f64   cblas_dgemm
#define gemv_f32   cblas_sgemv
#define gemv_f64   cblas_dgemv
#define GEMM       NAME(gemm)
#define GEMV       NAME(gemv)
#define SG_KERNELS "ops/cpu/gemm.inc"
#include "ops/cpu/both_reals.h"

bool sg_gemm_fits(const sg_gemm_plan *plan)
{
    return plan->lda <= INT_MAX && plan->ldb <= INT_MAX && plan->ldc <= INT_MAX;
}

/* A sequential BLAS loses a twentieth in blocks of 256 x 256, and about a tenth in the smaller ones
 * that give a smaller C to several threads as well. One with threads of its own splits a product in
 * a way that depends on their number, but never one of at most 2^18 multiplications (OpenBLAS:
 * interface/gemm.c, SMP_THRESHOLD_MIN * GEMM_MULTITHREAD_THRESHOLD), nor a matrix and vector of
 * less than 9216 elements (interface/gemv.c). The sum over k is cut at fixed places and added up in
 * order, so that is a matter of shape as well. */
sg_gemm_block sg_gemm_blocks(bool parallel, int64_t m, int64_t n)
{
    if (parallel) return (sg_gemm_block){64, 64, 64};
    int64_t side = m * n < 4 * 256 * 256 ? 128 : 256;
    return (sg_gemm_block){side, side, 1 << 14};
}

/* Can the axis be read as more rows of op(A) and C, which share one B? */
static bool extends_rows(const sg_gemm_plan *p, const sg_gemm_axis *axis)
{
    return !p->transpose_a && axis->b == 0 && axis->a == p->m * p->lda && axis->c == p->m * p->ldc;
}

/* Can the axis be read as more terms of the sum over k? */
static bool extends_sum(const sg_gemm_plan *p, const sg_gemm_axis *axis)
{
    return p->transpose_a && !p->transpose_b && axis->c == 0 && axis->a == p->k * p->lda &&
           axis->b == p->k * p->ldb;
}

void sg_gemm_merge(sg_gemm_plan *p)
{
    int kept = SIGAD_MAX_RANK;
    sg_gemm_axis axis[SIGAD_MAX_RANK];
    for (int i = p->axes - 1; i >= 0; i--) {
        if (p->axis[i].size == 1) continue;
        if (extends_rows(p, &p->axis[i]))
            p->m *= p->axis[i].size;
        else if (extends_sum(p, &p->axis[i]))
            p->k *= p->axis[i].size;
        else
            axis[--kept] = p->axis[i];
    }
    p->axes = SIGAD_MAX_RANK - kept;
    for (int i = 0; i < p->axes; i++) p->axis[i] = axis[kept + i];
}

typedef struct {
    const sg_gemm_plan *plan;
    const char *a, *b;
    char *c;
    int64_t element_bytes;
    sg_gemm_block block;
    int64_t block_rows, block_columns; /* how many blocks C is cut into, along each axis */
    int64_t outputs, sums; /* how many C there are, and how many products are added up in each */
    int64_t items, items_per_task; /* an item is one block of one C */
} job;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t divided_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* Adds the elements to move for the index-th combination of the axes that are added up (`summed`)
 * or of the others. */
static void advance(const sg_gemm_plan *p, bool summed, int64_t index, int64_t offset[3])
{
    for (int i = p->axes - 1; i >= 0; i--) {
        const sg_gemm_axis *axis = &p->axis[i];
        if ((axis->c == 0) != summed) continue;
        int64_t at = index % axis->size;
        index /= axis->size;
        offset[0] += at * axis->a;
        offset[1] += at * axis->b;
        offset[2] += at * axis->c;
    }
}

static void compute_item(const job *j, int64_t item)
{
    const sg_gemm_plan *p = j->plan;
    int64_t column = item % j->block_columns * j->block.columns;
    int64_t row = item / j->block_columns % j->block_rows * j->block.rows;
    int64_t rows = smaller(j->block.rows, p->m - row),
            columns = smaller(j->block.columns, p->n - column);
    int64_t start[3] = {row * (p->transpose_a ? 1 : p->lda), column * (p->transpose_b ? p->ldb : 1),
                        row * p->ldc + column};
    advance(p, false, item / (j->block_rows * j->block_columns), start);
    char *c = j->c + start[2] * j->element_bytes;
    double beta = p->beta;
    for (int64_t sum = 0; sum < j->sums; sum++) {
        int64_t at[3] = {start[0], start[1], 0};
        advance(p, true, sum, at);
        for (int64_t begin = 0; begin < p->k; begin += j->block.depth, beta = 1) {
            int64_t depth = smaller(j->block.depth, p->k - begin);
            const char *a =
                j->a + (at[0] + begin * (p->transpose_a ? p->lda : 1)) * j->element_bytes;
            const char *b =
                j->b + (at[1] + begin * (p->transpose_b ? 1 : p->ldb)) * j->element_bytes;
            SG_BY_DTYPE(p->dtype, block)(p, rows, columns, depth, beta, a, b, c);
        }
    }
    if (!p->k || !j->sums) SG_BY_DTYPE(p->dtype, block)(p, rows, columns, 0, beta, NULL, NULL, c);
}

static void run_task(void *user, int64_t index, int worker)
{
    (void)worker;
    const job *j = user;
    int64_t end = smaller(j->items, (index + 1) * j->items_per_task);
    for (int64_t item = index * j->items_per_task; item < end; item++) compute_item(j, item);
}

void sg_cpu_gemm(sg_place *place, const sg_gemm_plan *plan, const void *a, const void *b, void *c)
{
    sg_gemm_plan merged = *plan;
    sg_gemm_merge(&merged);
    job j = {.plan = &merged, .a = a, .b = b, .c = c, .outputs = 1, .sums = 1};
    for (int i = 0; i < merged.axes; i++)
        *(merged.axis[i].c ? &j.outputs : &j.sums) *= merged.axis[i].size;
    if (!merged.m || !merged.n || !j.outputs) return;
    j.element_bytes = merged.dtype == SIGAD_F32 ? sizeof(float) : sizeof(double);
    j.block = sg_gemm_blocks(openblas_get_parallel() != 0, merged.m, merged.n);
    j.block_rows = divided_up(merged.m, j.block.rows);
    j.block_columns = divided_up(merged.n, j.block.columns);
    j.items = j.outputs * j.block_rows * j.block_columns;
    double work =
        (double)merged.m * (double)merged.n * (double)merged.k * (double)j.sums * (double)j.outputs;
    double tasks = 1 + work / WORTH_A_TASK;
    j.items_per_task = divided_up(j.items, tasks < (double)j.items ? (int64_t)tasks : j.items);
    sg_parallel(place->threads, divided_up(j.items, j.items_per_task), run_task, &j);
}

/* Dense products of float or double matrices: C = alpha op(A) op(B) + beta C, for one pair or a
 * whole batch of them, through OpenBLAS.
 *
 * Matrices are row-major; op(A) is [m, k], op(B) is [k, n], C is [m, n], and lda, ldb, ldc are the
 * elements from one stored row to the next. With a transpose flag the stored matrix is the
 * transposed one: A is stored [k, m], B [n, k]. Rows must not overlap: lda is at least the columns
 * of a stored row.
 *
 * Each batch axis says how many elements to move in A, B and C per step: 0 in A or B broadcasts, 0
 * in C adds up the products of that axis, in order. Where C is used with beta = 0 its old contents
 * are never read.
 *
 * OpenBLAS keeps packing buffers, one for each thread that was ever inside it at once, of memory
 * that it gets by itself, on first use.
 *
 * The result has the same bits for any number of threads: C is cut into blocks by its shape alone
 * and each block is computed by one thread in a fixed order. */
#ifndef SG_GEMM_H
#define SG_GEMM_H
#include "ops/place.h"
#include "sigad/op.h"
#include <stdbool.h>

typedef struct {
    int64_t size, a, b, c;
} sg_gemm_axis;

typedef struct {
    int32_t dtype; /* SIGAD_F32 or SIGAD_F64 */
    bool transpose_a, transpose_b;
    int64_t m, n, k, lda, ldb, ldc;
    double alpha, beta;
    int axes;
    sg_gemm_axis axis[SIGAD_MAX_RANK];
} sg_gemm_plan;

/* What goes into one call of BLAS: C is cut into blocks of rows x columns, the sum over k into
 * pieces of `depth`. */
typedef struct {
    int64_t rows, columns, depth;
} sg_gemm_block;

/* False if the distance of two rows is beyond the 32 bits that BLAS counts with; any m, n, k will
 * do. */
bool sg_gemm_fits(const sg_gemm_plan *plan);
/* The blocks of C [m, n] for an OpenBLAS that is sequential or (`parallel`) starts threads of its
 * own. */
sg_gemm_block sg_gemm_blocks(bool parallel, int64_t m, int64_t n);
/* Makes batch axes that are nothing but more rows of A and C, or more terms of the sum, part of m
 * or k. */
void sg_gemm_merge(sg_gemm_plan *plan);

/* The plan must fit. */
void sg_cpu_gemm(sg_place *place, const sg_gemm_plan *plan, const void *a, const void *b, void *c);
#endif

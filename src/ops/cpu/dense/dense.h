/* The loops of dense operations, compiled from one source for each instruction set. Functions of
 * one entry are vectorised by hand (exp.inc and its neighbours say how, docs/elementwise.md how
 * well); plain arithmetic is left to the compiler. */
#ifndef SG_DENSE_H
#define SG_DENSE_H
#include "core/cpu.h"
#include "ops/binary.h"
#include "ops/cpu/along.h"
#include "ops/cpu/binary.h"
#include "ops/cpu/compare.h"
#include "ops/cpu/loss.h"
#include "ops/cpu/unary.h"
#include "ops/cpu/where.h"
#include "ops/unary.h"

enum { SG_EXTREME_COLUMNS = 64, SG_WORD_BLOCKS = 16 }; /* at once */

typedef void (*sg_unary_loop)(int64_t n, double a, double b, const sg_unary_arrays *arrays);
typedef void (*sg_binary_loop)(const sg_binary_entries *entries);
typedef void (*sg_loss_loop)(const sg_loss_arrays *arrays, double share, int64_t first,
                             int64_t count);

/* C = alpha A B + beta C for few columns or little work, where a call of BLAS takes longer than the
 * work or does not fill its vectors. A [m, k] and C [m, n] have any steps, rows of B [k, n] are
 * dense. With beta = 0 the old C is not read. */
typedef struct {
    int64_t m, n, k;
    const void *a, *b;
    void *c;
    int64_t a_row, a_column, b_row, c_row, c_column;
    double alpha, beta;
} sg_thin_gemm;

typedef struct {
    sg_unary_loop unary[SG_UNARY_COUNT][SG_UNARY_ORDERS];
    sg_binary_loop binary[SG_BINARY_COUNT][SG_BINARY_ORDERS];
    sg_loss_loop loss[SG_LOSS_COUNT][SG_LOSS_ORDERS];
    sg_stretch_body along[SG_ALONG_COUNT]; /* of sg_along_arrays */
    sg_stretch_body choose, add_where;     /* of sg_where_arrays */
    sg_stretch_body equal, less;           /* of sg_compare_arrays */
    /* The row of the largest or smallest entry of each of at most SG_EXTREME_COLUMNS columns. */
    void (*extremes)(int64_t n, int64_t inner, int width, bool largest, const void *x,
                     int64_t *row);
    double (*largest)(int64_t n, const void *x);
    /* out[i] = exp(x[i step] - shift), and their sum */
    double (*exps)(int64_t n, const void *x, int64_t step, double shift, void *out);
    /* Words of the Philox blocks (core/philox.h) first, first + step, ..: four each. */
    void (*words)(uint64_t key, uint64_t high, uint64_t first, uint64_t step,
                  uint32_t words[4 * SG_WORD_BLOCKS]);
    /* y = (or += with add) scale x where the word is `least` or more, else 0 */
    void (*keep)(int64_t n, const uint32_t *words, uint64_t least, double scale, const void *x,
                 void *y, bool add);
    void (*gemm)(const sg_thin_gemm *gemm);
    int lanes;
} sg_dense;

/* For SIGAD_F32 or SIGAD_F64, on this processor. */
const sg_dense *sg_dense_of(int32_t dtype);

/* All of them, by instruction set; one that the library was not built for has those of the next
 * lower one. */
extern const sg_dense *const sg_dense_f32[SG_ISAS], *const sg_dense_f64[SG_ISAS];
#endif

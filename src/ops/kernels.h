/* All arithmetic of the dense operations: one table of functions for the CPU and one for CUDA
 * devices, so that an operation is written once. The headers in ops/cpu say what each computes.
 * Arrays are in the place's memory. On a device functions queue their work and return; a launch
 * that fails is noted in the place, and whoever called the operation looks there. */
#ifndef SG_KERNELS_TABLE_H
#define SG_KERNELS_TABLE_H
#ifdef __cplusplus
extern "C" {
#endif
#include "ops/cpu/along.h"
#include "ops/cpu/binary.h"
#include "ops/cpu/cast.h"
#include "ops/cpu/compare.h"
#include "ops/cpu/cross_entropy.h"
#include "ops/cpu/cumsum.h"
#include "ops/cpu/extreme.h"
#include "ops/cpu/gather.h"
#include "ops/cpu/gemm.h"
#include "ops/cpu/layer_norm.h"
#include "ops/cpu/linear.h"
#include "ops/cpu/loss.h"
#include "ops/cpu/nll_loss.h"
#include "ops/cpu/random.h"
#include "ops/cpu/softmax.h"
#include "ops/cpu/sum.h"
#include "ops/cpu/unary.h"
#include "ops/cpu/view.h"
#include "ops/cpu/where.h"

typedef struct sg_kernels {
    /* bytes */
    void (*clear)(sg_place *place, void *y, size_t bytes);
    void (*move)(sg_place *place, void *y, const void *x, size_t bytes);

    /* entries elsewhere */
    void (*copy)(sg_place *place, int32_t dtype, const sg_view *view, const void *x, void *y);
    void (*add_scaled)(sg_place *place, int32_t dtype, const sg_view *view, double factor,
                       const void *x, void *y, bool fresh);
    void (*fill)(sg_place *place, int32_t dtype, int64_t n, double value, void *y);
    void (*set_rows)(sg_place *place, int32_t dtype, int64_t rows, int64_t columns, const void *row,
                     void *y);
    void (*add_to_rows)(sg_place *place, int32_t dtype, int64_t rows, int64_t columns,
                        const void *row, void *y);
    int64_t (*cast)(sg_place *place, sg_origin origin, int64_t n, int32_t from_dtype,
                    const void *from, int32_t to_dtype, void *to);
    void (*cast_add)(sg_place *place, int64_t n, int32_t from_dtype, const void *from,
                     int32_t to_dtype, void *to);

    /* entries by index */
    int64_t (*check_index)(sg_place *place, sg_origin origin, int64_t count, int64_t size,
                           const int64_t *index);
    void (*gather)(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                   const void *x, void *y);
    void (*gather_add)(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                       const void *x, void *y);
    size_t (*scatter_workspace)(int64_t count);
    void (*scatter_add)(sg_place *place, int32_t dtype, sg_gather_shape shape, const int64_t *index,
                        const void *y, void *x, void *workspace);
    void (*one_hot)(sg_place *place, int64_t count, int64_t size, const int64_t *index,
                    int32_t dtype, void *y);
    void (*extreme)(sg_place *place, int32_t dtype, sg_split split, bool largest, const void *x,
                    int64_t *index);
    void (*pick)(sg_place *place, int32_t dtype, sg_split split, const int64_t *index,
                 const void *x, void *y, bool add);
    void (*put)(sg_place *place, int32_t dtype, sg_split split, const int64_t *index, const void *y,
                void *x);

    /* entry by entry */
    void (*unary)(sg_place *place, int kind, sg_unary_order order, int32_t dtype, int64_t n,
                  double a, double b, const sg_unary_arrays *arrays);
    void (*binary)(sg_place *place, int kind, sg_binary_order order,
                   const sg_binary_arrays *arrays);
    void (*equal)(sg_place *place, const sigad_array *a, const sigad_array *b,
                  const sigad_array *y);
    void (*less)(sg_place *place, const sigad_array *a, const sigad_array *b, const sigad_array *y);
    void (*where)(sg_place *place, const sigad_array *condition, const sigad_array *a,
                  const sigad_array *b, const sigad_array *y);
    void (*add_where)(sg_place *place, const sigad_array *condition, bool when,
                      const sigad_array *p, const sigad_array *y, void *out);
    void (*along)(sg_place *place, int kind, int32_t dtype, sg_split split,
                  const sg_along_arrays *arrays);
    void (*root)(sg_place *place, int64_t n, int32_t dtype, void *y);
    void (*finite)(sg_place *place, int64_t n, int32_t dtype, void *y);
    void (*log_plus)(sg_place *place, int64_t n, int32_t dtype, void *l, const void *r, void *y);
    void (*loss)(sg_place *place, sg_loss loss, sg_loss_order order, int32_t dtype, int64_t n,
                 const sg_loss_arrays *arrays);

    /* sums, and what is made of them */
    void (*sum)(sg_place *place, const sg_sum *plan, int32_t dtype, const void *x, double divisor,
                void *y, bool add, void *workspace);
    void (*cumsum)(sg_place *place, int32_t dtype, sg_split split, bool backwards, const void *x,
                   void *y, bool add, void *workspace);
    void (*softmax)(sg_place *place, sg_softmax_kernel kernel, int32_t dtype, const sg_split *split,
                    const void *a, const void *b, const void *c, void *out);
    void (*layer_norm)(sg_place *place, const sg_layer_norm *l, double epsilon, const void *scale,
                       const void *shift, void *out);
    void (*layer_norm_times)(sg_place *place, const sg_layer_norm *l, sg_factor a, void *out);
    void (*layer_norm_project)(sg_place *place, const sg_layer_norm *l, sg_factor a, sg_factor b,
                               sg_factor c, void *out);
    void (*layer_norm_bend)(sg_place *place, const sg_layer_norm *l, sg_factor b, sg_factor c,
                            const void *v, void *out);
    void (*cross_entropy_fwd)(sg_place *place, const sg_cross_entropy *c, void *terms);
    void (*cross_entropy_vjp)(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                              void *out);
    void (*cross_entropy_jvp)(sg_place *place, const sg_cross_entropy *c, const void *u,
                              void *terms);
    void (*cross_entropy_soc)(sg_place *place, const sg_cross_entropy *c, sg_mean_share share,
                              const void *u, void *out);
    void (*nll_terms)(sg_place *place, int32_t dtype, int64_t rows, int64_t classes, const void *x,
                      const int64_t *labels, void *terms);
    void (*nll_vjp)(sg_place *place, int32_t dtype, int64_t rows, int64_t classes,
                    const int64_t *labels, sg_mean_share share, void *out);
    void (*gemm)(sg_place *place, const sg_gemm_plan *plan, const void *a, const void *b, void *c);

    /* at random */
    void (*set_key)(sg_place *place, uint64_t key, uint64_t *to);
    void (*uniform)(sg_place *place, uint64_t key, double low, double high, int64_t n,
                    int32_t dtype, void *y);
    void (*normal)(sg_place *place, uint64_t key, int64_t n, int32_t dtype, void *y);
    void (*dropout)(sg_place *place, const uint64_t *key, double rate, int64_t n, int32_t dtype,
                    const void *x, void *y, bool add);
} sg_kernels;

extern const sg_kernels sg_cpu_kernels, sg_cuda_dense_kernels;

#ifdef __cplusplus
}
#endif
#endif

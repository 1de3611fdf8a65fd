/* Shape rules that operations share. Those that return a status fail through sigad_op_fail, with a
 * message that says what would be right. */
#ifndef SG_SHAPE_H
#define SG_SHAPE_H
#include "graph/tape.h"
#include "ops/kernels.h"
#include "ops/split.h"
#include "sigad/ops.h"
#include <stdbool.h>

/* The attributes of a call, as the struct that was given to sigad_apply. */
#define SG_ATTRIBUTES(type, call) ((const type *)(call)->attributes)

/* A kernel of the call's device: SG_RUN(call, sum, arguments behind the place). */
#define SG_RUN(call, kernel, ...) \
    (sg_call_place(call)->kernels->kernel(sg_call_place(call), __VA_ARGS__))
static inline sg_origin sg_call_origin(const sigad_op_call *call)
{
    const sg_call *whole = (const sg_call *)(const void *)call;
    return (sg_origin){whole->name, (int64_t)whole->position, whole->tape,
                       whole->tape->nodes[whole->position].generation};
}

/* The functions of an operation whose work is all done by such kernels: the same on every device.
 */
#define SG_ON_EACH_DEVICE(f, v, j, s)                                                    \
    .fwd = f, .vjp = v, .jvp = j, .soc = s, .cuda_fwd = f, .cuda_vjp = v, .cuda_jvp = j, \
    .cuda_soc = s

static inline bool sg_is_floating(int32_t dtype)
{
    return dtype == SIGAD_F32 || dtype == SIGAD_F64;
}

/* The first `count` inputs have one floating dtype. */
sigad_status sg_need_floats(const sigad_op_call *call, int count);
/* The first `count` inputs have one dtype, floating or not. */
sigad_status sg_need_same_dtype(const sigad_op_call *call, int count);
sigad_status sg_need_dtype(const sigad_op_call *call, int input, int32_t dtype);

/* An axis of x, counted from the end when negative, as 0 .. rank - 1. */
sigad_status sg_need_axis(const sigad_op_call *call, const sigad_array *x, int axis, int *normal);
/* The place of a new axis in a result of one more axis than x[0], as 0 .. rank of x[0]. */
sigad_status sg_need_new_axis(const sigad_op_call *call, int axis, int *normal);
/* A rank and sizes that a caller asks for: 0 <= rank <= SIGAD_MAX_RANK, sizes >= lowest. */
sigad_status sg_need_sizes(const sigad_op_call *call, int rank, const int64_t *shape,
                           int64_t lowest);

/* Sets the output with its count of elements; SIGAD_ERANGE if that overflows. */
sigad_status sg_infer_as(sigad_op_call *call, int32_t dtype, int rank, const int64_t *shape);
static inline sigad_status sg_infer_like(sigad_op_call *call, const sigad_array *x)
{
    return sg_infer_as(call, x->dtype, x->rank, x->shape);
}
/* The output has the dtype and the shape to which the first `count` inputs broadcast. */
sigad_status sg_infer_broadcast(sigad_op_call *call, int count, int32_t dtype);
/* x without `axis` (which is 0 .. rank - 1, or SIGAD_ALL for every axis); `keep` leaves size 1. */
sigad_status sg_infer_reduced(sigad_op_call *call, const sigad_array *x, int axis, int keep,
                              int32_t dtype);

/* x with a new axis of `size`. */
sigad_status sg_infer_with_axis(sigad_op_call *call, const sigad_array *x, int axis, int64_t size);
/* x with another size of an axis. */
sigad_status sg_infer_resized(sigad_op_call *call, const sigad_array *x, int axis, int64_t size);

/* NumPy's rule on bare shapes; `shape` may be one of the operands. False if they do not fit. */
bool sg_broadcast_shapes(int rank_a, const int64_t *a, int rank_b, const int64_t *b, int *rank,
                         int64_t *shape);

int64_t sg_product(int count, const int64_t *sizes);
static inline bool sg_same_shape(const sigad_array *a, const sigad_array *b)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < a->rank; i++) same = a->shape[i] == b->shape[i];
    return same;
}

/* From `axis`, or all (SIGAD_ALL). */
sg_split sg_split_at(const sigad_array *x, int axis);

/* "[2,3] and [4]" of the first `count` inputs; a longer text is cut. Returns buffer. */
enum { SG_SHAPES_TEXT = 4 * SG_SHAPE_TEXT };
const char *sg_shapes_text(const sigad_op_call *call, int count, char buffer[SG_SHAPES_TEXT]);
#endif

/* What operations that reduce along one axis, or all, share. */
#ifndef SG_ALONG_H
#define SG_ALONG_H
#include "ops/cpu/along.h"
#include "ops/cpu/sum.h"
#include "ops/cpu/view.h"
#include "ops/shape.h"

/* The axis as the caller gave it, and how the result is shaped. Attributes of such operations begin
 * with this. */
typedef struct {
    int32_t axis; /* may be negative, or SIGAD_ALL */
    int32_t keep;
} sg_along;

/* Checks the axis of x[0] and sets y; SIGAD_ALL is allowed. */
sigad_status sg_infer_along(sigad_op_call *call, int32_t dtype);
/* The same, and refuses to reduce no entries. */
sigad_status sg_infer_along_some(sigad_op_call *call, int32_t dtype);

/* x[0] as [outer, n, inner] around the reduced axis. */
sg_split sg_along_split(const sigad_op_call *call);
void sg_along_sum(const sigad_op_call *call, sg_sum *sum);
/* Copies or adds an array of y's shape to one of x[0]'s, to each place it was reduced from. */
sg_view sg_along_spread(const sigad_op_call *call);

/* Workspace of the functions below, with an array of the result's shape and one of integers
 * behind, at sg_along_result and sg_along_index. */
size_t sg_along_workspace(const sigad_op_call *call);
void *sg_along_result(const sigad_op_call *call);
int64_t *sg_along_index(const sigad_op_call *call);
/* An array of x's shape summed over n and divided: y = or, with `add`, y +=. */
void sg_along_sum_of(const sigad_op_call *call, const void *x, double divisor, void *y, bool add);
/* A row of SG_ALONG that adds to arrays.out. */
void sg_along_run(const sigad_op_call *call, int kind, sg_along_arrays arrays);
/* The sum of a row of SG_ALONG. */
void sg_along_reduce(const sigad_op_call *call, int kind, sg_along_arrays arrays, double divisor,
                     void *y, bool add);
#endif

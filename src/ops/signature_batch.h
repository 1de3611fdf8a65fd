/* Signature kernels over a batch: shared by the functions on plain arrays and by the operations on
 * a tape. */
#ifndef SG_SIGNATURE_BATCH_H
#define SG_SIGNATURE_BATCH_H
#include "ops/cpu/signature.h"

typedef void (*sg_signature_fwd)(const sigad_plan *plan, int64_t length, const void *x, void *y,
                                 void *work);
typedef void (*sg_signature_vjp)(const sigad_plan *plan, int64_t length, const void *x,
                                 const void *y_bar, void *x_bar, void *work);
typedef int64_t (*sg_signature_work)(const sigad_plan *plan, int64_t length);

/* The kernels of one operation, by scalar. */
enum { SG_F32, SG_F64, SG_C64, SG_SCALARS };
typedef struct {
    bool from_path;
    sg_signature_fwd fwd[SG_SCALARS];
    sg_signature_vjp vjp[SG_SCALARS], vjp_fresh[SG_SCALARS]; /* or NULL; x_bar = and not += */
    sg_signature_work fwd_work[SG_SCALARS], vjp_work[SG_SCALARS];
} sg_signature_kernels;

extern const sg_signature_kernels sg_sig_kernels, sg_log_sig_kernels, sg_sig_to_log_sig_kernels,
    sg_logsig_to_sig_kernels;

/* Entries of one item of x and of y. For operations on paths `length` is the number of points of
 * each item's place, else ignored. */
int64_t sg_signature_x_entries(const sg_signature_kernels *kernels, const sigad_plan *plan,
                               int64_t length);
int64_t sg_signature_y_entries(const sg_signature_kernels *kernels, const sigad_plan *plan);

/* One call over [batch] items. Unused fields are NULL. */
typedef struct {
    const sg_signature_kernels *kernels;
    const sigad_plan *plan;
    int scalar; /* SG_F32 or SG_F64, of all arrays */
    int64_t batch, length;
    const int64_t *lengths; /* [batch], each in 0 .. length, or NULL: all are `length` long */
    bool ragged;            /* lengths are there, or will be: they change how a call is laid out */
    const void *x, *y_bar, *x_dot;
    void *out;
    bool fresh; /* nothing is in out yet: an item's place is cleared just before something is added
                 */
    void *work; /* of sg_signature_work_bytes, 64-byte aligned */
    int threads;
} sg_signature_batch;

enum { SG_BATCH_FWD, SG_BATCH_VJP, SG_BATCH_JVP, SG_BATCH_SOC };

/* Bytes of scratch for a call, -1 if that is more than any memory; the arrays need not be there
 * yet. `what` is SG_BATCH_... */
int64_t sg_signature_work_bytes(const sg_signature_batch *batch, int what);

/* fwd overwrites out with y; the others add to it: x_bar, y_dot, x_bar_dot. Items go to threads
 * whole, alone or in groups, so the bits do not depend on the number of threads. */
void sg_signature_run(const sg_signature_batch *batch, int what);

/* Index of the first entry of lengths outside 0 .. length, or -1. */
int64_t sg_signature_bad_length(const int64_t *lengths, int64_t batch, int64_t length);

#endif

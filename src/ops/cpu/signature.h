/* CPU kernels of the signature operations: one item of a batch at a time, workspace handed in,
 * nothing allocated. Each exists for float (_f32), double (_f64) and double _Complex (_c64: two
 * doubles). The last differentiates the others: kernels are polynomials with rational coefficients,
 * so the imaginary part of f(x + i h v) / h is J v to rounding once h is so small that h^2 vanishes
 * (Squire and Trapp 1998, "Using complex variables to estimate derivatives of real functions").
 *
 * fwd: y = f(x), overwriting y.    vjp: x_bar += J(x)^T y_bar.
 * x and y are the arrays of the interface, scalar term included: path [length, dimension], sig
 * [sig_length], log_sig [log_sig_length]. `length` counts points; only operations on paths look at
 * it. `work` holds sg_..._work(plan, length) elements, 64-byte aligned; -1: too many. */
#ifndef SG_SIGNATURE_KERNELS_H
#define SG_SIGNATURE_KERNELS_H
#include "algebra/plan.h"

#define SG_SIGNATURE_KERNEL(name)                                                        \
    void sg_##name##_f32(const sigad_plan *plan, int64_t length, const void *x, void *y, \
                         void *work);                                                    \
    void sg_##name##_f64(const sigad_plan *plan, int64_t length, const void *x, void *y, \
                         void *work);                                                    \
    void sg_##name##_c64(const sigad_plan *plan, int64_t length, const void *x, void *y, \
                         void *work);                                                    \
    void sg_##name##_vjp_f32(const sigad_plan *plan, int64_t length, const void *x,      \
                             const void *y_bar, void *x_bar, void *work);                \
    void sg_##name##_vjp_f64(const sigad_plan *plan, int64_t length, const void *x,      \
                             const void *y_bar, void *x_bar, void *work);                \
    void sg_##name##_vjp_c64(const sigad_plan *plan, int64_t length, const void *x,      \
                             const void *y_bar, void *x_bar, void *work);

SG_SIGNATURE_KERNEL(sig)            /* path -> sig */
SG_SIGNATURE_KERNEL(log_sig)        /* path -> log_sig */
SG_SIGNATURE_KERNEL(sig_to_log_sig) /* sig -> log_sig */
SG_SIGNATURE_KERNEL(logsig_to_sig)  /* log_sig -> sig */
#undef SG_SIGNATURE_KERNEL

/* x_bar = J(x)^T y_bar, of `length` points. */
void sg_sig_vjp_fresh_f32(const sigad_plan *plan, int64_t length, const void *x, const void *y_bar,
                          void *x_bar, void *work);
void sg_sig_vjp_fresh_f64(const sigad_plan *plan, int64_t length, const void *x, const void *y_bar,
                          void *x_bar, void *work);

int64_t sg_sig_work_f32(const sigad_plan *plan, int64_t length);
int64_t sg_sig_work_f64(const sigad_plan *plan, int64_t length);
int64_t sg_sig_work_c64(const sigad_plan *plan, int64_t length);
int64_t sg_sig_vjp_work_f32(const sigad_plan *plan, int64_t length);
int64_t sg_sig_vjp_work_f64(const sigad_plan *plan, int64_t length);
int64_t sg_sig_vjp_work_c64(const sigad_plan *plan, int64_t length);
int64_t sg_log_sig_work_f32(const sigad_plan *plan, int64_t length);
int64_t sg_log_sig_work_f64(const sigad_plan *plan, int64_t length);
int64_t sg_log_sig_work_c64(const sigad_plan *plan, int64_t length);
int64_t sg_log_sig_vjp_work_f32(const sigad_plan *plan, int64_t length);
int64_t sg_log_sig_vjp_work_f64(const sigad_plan *plan, int64_t length);
int64_t sg_log_sig_vjp_work_c64(const sigad_plan *plan, int64_t length);
/* of every scalar */
int64_t sg_sig_to_log_sig_work(const sigad_plan *plan, int64_t length);
int64_t sg_sig_to_log_sig_vjp_work(const sigad_plan *plan, int64_t length);
int64_t sg_logsig_to_sig_work(const sigad_plan *plan, int64_t length);
int64_t sg_logsig_to_sig_vjp_work(const sigad_plan *plan, int64_t length);

/* ---- parts of the above: tensors here are levels 1 .. degree without a scalar term ---------- */

/* sg_series: y = log(1 + x) or exp(x) - 1 by Horner's rule, at all words, or (words_only) at the
 * Lyndon words alone, by rank. */
typedef enum { SG_LOG, SG_EXP } sg_series;
int64_t sg_series_work(const sigad_plan *plan);
int64_t sg_series_vjp_work(const sigad_plan *plan);

#define SG_SIGNATURE_PARTS(S, REAL)                                                               \
    void sg_series_##S(const sigad_plan *plan, sg_series series, bool words_only, const REAL *x,  \
                       REAL *y, REAL *work);                                                      \
    void sg_series_vjp_##S(const sigad_plan *plan, sg_series series, bool words_only,             \
                           const REAL *x, const REAL *y_bar, REAL *x_bar, REAL *work);            \
    /* Lyndon coordinates, in place: coefficients at Lyndon words from those of the brackets, by  \
     * forward substitution with the unit triangle, and its transpose. */                         \
    void sg_words_to_brackets_##S(const sigad_plan *plan, REAL *coordinate);                      \
    void sg_words_to_brackets_vjp_##S(const sigad_plan *plan, REAL *cotangent);                   \
    /* tensor = sum of coordinate times bracket; and coordinate += its transpose times tensor. */ \
    void sg_expand_##S(const sigad_plan *plan, const REAL *coordinate, REAL *tensor);             \
    void sg_expand_vjp_##S(const sigad_plan *plan, const REAL *tensor, REAL *coordinate);

SG_SIGNATURE_PARTS(f32, float)
SG_SIGNATURE_PARTS(f64, double)
SG_SIGNATURE_PARTS(c64, double _Complex)
#undef SG_SIGNATURE_PARTS

/* ---- workspace ------------------------------------------------------------------------------ */

/* Sizes are in elements. Blocks are rounded up so that each begins on a boundary of 64 bytes for
 * every scalar. -1: the total does not fit in memory. */
enum { SG_BLOCK = 16 };

static inline int64_t sg_block(int64_t elements)
{
    return (elements + SG_BLOCK - 1) / SG_BLOCK * SG_BLOCK;
}

/* total + copies blocks of `elements`, or -1 if total is -1 or the sum exceeds 2^59, more than any
 * memory. */
int64_t sg_work_add(int64_t total, int64_t copies, int64_t elements);

static inline int64_t sg_work_max(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a > b ? a : b;
}

#endif

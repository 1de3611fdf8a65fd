/* Random problems for the signature functions, and the functions behind one shape. */
#ifndef SIGNATURE_CASES_H
#define SIGNATURE_CASES_H
#include "ops/signature_batch.h"

enum { CASE_SIG, CASE_LOG_SIG, CASE_SIG_TO_LOG_SIG, CASE_LOGSIG_TO_SIG, CASE_OPERATIONS };
extern const char *const case_operation_name[CASE_OPERATIONS];
extern const sg_signature_kernels *const case_kernels[CASE_OPERATIONS];

/* One operation, one spec, and arrays drawn for it: x of [batch, x_entries], a cotangent g and a
 * tangent v. */
typedef struct {
    int operation;
    sigad_sig_spec spec;
    sigad_plan *plan;
    int64_t batch, length, x_entries, y_entries;
    double *x, *g, *v;
} signature_case;

/* Fails the test if the plan cannot be made. `seed` decides all numbers. Level 0 of inputs holds a
 * number that must not matter. */
signature_case case_create(int operation, const sigad_sig_spec *spec, int64_t batch, int64_t length,
                           uint64_t seed);
void case_destroy(signature_case *c);
/* For messages. */
const char *case_text(const signature_case *c);

/* Calls the function on plain arrays, doubles or floats; y_bar NULL: forward. */
sigad_status case_call(const signature_case *c, int scalar, const int64_t *lengths, const void *x,
                       const void *y_bar, void *out, int n_jobs);

/* The largest |a - b| / max(1, largest |b|), infinite if a has a NaN. */
double case_distance(int64_t n, const double *a, const double *b);

double case_normal(uint64_t seed, int64_t i);
#endif

/* The signature operations as the textbook has them: the specification that the kernels are tested
 * against. Doubles, no care for speed, memory from malloc (NULL if short); compiled into the tests,
 * not into the library. Other algorithms throughout: the augmented path is stored, exponentials of
 * increments are written out and multiplied from the left to the right, log and exp are power
 * series, brackets are dense matrices. */
#ifndef SG_SIGNATURE_REF_H
#define SG_SIGNATURE_REF_H
#include "sigad/signature.h"

/* Result of one item, to be released with free; *entries is its length. The spec is good: dimension
 * and degree set, end_time not 0. */
double *sg_sig_ref(const sigad_sig_spec *spec, int64_t length, const double *path,
                   int64_t *entries);
double *sg_log_sig_ref(const sigad_sig_spec *spec, int64_t length, const double *path,
                       int64_t *entries);
double *sg_sig_to_log_sig_ref(const sigad_sig_spec *spec, const double *sig, int64_t *entries);
double *sg_logsig_to_sig_ref(const sigad_sig_spec *spec, const double *log_sig, int64_t *entries);

/* ---- tensors: levels 0 .. degree one after another ------------------------------------------ */

typedef struct {
    int64_t letters;
    int degree;
} sg_ref_shape;

sg_ref_shape sg_ref_shape_of(const sigad_sig_spec *spec);
int64_t sg_ref_entries(sg_ref_shape shape);            /* of all levels */
int64_t sg_ref_level(sg_ref_shape shape, int k);       /* where level k starts */
double *sg_ref_new(sg_ref_shape shape, double scalar); /* a scalar */
/* out = a b, truncated; out is neither. */
void sg_ref_multiply(sg_ref_shape shape, const double *a, const double *b, double *out);
/* sum over k of c(k) x^k, k = 1 .. degree */
double *sg_ref_power_series(sg_ref_shape shape, const double *x, double (*c)(int k));
double sg_ref_log_coefficient(int k);
double sg_ref_exp_coefficient(int k);

/* ---- Lyndon words and brackets -------------------------------------------------------------- */

typedef struct {
    int64_t count;
    int64_t *place;    /* [count] of each word in a tensor, by length, then lexicographic */
    double *expansion; /* [count, entries of a tensor] */
} sg_ref_basis;

int sg_ref_basis_create(sg_ref_shape shape, sg_ref_basis *basis); /* 0: memory is short */
void sg_ref_basis_destroy(sg_ref_basis *basis);
/* Solves for the coordinates c whose expansion has these coefficients at the Lyndon words, in
 * place, by Gaussian elimination. */
int sg_ref_coordinates(sg_ref_shape shape, const sg_ref_basis *basis, double *coefficient);

#endif

/* Operations of the tests' own, through the public table, so that the tests of the engine stand
 * apart from the operations of the library. */
#ifndef TEST_OPS_H
#define TEST_OPS_H
#include <sigad/op.h>

sigad_tensor test_times(sigad_tape *tape, sigad_tensor a, sigad_tensor b); /* equal shapes */
sigad_tensor test_sum(sigad_tape *tape, sigad_tensor x);                   /* all entries; linear */
/* Any number of arrays, one behind the other, as [elements]; none: no elements of float64. */
sigad_tensor test_join(sigad_tape *tape, int n, const sigad_tensor *x);
/* x^3; fwd keeps x^2 for the others, and every function computes in its workspace. */
sigad_tensor test_cube(sigad_tape *tape, sigad_tensor x);
sigad_tensor test_bare(sigad_tape *tape, sigad_tensor x); /* x, without vjp, jvp, soc */
sigad_tensor test_sign(sigad_tape *tape, sigad_tensor x); /* int64, with a vjp that fails */
sigad_tensor test_alias(sigad_tape *tape, sigad_tensor x, int rank, const int64_t *shape);
sigad_tensor test_stop(sigad_tape *tape, sigad_tensor x); /* x; no derivative passes */

/* x, by functions that may fail. */
typedef struct {
    int function;        /* SIGAD_FWD ..; -1: infer; -2: none */
    sigad_status status; /* what it returns */
    const char *message; /* given to sigad_op_fail with SIGAD_ERANGE; NULL: it says nothing */
} test_fault;
sigad_tensor test_faulty(sigad_tape *tape, sigad_tensor x, const test_fault *fault);

/* No inputs; infer leaves exactly this. fwd clears float64 of the elements it is told. */
typedef struct {
    sigad_array y;
    size_t saved_bytes, workspace_bytes[4];
} test_claim;
sigad_tensor test_claims(sigad_tape *tape, const test_claim *claim);
extern const sigad_op test_claims_op;
#endif

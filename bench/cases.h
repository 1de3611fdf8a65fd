/* Signature operations on plain arrays as cases to be timed: shapes, arrays drawn at random, the
 * call, what it needs. Public headers only. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H
#include <sigad/signature.h>

enum { BENCH_SIG, BENCH_LOG_SIG, BENCH_SIG_TO_LOG_SIG, BENCH_LOGSIG_TO_SIG, BENCH_OPERATIONS };
extern const char *const bench_operation_name[BENCH_OPERATIONS];

typedef struct {
    int operation, backward, f32, threads;
    int mixed;             /* lengths of paths are uniform in 1 .. length instead of all `length` */
    int64_t batch, length; /* transforms take what a path of this length has */
    sigad_sig_spec spec;
} bench_case;

typedef struct {
    bench_case what;
    sigad_plan *plan;
    int64_t *lengths;
    int64_t x_entries, y_entries; /* of one item */
    void *x, *y;                  /* [batch, entries]: argument and result, */
    void *y_bar, *x_bar;          /* and in a backward case their cotangents */
} bench_problem;

/* The same numbers on every run. 0, or else nothing is to be closed. */
int bench_open(bench_problem *problem, const bench_case *what, const sigad_allocator *allocator);
int bench_call(void *problem); /* a bench_problem; 0 if the call succeeded */
void bench_close(bench_problem *problem);

/* Bytes of memory that a call takes on one thread besides its arguments; negative if it fails. */
int64_t bench_workspace(const bench_case *what);

/* Uniform in -1 .. 1: Steele, Lea and Flood's SplitMix64. */
double bench_uniform(uint64_t *state);

int bench_letters(const sigad_sig_spec *spec);
/* Floating-point operations for one item by Horner's rules, two for each multiply-add
 * (docs/kernels.md); 0 for the backward of transforms, of which we have no count. */
double bench_floor(const bench_case *what);

#endif

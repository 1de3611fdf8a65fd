/* Reading files of golden values: results of another implementation for the signature operations.
 *
 * The format: 'case OP dimension degree time_aug lead_lag scalar_term method end_time batch
 * length', then a line 'NAME count numbers..' for each of x g v y vjp jvp soc, then 'end'. Arrays
 * are row-major, batch first: y = f(x), vjp = J(x)^T g, jvp = J(x) v, soc = d/dt J(x + t v)^T g at
 * t = 0. */
#ifndef GOLDEN_FILE_H
#define GOLDEN_FILE_H
#include <sigad/signature.h>
#include <stdio.h>

enum { X, G, V, Y, VJP, JVP, SOC, ARRAYS };
enum { SIG, LOG_SIG, SIG_TO_LOG_SIG, LOGSIG_TO_SIG, OPERATIONS };
extern const char *const golden_operation[OPERATIONS];

typedef struct {
    int operation, batch, length;
    sigad_sig_spec spec;
    int64_t x_entries, y_entries; /* of one item */
    double *array[ARRAYS];
    int64_t count[ARRAYS];
} golden;

/* 1: there is a case, 0: the file has ended, -1: it is malformed (said on stderr). The case is to
 * be released in any case. */
int golden_read(FILE *file, golden *c);
void golden_release(golden *c);

/* Is `got`, of SIGAD_F32 or SIGAD_F64, an array of the case? Prints what differs. */
int golden_agrees(const golden *c, const char *where, int dtype, int which, const void *got);
/* An array of the case in a dtype; NULL if memory is short. */
void *golden_converted(const golden *c, int which, int dtype);

#endif

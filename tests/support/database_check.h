/* What tests over the operation database share: running over the rows, comparing, differentiating.
 * Comparisons tell their failures through Criterion, with the line that runs the row again. */
#ifndef DATABASE_CHECK_H
#define DATABASE_CHECK_H
#include "support/database.h"

/* `property` gets each row that has none of the flags `without`, as an open case. */
void db_for_all(int32_t dtype, unsigned without, void (*property)(db_case *c));

/* ---- comparing ------------------------------------------------------------------------------ */

double db_largest(const db_array *x);
/* Equal, both NaN, or not farther apart than the tolerance. */
bool db_same_number(double a, double b, double tolerance);
/* The same shape, and entries that differ by at most rtol times the largest one expected. */
void db_expect_close(const db_case *c, const char *what, const db_array *got,
                     const db_array *expected, double rtol);
void db_expect_same_bits(const db_case *c, const char *what, const db_array *got,
                         const db_array *expected);
bool db_expect_ok(const db_case *c, const char *what);
/* The context holds that error, which is cleared. */
void db_expect_error(const db_case *c, const char *what, sigad_status status);

/* ---- sweeps --------------------------------------------------------------------------------- */

/* Streams of entries: of cotangents, of directions (one more for each input), of others. */
enum { COTANGENT_STREAM = 100, DIRECTION_STREAM = 200, OTHER_STREAM = 300 };

/* A constant of a tensor's shape and dtype, drawn from a stream; `entries` may be NULL. */
sigad_tensor db_drawn_like(const db_case *c, sigad_tensor x, uint64_t stream, double *entries);
int64_t db_elements_of(const db_case *c, sigad_tensor x);
/* The gradient that the sweeps left with an input. */
db_array db_gradient(const db_case *c, int input);
/* The only inputs of some rows are integers or have no derivative. */
bool db_any_differentiable(const db_case *c);
/* A direction for every differentiable input, as tensors and as entries, which are the caller's to
 * free (NULL for other inputs); returns how many. */
int db_directions(const db_case *c, uint64_t stream, sigad_tensor *x, sigad_tensor *tangent,
                  double **entries);

/* sum of <weight_k, x_k>: an operation that makes one loss of any float64 tensors. Its attributes
 * are db_weights. */
typedef struct {
    const double *weight[DB_INPUTS + 1];
} db_weights;
extern const sigad_op db_contract;
#endif

/* The operation database: one row per operation and kind of shape drives every test that all
 * operations share. Rows stand in tests/database/NAME.c, one file per family; each ends in
 * DB_ROWS(family, rows). The drivers are tests/test_database.c and
 * tests/test_derivatives.c.
 *
 * A row in full:
 *
 *     static sigad_tensor apply_mul(sigad_tape *tape, const sigad_tensor *x)
 *     {
 *         return sigad_mul(tape, x[0], x[1]);
 *     }
 *
 *     static void mul(const db_array *x, db_array *y)
 *     {
 *         if (!db_broadcast(y, 2, x)) return;
 *         for (int64_t i = 0; i < y->elements; i++)
 *             y->data[i] = *db_at(&x[0], y, i) * *db_at(&x[1], y, i);
 *     }
 *
 *     {"mul: a row vector", 2, {{DB_F(3, 4)}, {DB_F(4)}}, apply_mul, mul, DB_POLYNOMIAL},
 */
#ifndef DATABASE_H
#define DATABASE_H
#include <sigad/sigad.h>
#include <stdbool.h>

enum { DB_INPUTS = 6 };

typedef struct {
    int32_t dtype; /* 0: the floating dtype under test; SIGAD_I64: integers low .. high, both
                      possible */
    int32_t rank;
    int64_t shape[SIGAD_MAX_RANK];
    double low, high; /* entries are uniform in between; both 0 means -1 .. 1 */
} db_input;
#define DB_RANK(...) (int32_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
/* Floating of a shape, integers 0 .. most of a shape: {DB_F(2, 3), .low = 1, .high = 2}. */
#define DB_F(...)       .rank = DB_RANK(__VA_ARGS__), .shape = {__VA_ARGS__}
#define DB_I(most, ...) .dtype = SIGAD_I64, DB_F(__VA_ARGS__), .high = (most)
#define DB_SCALAR       .rank = 0

/* Dense arrays in double; integers, too. */
typedef struct {
    int rank;
    int64_t shape[SIGAD_MAX_RANK], elements;
    double *data;
} db_array;

/* Flags of a row. */
enum {
    /* No vjp: argmax and such. */
    DB_NOT_DIFFERENTIABLE = 1,
    /* Not differentiable everywhere: no two floating entries, nor an entry and 0, are closer than
       0.05; they are odd multiples of 0.1, up to 0.04 aside, whatever low and high say. */
    DB_KINKS = 2,
    /* Of a degree up to two: differences take a large step, since they are exact but for
       rounding. */
    DB_POLYNOMIAL = 4,
    /* Draws at random (dropout): has no reference; reference is NULL. */
    DB_UNSTABLE = 8,
    /* Has no soc: second derivatives are not asked for. */
    DB_ONCE = 16
};

typedef struct {
    const char *name; /* "matmul: batches broadcast" */
    int n;
    db_input x[DB_INPUTS];
    sigad_tensor (*apply)(sigad_tape *tape, const sigad_tensor *x);
    /* The naive result in double: sets y->rank and shape (db_like and the like do), and y->data if
       not NULL. Called twice: with y->data NULL to learn the shape, then with room for the entries
       and y->elements set. */
    void (*reference)(const db_array *x, db_array *y);
    unsigned flags;
    double rtol; /* of float64 against the reference, relative to its largest entry; 0 means 1e-12.
                    float32 uses 2e-5 or rtol32 */
    double rtol32;
} db_row;

typedef struct db_family {
    const char *name;
    const db_row *rows;
    int count;
    const struct db_family *next;
} db_family;

void db_register(db_family *family);
extern const db_family *db_families;
/* Where cases are opened; SIGAD_CPU at first. */
extern int32_t db_device;

/* Rows leave out their last fields where those are 0. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Makes a file's rows known to the driver. */
#define DB_ROWS(family_name, array)                                                             \
    __attribute__((constructor)) static void db_register_##family_name(void)                    \
    {                                                                                           \
        static db_family family = {#family_name, array, (int)(sizeof(array) / sizeof *(array)), \
                                   NULL};                                                       \
        db_register(&family);                                                                   \
    }

/* ---- for references
 * ------------------------------------------------------------------------------------------------------------------
 */

/* Sets y's shape; true if y has room for entries, that is, if they are wanted. */
bool db_shape(db_array *y, int rank, const int64_t *shape);
bool db_like(db_array *y, const db_array *x);
bool db_broadcast(db_array *y, int n, const db_array *x); /* to which x[0] .. x[n-1] broadcast */
bool db_reduced(db_array *y, const db_array *x, int axis,
                bool keep); /* x without an axis 0 .., or SIGAD_ALL */
/* The entry of x that broadcasts to entry i of y. */
double *db_at(const db_array *x, const db_array *y, int64_t i);
/* Position i of an array as an index per axis, and back. */
void db_unravel(const db_array *x, int64_t i, int64_t *index);
int64_t db_ravel(const db_array *x, const int64_t *index);

/* ---- for the driver
 * ------------------------------------------------------------------------------------------------------------------
 */

/* One row with one dtype: arrays drawn from a seed, and what it computes from them on a tape of its
 * own. */
typedef struct {
    const db_family *family;
    const db_row *row;
    int32_t dtype;
    uint64_t seed;
    sigad_context *context;
    sigad_tape *tape;
    db_array x[DB_INPUTS];
    void *bytes[DB_INPUTS]; /* the same entries in the dtype of each input; the tape's inputs borrow
                               them */
    sigad_tensor input[DB_INPUTS], y;
} db_case;

/* Draws, applies the row, and on failure says so through Criterion; the inputs are watched if the
 * row is differentiable. False on failure. */
bool db_open(db_case *c, const db_family *family, const db_row *row, int32_t dtype, int threads);
void db_close(db_case *c);
/* "elementwise/add: equal shapes, float32 (again: SIGAD_TEST_ROW='elementwise/add: equal shapes'
 * SIGAD_TEST_SEED=1)": those variables make a test program run rows of that beginning alone. */
const char *db_name(const db_case *c);
bool db_differentiable(const db_case *c, int input);

/* Entry i of a tensor of any dtype; arrays of entries are released with free. */
double db_entry(int32_t dtype, const void *bytes, int64_t i);
void db_store(int32_t dtype, void *bytes, int64_t i, double value);
size_t db_bytes(int32_t dtype, int64_t elements);
db_array db_read(sigad_tape *tape, sigad_tensor x);
/* Entry i, uniform in -1 .. 1 and a float exactly, of the stream of a key. */
double db_uniform(uint64_t key, int64_t i);
uint64_t db_key(const db_case *c, uint64_t stream);
/* Writes x + step * direction into the bytes of an input. */
void db_move(db_case *c, int input, double step, const double *direction);

/* The derivative of sample(step) at 0, entry by entry, by central differences extrapolated twice
 * (Romberg 1955), with a bound of its error: what the last extrapolation changed, and `rounding`,
 * the error of a sample, divided by the smallest step. sample writes n entries to `value`. */
typedef bool (*db_sample)(void *user, double step, double *value);
bool db_differentiate(int64_t n, double first_step, double rounding, db_sample sample, void *user,
                      double *derivative, double *bound);
#endif

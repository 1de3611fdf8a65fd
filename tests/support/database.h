/* The operation database: one row per operation and kind of shape drives every test that all
 * operations share. Rows stand in tests/database/NAME.c, one file per family; each ends in
 * DB_ROWS(family, rows). The driver is tests/test_database.c. */
#ifndef DATABASE_H
#define DATABASE_H
#include <sigad/sigad.h>

enum { DB_INPUTS = 6 };

typedef struct {
    int32_t dtype; /* 0: the floating dtype under test; SIGAD_I64: integers low .. high */
    int32_t rank;
    int64_t shape[SIGAD_MAX_RANK];
    double low, high; /* entries are uniform in between; both 0 means -1 .. 1 */
} db_input;

/* Dense arrays in double; integers, too. */
typedef struct {
    int rank;
    int64_t shape[SIGAD_MAX_RANK], elements;
    double *data;
} db_array;

enum {
    DB_NOT_DIFFERENTIABLE = 1, /* no vjp: argmax and such */
    DB_KINKS = 2, /* not differentiable everywhere: inputs are drawn so that no two entries, nor an
                     entry and 0, are closer than 0.05 */
    DB_POLYNOMIAL = 4, /* central differences are exact to rounding up to the second degree */
    DB_UNSTABLE = 8
}; /* fwd draws at random (dropout): compare with the reference only after fixing the draw */

typedef struct {
    const char *name; /* "matmul: batches broadcast" */
    int n;
    db_input x[DB_INPUTS];
    sigad_tensor (*apply)(sigad_tape *tape, const sigad_tensor *x);
    /* The naive result in double: sets y->rank and shape, and y->data if not NULL (called twice:
     * first with data NULL to learn the shape). */
    void (*reference)(const db_array *x, db_array *y);
    unsigned flags;
    double rtol; /* of float64 against the reference; 0 means 1e-12. float32 uses 2e-5 or rtol32 */
    double rtol32;
} db_row;

typedef struct {
    const char *family;
    const db_row *rows;
    int count;
} db_family;
#define DB_ROWS(family_name, array)                                                                \
    const db_family db_##family_name = {#family_name, array, (int)(sizeof(array) / sizeof *(array))}
#endif

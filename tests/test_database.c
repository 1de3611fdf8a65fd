/* What holds for every operation, for all rows of the operation database. */
#include "support/database.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- running over the rows ------------------------------------------------------------------ */

static bool wanted(const db_family *family, const db_row *row)
{
    char name[256];
    const char *only = getenv("SIGAD_TEST_ROW");
    snprintf(name, sizeof name, "%s/%s", family->name, row->name);
    return !only || !strncmp(only, name, strlen(only));
}

/* `property` gets each row that has none of `without`, as an open case; all of its failures are told. */
static void for_all(int32_t dtype, unsigned without, void (*property)(db_case *c))
{
    for (const db_family *family = db_families; family; family = family->next)
        for (int i = 0; i < family->count; i++) {
            const db_row *row = &family->rows[i];
            db_case c;
            if (row->flags & without || !wanted(family, row)) continue;
            if (db_open(&c, family, row, dtype, 1)) property(&c);
            db_close(&c);
        }
}

/* ---- comparing ------------------------------------------------------------------------------ */

static double largest(const db_array *x)
{
    double most = 0;
    for (int64_t i = 0; i < x->elements; i++)
        if (fabs(x->data[i]) > most) most = fabs(x->data[i]);
    return most;
}

static bool same_number(double a, double b, double tolerance)
{
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance;
}

static void expect_close(const db_case *c, const char *what, const db_array *got,
                         const db_array *expected, double rtol)
{
    double tolerance = rtol * largest(expected);
    bool same = got->rank == expected->rank && got->elements == expected->elements;
    for (int i = 0; same && i < got->rank; i++) same = got->shape[i] == expected->shape[i];
    cr_expect(same, "%s: %s has another shape than expected", db_name(c), what);
    for (int64_t i = 0; same && i < got->elements; i++) {
        same = same_number(got->data[i], expected->data[i], tolerance);
        cr_expect(same, "%s: %s[%lld] is %.17g, expected %.17g +- %.2g", db_name(c), what,
                  (long long)i, got->data[i], expected->data[i], tolerance);
    }
}

static void expect_same_bits(const db_case *c, const char *what, const db_array *got,
                             const db_array *expected)
{
    bool same = got->elements == expected->elements &&
                (got->elements == 0 ||
                 !memcmp(got->data, expected->data, (size_t)got->elements * sizeof(double)));
    cr_expect(same, "%s: %s changed its bits", db_name(c), what);
}

static bool expect_ok(const db_case *c, const char *what)
{
    cr_expect_eq(sigad_context_status(c->context), SIGAD_OK, "%s: %s: %s", db_name(c), what,
                 sigad_context_message(c->context));
    return !sigad_context_status(c->context);
}

static void expect_error(const db_case *c, const char *what, sigad_status status)
{
    sigad_status got = sigad_context_status(c->context);
    cr_expect_eq(got, status, "%s: %s: status '%s', expected '%s': %s", db_name(c), what,
                 sigad_status_string(got), sigad_status_string(status),
                 sigad_context_message(c->context));
    sigad_context_clear(c->context);
}

/* ---- sweeps --------------------------------------------------------------------------------- */

enum { COTANGENT_STREAM = 100, DIRECTION_STREAM = 200, OTHER_STREAM = 300 };

/* Entries of a tensor's shape and dtype, drawn from a stream. */
static sigad_tensor drawn_like(const db_case *c, sigad_tensor x, uint64_t stream, double *entries)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    if (sigad_describe(c->tape, x, &info)) return (sigad_tensor){0, 0};
    double *bytes = malloc((size_t)info.elements * sizeof *bytes + 1);
    for (int64_t i = 0; i < info.elements; i++) {
        double value = db_uniform(c, stream, i);
        db_store(info.dtype, bytes, i, value);
        if (entries) entries[i] = value;
    }
    sigad_tensor drawn =
        sigad_constant(c->tape, (sigad_dtype)info.dtype, info.rank, info.shape, bytes);
    free(bytes);
    return drawn;
}

static int64_t elements_of(const db_case *c, sigad_tensor x)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    return sigad_describe(c->tape, x, &info) ? 0 : info.elements;
}

static db_array gradient(const db_case *c, int input)
{
    return db_read(c->tape, sigad_gradient(c->tape, c->input[input]));
}

/* The only inputs of some rows are integers or have no derivative. */
static bool any_differentiable(const db_case *c)
{
    for (int k = 0; k < c->row->n; k++)
        if (db_differentiable(c, k)) return true;
    return false;
}

/* ---- value ---------------------------------------------------------------------------------- */

static void value_is_the_reference(db_case *c)
{
    double rtol = c->row->rtol ? c->row->rtol : 1e-12;
    db_array expected = {0}, got = db_read(c->tape, c->y);
    c->row->reference(c->x, &expected);
    expected.data = malloc((size_t)expected.elements * sizeof(double) + 1);
    c->row->reference(c->x, &expected);
    expect_close(c, "value", &got, &expected, rtol);
    free(expected.data);
    free(got.data);
}

Test(database, value_is_the_reference)
{
    for_all(SIGAD_F64, DB_UNSTABLE, value_is_the_reference);
}

/* Inputs are floats, so both computations start from the same numbers. */
static void float32_is_near_float64(db_case *wide)
{
    double rtol = wide->row->rtol32 ? wide->row->rtol32 : 2e-5;
    db_case narrow;
    if (!db_open(&narrow, wide->family, wide->row, SIGAD_F32, 1)) {
        db_close(&narrow);
        return;
    }
    db_array expected = db_read(wide->tape, wide->y), got = db_read(narrow.tape, narrow.y);
    expect_close(&narrow, "value", &got, &expected, rtol);
    free(expected.data);
    free(got.data);
    if (any_differentiable(wide)) {
        sigad_backward_with(wide->tape, wide->y, drawn_like(wide, wide->y, COTANGENT_STREAM, NULL));
        sigad_backward_with(narrow.tape, narrow.y,
                            drawn_like(&narrow, narrow.y, COTANGENT_STREAM, NULL));
        expect_ok(wide, "backward");
        expect_ok(&narrow, "backward");
    }
    for (int k = 0; k < wide->row->n; k++) {
        if (!db_differentiable(wide, k)) continue;
        expected = gradient(wide, k);
        got = gradient(&narrow, k);
        expect_close(&narrow, "gradient", &got, &expected, rtol);
        free(expected.data);
        free(got.data);
    }
    db_close(&narrow);
}

Test(database, float32_is_near_float64)
{
    for_all(SIGAD_F64, 0, float32_is_near_float64);
}

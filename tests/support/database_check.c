#include "support/database_check.h"
#include <criterion/criterion.h>
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

/* `property` gets each row that has none of `without`, as an open case; all of its failures are
 * told. */
void db_for_all(int32_t dtype, unsigned without, void (*property)(db_case *c))
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

double db_largest(const db_array *x)
{
    double most = 0;
    for (int64_t i = 0; i < x->elements; i++)
        if (fabs(x->data[i]) > most) most = fabs(x->data[i]);
    return most;
}

bool db_same_number(double a, double b, double tolerance)
{
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance;
}

void db_expect_close(const db_case *c, const char *what, const db_array *got,
                     const db_array *expected, double rtol)
{
    double tolerance = rtol * db_largest(expected);
    bool same = got->rank == expected->rank && got->elements == expected->elements;
    for (int i = 0; same && i < got->rank; i++) same = got->shape[i] == expected->shape[i];
    cr_expect(same, "%s: %s has another shape than expected", db_name(c), what);
    for (int64_t i = 0; same && i < got->elements; i++) {
        same = db_same_number(got->data[i], expected->data[i], tolerance);
        cr_expect(same, "%s: %s[%lld] is %.17g, expected %.17g +- %.2g", db_name(c), what,
                  (long long)i, got->data[i], expected->data[i], tolerance);
    }
}

void db_expect_same_bits(const db_case *c, const char *what, const db_array *got,
                         const db_array *expected)
{
    bool same = got->elements == expected->elements &&
                (got->elements == 0 ||
                 !memcmp(got->data, expected->data, (size_t)got->elements * sizeof(double)));
    cr_expect(same, "%s: %s changed its bits", db_name(c), what);
}

bool db_expect_ok(const db_case *c, const char *what)
{
    cr_expect_eq(sigad_context_status(c->context), SIGAD_OK, "%s: %s: %s", db_name(c), what,
                 sigad_context_message(c->context));
    return !sigad_context_status(c->context);
}

void db_expect_error(const db_case *c, const char *what, sigad_status status)
{
    sigad_status got = sigad_context_status(c->context);
    cr_expect_eq(got, status, "%s: %s: status '%s', expected '%s': %s", db_name(c), what,
                 sigad_status_string(got), sigad_status_string(status),
                 sigad_context_message(c->context));
    sigad_context_clear(c->context);
}

/* ---- sweeps --------------------------------------------------------------------------------- */

/* Entries of a tensor's shape and dtype, drawn from a stream. */
sigad_tensor db_drawn_like(const db_case *c, sigad_tensor x, uint64_t stream, double *entries)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    if (sigad_describe(c->tape, x, &info)) return (sigad_tensor){0, 0};
    double *bytes = malloc((size_t)info.elements * sizeof *bytes + 1);
    uint64_t key = db_key(c, stream);
    for (int64_t i = 0; i < info.elements; i++) {
        double value = db_uniform(key, i);
        db_store(info.dtype, bytes, i, value);
        if (entries) entries[i] = value;
    }
    sigad_tensor drawn =
        sigad_constant(c->tape, (sigad_dtype)info.dtype, info.rank, info.shape, bytes);
    free(bytes);
    return drawn;
}

int64_t db_elements_of(const db_case *c, sigad_tensor x)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    return sigad_describe(c->tape, x, &info) ? 0 : info.elements;
}

db_array db_gradient(const db_case *c, int input)
{
    return db_read(c->tape, sigad_gradient(c->tape, c->input[input]));
}

/* The only inputs of some rows are integers or have no derivative. */
bool db_any_differentiable(const db_case *c)
{
    for (int k = 0; k < c->row->n; k++)
        if (db_differentiable(c, k)) return true;
    return false;
}

/* A direction for every differentiable input, as tensors and as entries; returns how many. */
int db_directions(const db_case *c, uint64_t stream, sigad_tensor *x, sigad_tensor *tangent,
                  double **entries)
{
    int n = 0;
    for (int k = 0; k < c->row->n; k++) {
        entries[k] = NULL;
        if (!db_differentiable(c, k)) continue;
        entries[k] = malloc((size_t)c->x[k].elements * sizeof(double) + 1);
        x[n] = c->input[k];
        tangent[n++] = db_drawn_like(c, c->input[k], stream + (uint64_t)k, entries[k]);
    }
    return n;
}

static sigad_status contract_infer(sigad_op_call *call)
{
    call->y->dtype = SIGAD_F64;
    call->y->rank = 0;
    return SIGAD_OK;
}

static sigad_status contract_fwd(sigad_op_call *call)
{
    const db_weights *w = call->attributes;
    double sum = 0;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; i < call->x[k].elements; i++)
            sum += w->weight[k][i] * ((const double *)call->x[k].data)[i];
    *(double *)call->y->data = sum;
    return SIGAD_OK;
}

static sigad_status contract_vjp(sigad_op_call *call)
{
    const db_weights *w = call->attributes;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; call->x_cotangent[k].data && i < call->x[k].elements; i++)
            ((double *)call->x_cotangent[k].data)[i] +=
                w->weight[k][i] * *(const double *)call->y_cotangent->data;
    return SIGAD_OK;
}

static sigad_status contract_jvp(sigad_op_call *call)
{
    const db_weights *w = call->attributes;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; call->x_tangent[k].data && i < call->x[k].elements; i++)
            *(double *)call->y_tangent->data +=
                w->weight[k][i] * ((const double *)call->x_tangent[k].data)[i];
    return SIGAD_OK;
}

const sigad_op db_contract = {
    SIGAD_OP_INIT,       .name = "contract",  .flags = SIGAD_OP_LINEAR, .infer = contract_infer,
    .fwd = contract_fwd, .vjp = contract_vjp, .jvp = contract_jvp};

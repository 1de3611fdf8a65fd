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

/* `property` gets each row that has none of `without`, as an open case; all of its failures are
 * told. */
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

/* ---- derivatives against differences -------------------------------------------------------- */

/* Entries in which a gradient is compared, spread over the input. */
enum { SPOTS = 48, SPOTS_OF_MANY = 4, MANY = 4096 };

static double first_step(const db_case *c)
{
    bool exact = c->row->flags & DB_POLYNOMIAL && !(c->row->flags & DB_KINKS);
    return exact ? 0.5 : 0x1p-6;
}

/* How far rounding may take a value: some units in the last place of the largest number around. */
static double rounding(const db_case *c, const db_array *around)
{
    double size = largest(around);
    for (int k = 0; k < c->row->n; k++) size = fmax(size, largest(&c->x[k]));
    return size * fmax(64 * DBL_EPSILON, c->row->rtol);
}

/* Moving all inputs along a direction each (NULL: not moved), and reading something. */
typedef struct {
    db_case *c;
    const double *direction[DB_INPUTS];
    sigad_tensor cotangent;
    int read; /* the input whose gradient is read; -1: y */
} motion;

static bool sample(void *user, double step, double *value)
{
    const motion *m = user;
    const db_case *c = m->c;
    for (int k = 0; k < c->row->n; k++)
        if (m->direction[k]) db_move(m->c, k, step, m->direction[k]);
    sigad_replay(c->tape);
    if (m->read >= 0) sigad_backward_with(c->tape, c->y, m->cotangent);
    db_array got = m->read < 0 ? db_read(c->tape, c->y) : gradient(c, m->read);
    for (int64_t i = 0; i < got.elements; i++) value[i] = got.data[i];
    free(got.data);
    for (int k = 0; k < c->row->n; k++)
        if (m->direction[k]) db_move(m->c, k, 0, NULL);
    return expect_ok(c, "replay");
}

/* <y_cotangent, y> is differentiated in each entry of an input alone. */
static void compare_gradient(db_case *c, int input, const double *cotangent, const db_array *y,
                             const db_array *grad)
{
    int64_t n = grad->elements, outputs = y->elements;
    int64_t spots = n > MANY || outputs > MANY ? SPOTS_OF_MANY : SPOTS;
    double *work = calloc((size_t)(n + 2 * outputs) + 1, sizeof *work);
    double *derivative = work + n, *bound = derivative + outputs;
    motion m = {.c = c, .read = -1};
    m.direction[input] = work;
    for (int64_t s = 0; s < (spots < n ? spots : n); s++) {
        int64_t i = n <= spots ? s : (2 * s + 1) * n / (2 * spots);
        double expected = 0, tolerance = 0;
        work[i] = 1;
        bool good =
            db_differentiate(outputs, first_step(c), rounding(c, y), sample, &m, derivative, bound);
        work[i] = 0;
        if (!good) break;
        for (int64_t j = 0; j < outputs; j++) {
            expected += cotangent[j] * derivative[j];
            tolerance += fabs(cotangent[j]) * bound[j];
        }
        cr_expect(same_number(grad->data[i], expected, tolerance),
                  "%s: vjp of input %d[%lld] is %.17g, differences give %.17g +- %.2g", db_name(c),
                  input, (long long)i, grad->data[i], expected, tolerance);
    }
    free(work);
}

static void vjp_is_the_derivative(db_case *c)
{
    db_array y = db_read(c->tape, c->y);
    double *cotangent = malloc((size_t)y.elements * sizeof *cotangent + 1);
    if (any_differentiable(c))
        sigad_backward_with(c->tape, c->y, drawn_like(c, c->y, COTANGENT_STREAM, cotangent));
    for (int k = 0; k < c->row->n && expect_ok(c, "backward"); k++) {
        if (!db_differentiable(c, k)) continue;
        db_array grad = gradient(c, k);
        compare_gradient(c, k, cotangent, &y, &grad);
        free(grad.data);
        sigad_replay(c->tape);
        sigad_backward_with(c->tape, c->y, drawn_like(c, c->y, COTANGENT_STREAM, NULL));
    }
    free(cotangent);
    free(y.data);
}

Test(database, vjp_is_the_derivative)
{
    for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, vjp_is_the_derivative);
}

/* A direction for every differentiable input, as tensors and as entries; returns how many. */
static int directions(const db_case *c, uint64_t stream, sigad_tensor *x, sigad_tensor *tangent,
                      double **entries)
{
    int n = 0;
    for (int k = 0; k < c->row->n; k++) {
        entries[k] = NULL;
        if (!db_differentiable(c, k)) continue;
        entries[k] = malloc((size_t)c->x[k].elements * sizeof(double) + 1);
        x[n] = c->input[k];
        tangent[n++] = drawn_like(c, c->input[k], stream + (uint64_t)k, entries[k]);
    }
    return n;
}

static void expect_derivative(db_case *c, const char *what, const motion *m, const db_array *got,
                              const db_array *around)
{
    int64_t n = got->elements;
    double *derivative = malloc((size_t)(2 * n) * sizeof *derivative + 1), *bound = derivative + n;
    motion copy = *m;
    if (db_differentiate(n, first_step(c), rounding(c, around), sample, &copy, derivative, bound))
        for (int64_t i = 0; i < n; i++)
            cr_expect(same_number(got->data[i], derivative[i], bound[i]),
                      "%s: %s[%lld] is %.17g, differences give %.17g +- %.2g", db_name(c), what,
                      (long long)i, got->data[i], derivative[i], bound[i]);
    free(derivative);
}

static void jvp_is_the_derivative(db_case *c)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS];
    double *entries[DB_INPUTS];
    int n = directions(c, DIRECTION_STREAM, x, tangent, entries);
    motion m = {.c = c, .read = -1};
    if (n > 0) {
        db_array got = db_read(c->tape, sigad_jvp(c->tape, c->y, n, x, tangent));
        db_array y = db_read(c->tape, c->y);
        for (int k = 0; k < c->row->n; k++) m.direction[k] = entries[k];
        if (expect_ok(c, "jvp")) expect_derivative(c, "jvp", &m, &got, &y);
        free(got.data);
        free(y.data);
    }
    for (int k = 0; k < c->row->n; k++) free(entries[k]);
}

Test(database, jvp_is_the_derivative)
{
    for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, jvp_is_the_derivative);
}

/* sum of <weight_k, x_k>: a loss that any tensors make together. Its attributes point at weights.
 */
typedef struct {
    const double *weight[DB_INPUTS + 1];
} weights;

static sigad_status contract_infer(sigad_op_call *call)
{
    call->y->dtype = SIGAD_F64;
    call->y->rank = 0;
    return SIGAD_OK;
}

static sigad_status contract_fwd(sigad_op_call *call)
{
    const weights *w = call->attributes;
    double sum = 0;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; i < call->x[k].elements; i++)
            sum += w->weight[k][i] * ((const double *)call->x[k].data)[i];
    *(double *)call->y->data = sum;
    return SIGAD_OK;
}

static sigad_status contract_vjp(sigad_op_call *call)
{
    const weights *w = call->attributes;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; call->x_cotangent[k].data && i < call->x[k].elements; i++)
            ((double *)call->x_cotangent[k].data)[i] +=
                w->weight[k][i] * *(const double *)call->y_cotangent->data;
    return SIGAD_OK;
}

static sigad_status contract_jvp(sigad_op_call *call)
{
    const weights *w = call->attributes;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; call->x_tangent[k].data && i < call->x[k].elements; i++)
            *(double *)call->y_tangent->data +=
                w->weight[k][i] * ((const double *)call->x_tangent[k].data)[i];
    return SIGAD_OK;
}

static const sigad_op op_contract = {
    SIGAD_OP_INIT,       .name = "contract",  .flags = SIGAD_OP_LINEAR, .infer = contract_infer,
    .fwd = contract_fwd, .vjp = contract_vjp, .jvp = contract_jvp};

/* The Hessian of <y_cotangent, y> times a direction is the derivative of the gradient along it. */
static void soc_is_the_second_derivative(db_case *c)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS], product[DB_INPUTS];
    double *entries[DB_INPUTS];
    double *cotangent = malloc((size_t)elements_of(c, c->y) * sizeof *cotangent + 1);
    sigad_tensor drawn = drawn_like(c, c->y, COTANGENT_STREAM, cotangent);
    weights w = {{cotangent}};
    sigad_tensor loss = sigad_apply(c->tape, &op_contract, 1, &c->y, &w, sizeof w);
    int n = directions(c, DIRECTION_STREAM, x, tangent, entries);
    motion m = {.c = c, .cotangent = drawn};
    db_array got[DB_INPUTS] = {{0}};
    for (int k = 0; k < c->row->n; k++) m.direction[k] = entries[k];
    if (n > 0) sigad_hvp(c->tape, loss, n, x, tangent, product);
    for (int i = 0; i < n; i++) got[i] = db_read(c->tape, product[i]);
    for (int k = 0, i = 0; n > 0 && k < c->row->n && expect_ok(c, "hvp"); k++) {
        if (!db_differentiable(c, k)) continue;
        m.read = k;
        sigad_backward_with(c->tape, c->y, drawn);
        db_array grad = gradient(c, k);
        expect_derivative(c, "soc", &m, &got[i++], &grad);
        free(grad.data);
    }
    for (int k = 0; k < c->row->n; k++) {
        free(entries[k]);
        free(got[k].data);
    }
    free(cotangent);
}

Test(database, soc_is_the_second_derivative)
{
    for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE | DB_ONCE, soc_is_the_second_derivative);
}

/* Recorded gradients are those of the sweep, and their own gradients those of a Hessian-vector
 * product: <direction, grad> is differentiated. */
static void recorded_gradients_agree_with_sweeps(db_case *c)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS], grad[DB_INPUTS], product[DB_INPUTS];
    double *entries[DB_INPUTS];
    double *cotangent = malloc((size_t)elements_of(c, c->y) * sizeof *cotangent + 1);
    sigad_tensor drawn = drawn_like(c, c->y, COTANGENT_STREAM, cotangent);
    weights of_y = {{cotangent}}, of_grad;
    int n = directions(c, DIRECTION_STREAM, x, tangent, entries), used = 0;
    for (int k = 0; k < c->row->n; k++)
        if (entries[k]) of_grad.weight[used++] = entries[k];
    if (n > 0) {
        sigad_backward_with(c->tape, c->y, drawn);
        sigad_grads(c->tape, c->y, n, x, drawn, grad);
        for (int i = 0; i < n; i++) {
            db_array got = db_read(c->tape, grad[i]);
            db_array expected = db_read(c->tape, sigad_gradient(c->tape, x[i]));
            expect_close(c, "recorded gradient", &got, &expected, 64 * DBL_EPSILON);
            free(got.data);
            free(expected.data);
        }
    }
    if (n > 0 && !(c->row->flags & DB_ONCE)) {
        sigad_tensor loss = sigad_apply(c->tape, &op_contract, 1, &c->y, &of_y, sizeof of_y);
        sigad_tensor slope = sigad_apply(c->tape, &op_contract, n, grad, &of_grad, sizeof of_grad);
        sigad_hvp(c->tape, loss, n, x, tangent, product);
        sigad_grads(c->tape, slope, n, x, sigad_scalar(c->tape, SIGAD_F64, 1), grad);
        for (int i = 0; i < n; i++) {
            db_array got = db_read(c->tape, grad[i]), expected = db_read(c->tape, product[i]);
            expect_close(c, "gradient of a recorded gradient", &got, &expected, 1e-12);
            free(got.data);
            free(expected.data);
        }
    }
    expect_ok(c, "recorded gradients");
    for (int k = 0; k < c->row->n; k++) free(entries[k]);
    free(cotangent);
}

Test(database, recorded_gradients_agree_with_sweeps)
{
    for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, recorded_gradients_agree_with_sweeps);
}

/* ---- adding up ------------------------------------------------------------------------------ */

static void backward_twice_is_double(db_case *c)
{
    db_array once[DB_INPUTS] = {{0}}, twice;
    sigad_tensor drawn = drawn_like(c, c->y, COTANGENT_STREAM, NULL);
    if (!any_differentiable(c)) return;
    sigad_backward_with(c->tape, c->y, drawn);
    for (int k = 0; k < c->row->n; k++)
        if (db_differentiable(c, k)) once[k] = gradient(c, k);
    sigad_backward_with(c->tape, c->y, drawn);
    expect_ok(c, "second backward");
    for (int k = 0; k < c->row->n; k++) {
        if (!db_differentiable(c, k)) continue;
        twice = gradient(c, k);
        for (int64_t i = 0; i < once[k].elements; i++) once[k].data[i] *= 2;
        expect_same_bits(c, "the gradient of two backwards", &twice, &once[k]);
        free(twice.data);
        free(once[k].data);
    }
}

Test(database, backward_twice_is_double)
{
    for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, backward_twice_is_double);
}

/* Each input has a later use, too, whose cotangent is there when the row's vjp is called:
 * the loss is <y_cotangent, y> + sum of <other_k, x_k>. */
static void vjp_adds_to_what_is_there(db_case *c)
{
    double *weight[DB_INPUTS + 1];
    sigad_tensor x[DB_INPUTS + 1] = {c->y};
    weights w;
    int n = 1;
    weight[0] = malloc((size_t)elements_of(c, c->y) * sizeof(double) + 1);
    sigad_tensor drawn = drawn_like(c, c->y, COTANGENT_STREAM, weight[0]);
    for (int k = 0; k < c->row->n; k++) {
        if (!db_differentiable(c, k)) continue;
        weight[n] = malloc((size_t)c->x[k].elements * sizeof(double) + 1);
        drawn_like(c, c->input[k], OTHER_STREAM + (uint64_t)k, weight[n]);
        x[n++] = c->input[k];
    }
    for (int i = 0; i < n; i++) w.weight[i] = weight[i];
    if (n > 1) {
        sigad_tensor loss = sigad_apply(c->tape, &op_contract, n, x, &w, sizeof w);
        sigad_backward(c->tape, loss);
        expect_ok(c, "backward");
        db_array both[DB_INPUTS] = {{0}};
        for (int k = 0; k < c->row->n; k++)
            if (db_differentiable(c, k)) both[k] = gradient(c, k);
        sigad_replay(c->tape);
        sigad_backward_with(c->tape, c->y, drawn);
        for (int k = 0, i = 1; k < c->row->n; k++) {
            if (!db_differentiable(c, k)) continue;
            db_array alone = gradient(c, k);
            for (int64_t j = 0; j < alone.elements; j++) alone.data[j] += weight[i][j];
            expect_close(c, "a gradient added to another", &both[k], &alone, 64 * DBL_EPSILON);
            free(alone.data);
            free(both[k].data);
            i++;
        }
    }
    for (int i = 0; i < n; i++) free(weight[i]);
}

Test(database, vjp_adds_to_what_is_there)
{
    for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, vjp_adds_to_what_is_there);
}

static bool slots_agree(const db_row *row)
{
    for (int k = 1; k < row->n; k++)
        if (memcmp(&row->x[k], &row->x[0], sizeof row->x[0])) return false;
    return row->n > 1 && !row->x[0].dtype;
}

/* One tensor in all slots: the value of equal tensors, and the sum of their gradients. */
static void one_tensor_in_all_slots(db_case *c)
{
    sigad_tensor same[DB_INPUTS], equal[DB_INPUTS];
    int n = c->row->n;
    if (!slots_agree(c->row)) return;
    for (int k = 0; k < n; k++) {
        same[k] = c->input[0];
        equal[k] = sigad_watch(c->tape, sigad_input(c->tape, (sigad_dtype)c->dtype, c->x[0].rank,
                                                    c->x[0].shape, c->bytes[0]));
    }
    sigad_tensor y = c->row->apply(c->tape, same), separate = c->row->apply(c->tape, equal);
    db_array got = db_read(c->tape, y), expected = db_read(c->tape, separate);
    expect_same_bits(c, "the value of one tensor in all slots", &got, &expected);
    free(got.data);
    free(expected.data);
    if (!any_differentiable(c)) return;
    sigad_tensor drawn = drawn_like(c, y, COTANGENT_STREAM, NULL);
    sigad_backward_with(c->tape, y, drawn);
    sigad_backward_with(c->tape, separate, drawn);
    if (!expect_ok(c, "backward")) return;
    got = gradient(c, 0);
    expected = db_read(c->tape, sigad_gradient(c->tape, equal[0]));
    double size = largest(&expected);
    for (int k = 1; k < n; k++) {
        db_array more = db_read(c->tape, sigad_gradient(c->tape, equal[k]));
        for (int64_t i = 0; i < more.elements; i++) expected.data[i] += more.data[i];
        size += largest(&more);
        free(more.data);
    }
    for (int64_t i = 0; i < got.elements; i++)
        cr_expect(same_number(got.data[i], expected.data[i], 64 * DBL_EPSILON * size),
                  "%s: gradient[%lld] of one tensor in all slots is %.17g, expected %.17g",
                  db_name(c), (long long)i, got.data[i], expected.data[i]);
    free(got.data);
    free(expected.data);
}

Test(database, one_tensor_in_all_slots)
{
    for_all(SIGAD_F64, 0, one_tensor_in_all_slots);
}

/* ---- the same bits -------------------------------------------------------------------------- */

/* Value, gradients and tangent of a case, one after the other. */
static db_array all_results(db_case *c)
{
    db_array part[DB_INPUTS + 2], all = {0};
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS];
    double *entries[DB_INPUTS];
    int parts = 0;
    part[parts++] = db_read(c->tape, c->y);
    if (any_differentiable(c)) {
        int n = directions(c, DIRECTION_STREAM, x, tangent, entries);
        sigad_backward_with(c->tape, c->y, drawn_like(c, c->y, COTANGENT_STREAM, NULL));
        part[parts++] = db_read(c->tape, sigad_jvp(c->tape, c->y, n, x, tangent));
        for (int k = 0; k < c->row->n; k++) {
            if (db_differentiable(c, k)) part[parts++] = gradient(c, k);
            free(entries[k]);
        }
        expect_ok(c, "sweeps");
    }
    for (int i = 0; i < parts; i++) all.elements += part[i].elements;
    all.data = malloc((size_t)all.elements * sizeof *all.data + 1);
    int64_t used = 0;
    for (int i = 0; i < parts; i++) {
        for (int64_t j = 0; j < part[i].elements; j++) all.data[used++] = part[i].data[j];
        free(part[i].data);
    }
    return all;
}

static void threads_change_no_bit(db_case *c)
{
    static const int threads[] = {8, 2, 3};
    size_t counts = c->dtype == SIGAD_F64 ? 3 : 1;
    db_array expected = all_results(c);
    for (size_t t = 0; t < counts; t++) {
        db_case other;
        if (db_open(&other, c->family, c->row, c->dtype, threads[t])) {
            db_array got = all_results(&other);
            expect_same_bits(&other, "another number of threads", &got, &expected);
            free(got.data);
        }
        db_close(&other);
    }
    free(expected.data);
}

Test(database, threads_change_no_bit)
{
    for_all(SIGAD_F64, 0, threads_change_no_bit);
    for_all(SIGAD_F32, 0, threads_change_no_bit);
}

/* Replays with other entries, then with the first ones again, from another place. */
static void replay_repeats_the_bits(db_case *c)
{
    db_array before = all_results(c);
    void *copy[DB_INPUTS];
    for (int k = 0; k < c->row->n; k++) {
        size_t bytes = db_bytes(c->row->x[k].dtype ? SIGAD_I64 : c->dtype, c->x[k].elements);
        copy[k] = malloc(bytes + 1);
        memcpy(copy[k], c->bytes[k], bytes);
        if (!c->row->x[k].dtype) memset(c->bytes[k], 0, bytes);
    }
    if (!(c->row->flags & DB_KINKS)) sigad_replay(c->tape);
    for (int k = 0; k < c->row->n; k++) sigad_input_bind(c->tape, c->input[k], copy[k]);
    sigad_replay(c->tape);
    if (expect_ok(c, "replay")) {
        db_array after = all_results(c);
        expect_same_bits(c, "replay", &after, &before);
        free(after.data);
    }
    free(before.data);
    for (int k = 0; k < c->row->n; k++) free(copy[k]);
}

Test(database, replay_repeats_the_bits)
{
    for_all(SIGAD_F64, 0, replay_repeats_the_bits);
}

/* ---- misuse --------------------------------------------------------------------------------- */

static void expect_poison(const db_case *c, const char *what, sigad_tensor y)
{
    cr_expect_eq(y.generation, 0, "%s: %s: the result is not the zero tensor", db_name(c), what);
}

static void poison_goes_through(db_case *c)
{
    for (int k = 0; k < c->row->n; k++) {
        sigad_tensor x[DB_INPUTS];
        memcpy(x, c->input, sizeof x);
        x[k] = (sigad_tensor){0, 0};
        expect_poison(c, "poison in", c->row->apply(c->tape, x));
        expect_error(c, "poison in", SIGAD_EINVAL);
    }
    expect_poison(c, "NULL tape", c->row->apply(NULL, c->input));
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    sigad_describe(c->tape, (sigad_tensor){0, 0}, &info);
    sigad_status held = sigad_context_status(c->context);
    expect_poison(c, "while an error is held", c->row->apply(c->tape, c->input));
    expect_error(c, "while an error is held", held);
}

Test(database, poison_goes_through)
{
    for_all(SIGAD_F64, 0, poison_goes_through);
}

/* Among several operands, one of a dtype that does not fit. */
static void mixed_dtypes_are_refused(db_case *c)
{
    int floating = 0;
    for (int k = 0; k < c->row->n; k++) floating += c->row->x[k].dtype == 0;
    for (int k = 0; k < c->row->n && c->row->n > 1; k++) {
        bool integer = c->row->x[k].dtype == SIGAD_I64;
        sigad_tensor x[DB_INPUTS];
        if (!integer && floating < 2) continue;
        memcpy(x, c->input, sizeof x);
        x[k] = sigad_constant(c->tape, integer ? SIGAD_F64 : SIGAD_F32, c->x[k].rank, c->x[k].shape,
                              c->bytes[k]);
        expect_poison(c, "mixed dtypes", c->row->apply(c->tape, x));
        expect_error(c, "mixed dtypes", SIGAD_EDTYPE);
    }
}

Test(database, mixed_dtypes_are_refused)
{
    for_all(SIGAD_F64, 0, mixed_dtypes_are_refused);
}

static void foreign_and_stale_handles_are_refused(db_case *c)
{
    sigad_tape *other = NULL;
    sigad_tape_create(c->context, &other);
    if (c->row->n > 0) {
        expect_poison(c, "another tape", c->row->apply(other, c->input));
        expect_error(c, "another tape", SIGAD_ESTALE);
        sigad_tape_reset(c->tape);
        expect_poison(c, "after a reset", c->row->apply(c->tape, c->input));
        expect_error(c, "after a reset", SIGAD_ESTALE);
    }
}

Test(database, foreign_and_stale_handles_are_refused)
{
    for_all(SIGAD_F64, 0, foreign_and_stale_handles_are_refused);
}

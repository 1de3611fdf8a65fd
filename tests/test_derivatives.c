/* Derivatives of every operation: against differences, and against each other, for all rows of the
 * operation database. */
#include "support/database_check.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    double size = db_largest(around);
    for (int k = 0; k < c->row->n; k++) size = fmax(size, db_largest(&c->x[k]));
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
    db_array got = m->read < 0 ? db_read(c->tape, c->y) : db_gradient(c, m->read);
    for (int64_t i = 0; i < got.elements; i++) value[i] = got.data[i];
    free(got.data);
    for (int k = 0; k < c->row->n; k++)
        if (m->direction[k]) db_move(m->c, k, 0, NULL);
    return db_expect_ok(c, "replay");
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
        cr_expect(db_same_number(grad->data[i], expected, tolerance),
                  "%s: vjp of input %d[%lld] is %.17g, differences give %.17g +- %.2g", db_name(c),
                  input, (long long)i, grad->data[i], expected, tolerance);
    }
    free(work);
}

static void vjp_is_the_derivative(db_case *c)
{
    db_array y = db_read(c->tape, c->y);
    double *cotangent = malloc((size_t)y.elements * sizeof *cotangent + 1);
    if (db_any_differentiable(c))
        sigad_backward_with(c->tape, c->y, db_drawn_like(c, c->y, COTANGENT_STREAM, cotangent));
    for (int k = 0; k < c->row->n && db_expect_ok(c, "backward"); k++) {
        if (!db_differentiable(c, k)) continue;
        db_array grad = db_gradient(c, k);
        compare_gradient(c, k, cotangent, &y, &grad);
        free(grad.data);
        sigad_replay(c->tape);
        sigad_backward_with(c->tape, c->y, db_drawn_like(c, c->y, COTANGENT_STREAM, NULL));
    }
    free(cotangent);
    free(y.data);
}

Test(derivatives, vjp_is_the_derivative)
{
    db_for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, vjp_is_the_derivative);
}

static void expect_derivative(db_case *c, const char *what, const motion *m, const db_array *got,
                              const db_array *around)
{
    int64_t n = got->elements;
    double *derivative = malloc((size_t)(2 * n) * sizeof *derivative + 1), *bound = derivative + n;
    motion copy = *m;
    if (db_differentiate(n, first_step(c), rounding(c, around), sample, &copy, derivative, bound))
        for (int64_t i = 0; i < n; i++)
            cr_expect(db_same_number(got->data[i], derivative[i], bound[i]),
                      "%s: %s[%lld] is %.17g, differences give %.17g +- %.2g", db_name(c), what,
                      (long long)i, got->data[i], derivative[i], bound[i]);
    free(derivative);
}

static void jvp_is_the_derivative(db_case *c)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS];
    double *entries[DB_INPUTS];
    int n = db_directions(c, DIRECTION_STREAM, x, tangent, entries);
    motion m = {.c = c, .read = -1};
    if (n > 0) {
        db_array got = db_read(c->tape, sigad_jvp(c->tape, c->y, n, x, tangent));
        db_array y = db_read(c->tape, c->y);
        for (int k = 0; k < c->row->n; k++) m.direction[k] = entries[k];
        if (db_expect_ok(c, "jvp")) expect_derivative(c, "jvp", &m, &got, &y);
        free(got.data);
        free(y.data);
    }
    for (int k = 0; k < c->row->n; k++) free(entries[k]);
}

Test(derivatives, jvp_is_the_derivative)
{
    db_for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, jvp_is_the_derivative);
}

/* The Hessian of <y_cotangent, y> times a direction is the derivative of the gradient along it. */
static void soc_is_the_second_derivative(db_case *c)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS], product[DB_INPUTS];
    double *entries[DB_INPUTS];
    double *cotangent = malloc((size_t)db_elements_of(c, c->y) * sizeof *cotangent + 1);
    sigad_tensor drawn = db_drawn_like(c, c->y, COTANGENT_STREAM, cotangent);
    db_weights w = {{cotangent}};
    sigad_tensor loss = sigad_apply(c->tape, &db_contract, 1, &c->y, &w, sizeof w);
    int n = db_directions(c, DIRECTION_STREAM, x, tangent, entries);
    motion m = {.c = c, .cotangent = drawn};
    db_array got[DB_INPUTS] = {{0}};
    for (int k = 0; k < c->row->n; k++) m.direction[k] = entries[k];
    if (n > 0) sigad_hvp(c->tape, loss, n, x, tangent, product);
    for (int i = 0; i < n; i++) got[i] = db_read(c->tape, product[i]);
    for (int k = 0, i = 0; n > 0 && k < c->row->n && db_expect_ok(c, "hvp"); k++) {
        if (!db_differentiable(c, k)) continue;
        m.read = k;
        sigad_backward_with(c->tape, c->y, drawn);
        db_array grad = db_gradient(c, k);
        expect_derivative(c, "soc", &m, &got[i++], &grad);
        free(grad.data);
    }
    for (int k = 0; k < c->row->n; k++) {
        free(entries[k]);
        free(got[k].data);
    }
    free(cotangent);
}

Test(derivatives, soc_is_the_second_derivative)
{
    db_for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE | DB_ONCE, soc_is_the_second_derivative);
}

/* Recorded gradients are those of the sweep, and their own gradients those of a Hessian-vector
 * product: <direction, grad> is differentiated. */
static void recorded_gradients_agree_with_sweeps(db_case *c)
{
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS], grad[DB_INPUTS], product[DB_INPUTS];
    double *entries[DB_INPUTS];
    double *cotangent = malloc((size_t)db_elements_of(c, c->y) * sizeof *cotangent + 1);
    sigad_tensor drawn = db_drawn_like(c, c->y, COTANGENT_STREAM, cotangent);
    db_weights of_y = {{cotangent}}, of_grad;
    int n = db_directions(c, DIRECTION_STREAM, x, tangent, entries), used = 0;
    for (int k = 0; k < c->row->n; k++)
        if (entries[k]) of_grad.weight[used++] = entries[k];
    if (n > 0) {
        sigad_backward_with(c->tape, c->y, drawn);
        sigad_grads(c->tape, c->y, n, x, drawn, grad);
        for (int i = 0; i < n; i++) {
            db_array got = db_read(c->tape, grad[i]);
            db_array expected = db_read(c->tape, sigad_gradient(c->tape, x[i]));
            db_expect_close(c, "recorded gradient", &got, &expected, 64 * DBL_EPSILON);
            free(got.data);
            free(expected.data);
        }
    }
    if (n > 0 && !(c->row->flags & DB_ONCE)) {
        sigad_tensor loss = sigad_apply(c->tape, &db_contract, 1, &c->y, &of_y, sizeof of_y);
        sigad_tensor slope = sigad_apply(c->tape, &db_contract, n, grad, &of_grad, sizeof of_grad);
        sigad_hvp(c->tape, loss, n, x, tangent, product);
        sigad_grads(c->tape, slope, n, x, sigad_scalar(c->tape, SIGAD_F64, 1), grad);
        for (int i = 0; i < n; i++) {
            db_array got = db_read(c->tape, grad[i]), expected = db_read(c->tape, product[i]);
            db_expect_close(c, "gradient of a recorded gradient", &got, &expected, 1e-12);
            free(got.data);
            free(expected.data);
        }
    }
    db_expect_ok(c, "recorded gradients");
    for (int k = 0; k < c->row->n; k++) free(entries[k]);
    free(cotangent);
}

Test(derivatives, recorded_gradients_agree_with_sweeps)
{
    db_for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, recorded_gradients_agree_with_sweeps);
}

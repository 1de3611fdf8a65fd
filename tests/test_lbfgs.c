#include "graph/context.h"
#include "support/failing_allocator.h"
#include "train/line_search.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static sigad_context *create(failing_allocator *allocator)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    if (allocator) options.allocator = failing_allocator_hook(allocator);
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    return context;
}

static sigad_lbfgs_report minimise(sigad_context *context, int64_t n, double *x,
                                   sigad_lbfgs_function function, void *user,
                                   sigad_lbfgs_options options)
{
    sigad_lbfgs_report report = {SIGAD_LBFGS_REPORT_INIT};
    options.size = sizeof options;
    cr_assert_eq(sigad_lbfgs_minimise(context, n, x, function, user, &options, &report), SIGAD_OK,
                 "%s", sigad_context_message(context));
    cr_assert_eq(report.size, sizeof report);
    return report;
}

/* ---- problems ----------------------------------------------------------------------------------
 */

/* More, Garbow, Hillstrom (1981), problem 21: minimum 0 at (1, .., 1). */
static sigad_status rosenbrock(void *user, int64_t n, const double *x, double *loss,
                               double *gradient)
{
    (void)user;
    *loss = 0.0;
    for (int64_t i = 0; i + 1 < n; i += 2) {
        double a = x[i + 1] - x[i] * x[i], b = 1.0 - x[i];
        *loss += 100.0 * a * a + b * b;
        gradient[i] = -400.0 * a * x[i] - 2.0 * b;
        gradient[i + 1] = 200.0 * a;
    }
    return SIGAD_OK;
}

/* Half the sum of (i + 1) * (x_i - 1)^2. */
static sigad_status quadratic(void *user, int64_t n, const double *x, double *loss,
                              double *gradient)
{
    (void)user;
    *loss = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - 1.0, weight = (double)(i + 1);
        *loss += 0.5 * weight * d * d;
        gradient[i] = weight * d;
    }
    return SIGAD_OK;
}

/* -log(x) + x on x > 0, and nothing finite elsewhere: minimum at 1. */
static sigad_status barrier(void *user, int64_t n, const double *x, double *loss, double *gradient)
{
    (void)user, (void)n;
    *loss = x[0] - log(x[0]);
    gradient[0] = 1.0 - 1.0 / x[0];
    return SIGAD_OK;
}

Test(lbfgs, solves_rosenbrock)
{
    sigad_context *context = create(NULL);
    enum { N = 50 };
    double x[N];
    for (int i = 0; i < N; i++) x[i] = i % 2 ? 1.0 : -1.2;
    sigad_lbfgs_report r = minimise(context, N, x, rosenbrock, NULL,
                                    (sigad_lbfgs_options){.tolerance_gradient = 1e-9});
    cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED, "stopped for reason %d", (int)r.stop);
    cr_expect_leq(r.gradient_norm, 1e-9);
    cr_expect_lt(r.iterations, 60);
    cr_expect_lt(r.evaluations, 90);
    for (int i = 0; i < N; i++) cr_expect_float_eq(x[i], 1.0, 1e-8);
    sigad_context_destroy(context);
}

/* With an exact line search the directions are conjugate, so n steps suffice (Nocedal, Wright,
 * theorem 6.4); the gradient's last digits may need one more. */
Test(lbfgs, ends_on_a_quadratic_in_n_steps)
{
    sigad_context *context = create(NULL);
    enum { N = 8 };
    double x[N] = {0.0};
    sigad_lbfgs_options exact = {.decrease = 1e-6, .curvature = 1e-5, .tolerance_gradient = 1e-8};
    sigad_lbfgs_report r = minimise(context, N, x, quadratic, NULL, exact);
    cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED);
    cr_expect_leq(r.iterations, N + 1);
    cr_expect_geq(r.iterations, 4, "%d", (int)r.iterations);
    for (int i = 0; i < N; i++) cr_expect_float_eq(x[i], 1.0, 1e-7);
    sigad_context_destroy(context);
}

/* ---- the strong Wolfe conditions hold at each accepted point -----------------------------------
 */

Test(lbfgs, loss_never_rises)
{
    sigad_context *context = create(NULL);
    double x[2] = {-1.2, 1.0}, last = 24.2;
    for (int iterations = 1; iterations < 40; iterations++) {
        double y[2] = {-1.2, 1.0};
        sigad_lbfgs_report r = minimise(context, 2, y, rosenbrock, NULL,
                                        (sigad_lbfgs_options){.max_iterations = iterations});
        double gradient[2], loss;
        rosenbrock(NULL, 2, y, &loss, gradient);
        cr_assert_eq(loss, r.loss, "the report is not of the end point");
        cr_assert_eq(fmax(fabs(gradient[0]), fabs(gradient[1])), r.gradient_norm);
        if (r.stop == SIGAD_LBFGS_CONVERGED) break;
        cr_assert_eq(r.stop, SIGAD_LBFGS_ITERATIONS);
        cr_assert_eq(r.iterations, iterations);
        cr_assert_lt(r.loss, last);
        last = r.loss;
        memcpy(x, y, sizeof x);
    }
    cr_expect_lt(last, 1e-6);
    sigad_context_destroy(context);
}

Test(lbfgs, a_history_of_one_is_enough_to_get_there)
{
    sigad_context *context = create(NULL);
    double x[4] = {-1.2, 1.0, 3.0, -2.0};
    sigad_lbfgs_report r = minimise(context, 4, x, rosenbrock, NULL,
                                    (sigad_lbfgs_options){.history = 1, .max_iterations = 2000});
    cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED);
    for (int i = 0; i < 4; i++) cr_expect_float_eq(x[i], 1.0, 1e-6);
    sigad_context_destroy(context);
}

Test(lbfgs, comes_back_from_where_nothing_is_finite)
{
    sigad_context *context = create(NULL);
    double x = 100.0;
    sigad_lbfgs_report r = minimise(context, 1, &x, barrier, NULL, (sigad_lbfgs_options){0});
    cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED);
    cr_expect_float_eq(x, 1.0, 1e-6);
    sigad_context_destroy(context);
}

/* Finite at the start only, and -infinity or without a gradient elsewhere: no step is right. */
static sigad_status treacherous(void *user, int64_t n, const double *x, double *loss,
                                double *gradient)
{
    quadratic(NULL, n, x, loss, gradient);
    if (x[0] == 0.0) return SIGAD_OK;
    if (*(bool *)user)
        *loss = -INFINITY;
    else
        gradient[0] = NAN;
    return SIGAD_OK;
}

Test(lbfgs, is_not_lured_by_what_is_not_finite)
{
    sigad_context *context = create(NULL);
    for (int endless = 0; endless < 2; endless++) {
        double x = 0.0;
        bool user = endless;
        sigad_lbfgs_report r =
            minimise(context, 1, &x, treacherous, &user, (sigad_lbfgs_options){0});
        cr_expect_eq(r.stop, SIGAD_LBFGS_NO_PROGRESS);
        cr_expect_eq(x, 0.0);
        cr_expect_eq(r.loss, 0.5);
    }
    sigad_context_destroy(context);
}

/* ---- the line search alone ---------------------------------------------------------------------
 */

typedef struct {
    int evaluations, kept;
    double at;
} trace;

/* t^3 - 3 t, whose minimum on t > 0 is -2 at 1. */
static sigad_status cubic(void *user, double t, double *loss, double *slope)
{
    trace *u = user;
    u->evaluations++;
    u->at = t;
    *loss = t * t * t - 3.0 * t;
    *slope = 3.0 * t * t - 3.0;
    return SIGAD_OK;
}

static void keep(void *user)
{
    ((trace *)user)->kept++;
}

static sg_line_point search(trace *u, double curvature, double step, int64_t evaluations)
{
    sg_line line = {cubic, keep, u, 1e-4, curvature, evaluations};
    sg_line_point found, start = {.slope = -3.0};
    *u = (trace){0};
    cr_assert_eq(sg_line_search(&line, start, step, &found), SIGAD_OK);
    if (u->kept) cr_assert_lt(found.loss, 0.0);
    return found;
}

Test(lbfgs, line_search_satisfies_both_conditions)
{
    trace u;
    sg_line_point p = search(&u, 0.9, 0.9, 100);
    cr_expect_eq(p.step, 0.9, "the first step was good");
    cr_expect_eq(u.evaluations, 1);

    p = search(&u, 1e-3, 1.5, 100); /* too far: the cubic through both ends is the loss itself */
    cr_expect_float_eq(p.step, 1.0, 1e-14);
    cr_expect_eq(u.evaluations, 2);

    for (double step = 1e-4; step < 100.0; step *= 3.0)
        for (double curvature = 0.9; curvature > 1e-4; curvature /= 3.0) {
            p = search(&u, curvature, step, 100);
            cr_expect_leq(fabs(p.slope), 3.0 * curvature, "step %g, curvature %g", step, curvature);
            cr_expect_leq(p.loss, -3.0 * 1e-4 * p.step);
            cr_expect_leq(u.evaluations, 25, "step %g: %d", step, u.evaluations);
        }
}

Test(lbfgs, line_search_keeps_to_its_evaluations)
{
    trace u;
    for (int64_t most = 1; most < 6; most++) {
        search(&u, 1e-9, 1e-3, most);
        cr_expect_eq(u.evaluations, most);
    }
}

/* ---- reasons to stop ---------------------------------------------------------------------------
 */

static sigad_status wrong_gradient(void *user, int64_t n, const double *x, double *loss,
                                   double *gradient)
{
    quadratic(user, n, x, loss, gradient);
    for (int64_t i = 0; i < n; i++) gradient[i] = -gradient[i];
    return SIGAD_OK;
}

static sigad_status high_above_zero(void *user, int64_t n, const double *x, double *loss,
                                    double *gradient)
{
    quadratic(user, n, x, loss, gradient);
    *loss += 1e6;
    return SIGAD_OK;
}

Test(lbfgs, says_why_it_stopped)
{
    sigad_context *context = create(NULL);
    double x[4] = {0.0};
    sigad_lbfgs_report r = minimise(context, 4, x, wrong_gradient, NULL, (sigad_lbfgs_options){0});
    cr_expect_eq(r.stop, SIGAD_LBFGS_NO_PROGRESS);
    for (int i = 0; i < 4; i++) cr_expect_eq(x[i], 0.0, "moved uphill");

    r = minimise(context, 4, x, high_above_zero, NULL,
                 (sigad_lbfgs_options){.tolerance_change = 1e-6, .tolerance_gradient = DBL_MIN});
    cr_expect_eq(r.stop, SIGAD_LBFGS_FLAT);
    cr_expect_leq(r.loss, 1e6 + 1.0);

    memset(x, 0, sizeof x);
    r = minimise(context, 4, x, quadratic, NULL, (sigad_lbfgs_options){.max_evaluations = 3});
    cr_expect_eq(r.stop, SIGAD_LBFGS_EVALUATIONS);
    cr_expect_eq(r.evaluations, 3);

    for (int i = 0; i < 4; i++) x[i] = 1.0;
    r = minimise(context, 4, x, quadratic, NULL,
                 (sigad_lbfgs_options){.tolerance_gradient = DBL_MIN});
    cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED, "a gradient of 0 is small by any measure");
    cr_expect_eq(r.iterations, 0);
    cr_expect_eq(r.evaluations, 1);
    sigad_context_destroy(context);
}

/* The sum of i + 1 times |x_i|: its minimum is a kink, where no direction leads down in the end. */
static sigad_status kinks(void *user, int64_t n, const double *x, double *loss, double *gradient)
{
    (void)user;
    *loss = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double weight = (double)(i + 1);
        *loss += weight * fabs(x[i]);
        gradient[i] = x[i] < 0.0 ? -weight : weight;
    }
    return SIGAD_OK;
}

Test(lbfgs, forgets_its_model_before_it_gives_up)
{
    sigad_context *context = create(NULL);
    double x[3] = {1.0, -0.7, 0.3};
    sigad_lbfgs_report r = minimise(context, 3, x, kinks, NULL, (sigad_lbfgs_options){0});
    cr_expect_eq(r.stop, SIGAD_LBFGS_NO_PROGRESS, "%d", (int)r.stop);
    cr_expect_gt(r.iterations, 1);
    cr_expect_lt(r.loss, 1.0 + 1.4 + 0.9);
    sigad_context_destroy(context);
}

static sigad_status fails_at(void *user, int64_t n, const double *x, double *loss, double *gradient)
{
    int *left = user;
    if (!--*left) return SIGAD_EIO;
    return rosenbrock(NULL, n, x, loss, gradient);
}

Test(lbfgs, a_failing_function_ends_it_at_the_best_point)
{
    sigad_context *context = create(NULL);
    for (int at = 1; at < 30; at++) {
        double x[2] = {-1.2, 1.0}, loss, gradient[2];
        int left = at;
        sigad_lbfgs_report r = {SIGAD_LBFGS_REPORT_INIT};
        cr_assert_eq(sigad_lbfgs_minimise(context, 2, x, fails_at, &left, NULL, &r), SIGAD_EIO);
        char message[100];
        snprintf(message, sizeof message,
                 "lbfgs: the function answered 'input or output failed' at evaluation %d", at);
        cr_assert_str_eq(sigad_context_message(context), message);
        cr_assert_eq(sigad_context_clear(context), SIGAD_EIO);
        cr_assert_eq(r.stop, SIGAD_LBFGS_FAILED);
        cr_assert_eq(r.evaluations, at);
        rosenbrock(NULL, 2, x, &loss, gradient);
        if (at > 1) cr_assert_eq(loss, r.loss);
    }
    sigad_context_destroy(context);
}

/* ---- over parameters
 * ----------------------------------------------------------------------------- */

/* mse(exp(w), (1, 2, 3)): recorded anew at each evaluation, or once and then replayed. */
typedef struct {
    sigad_tape *tape;
    sigad_tensor w, loss;
    bool replays;
} taped;

static sigad_status taped_loss(void *user, double *loss)
{
    taped *t = user;
    static const double target[3] = {1.0, 2.0, 3.0};
    if (t->replays && t->loss.generation) {
        sigad_replay(t->tape);
    } else {
        sigad_tape_reset(t->tape);
        sigad_tensor goal = sigad_input(t->tape, SIGAD_F64, SIGAD_SHAPE(3), target);
        t->loss = sigad_mse(t->tape, sigad_exp(t->tape, t->w), goal);
    }
    sigad_status status = sigad_backward(t->tape, t->loss);
    *loss = sigad_item(t->tape, t->loss);
    return status;
}

Test(lbfgs, trains_through_a_tape)
{
    for (int replays = 0; replays < 2; replays++) {
        sigad_context *context = create(NULL);
        taped t = {.replays = replays};
        sigad_lbfgs_report r = {SIGAD_LBFGS_REPORT_INIT};
        cr_assert_eq(sigad_tape_create(context, &t.tape), SIGAD_OK);
        t.w = sigad_parameter(context, "w", SIGAD_F64, SIGAD_SHAPE(3), SIGAD_INIT_ZERO);
        cr_assert_eq(sigad_lbfgs_train(context, taped_loss, &t, NULL, &r), SIGAD_OK, "%s",
                     sigad_context_message(context));
        cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED);
        double w[3];
        cr_assert_eq(sigad_parameter_read(context, t.w, w, sizeof w), SIGAD_OK);
        for (int i = 0; i < 3; i++) cr_expect_float_eq(w[i], log(i + 1.0), 1e-6);
        sigad_context_destroy(context);
    }
}

typedef struct {
    sigad_context *context;
    int calls;
    bool leaves_bias; /* its gradient is not reached */
} model;

/* Half the sum of (w - 3)^2 and (b + 1)^2, as a tape would leave it. */
static sigad_status model_loss(void *user, double *loss)
{
    model *m = user;
    m->calls++;
    *loss = 0.0;
    for (size_t i = 0; i < m->context->parameter_count; i++) {
        sg_parameter *p = m->context->parameters[i];
        cr_assert(!p->reached, "'%s' keeps an old gradient", p->name);
        bool is_bias = p->name[0] == 'b';
        if (p->frozen || (is_bias && m->leaves_bias)) continue;
        if (!sg_parameter_need_gradient(m->context, p)) return SIGAD_ENOMEM;
        for (int64_t k = 0; k < p->value.elements; k++) {
            double goal = is_bias ? -1.0 : 3.0;
            double d = p->value.dtype == SIGAD_F32 ? (double)((float *)p->value.data)[k] - goal
                                                   : ((double *)p->value.data)[k] - goal;
            *loss += 0.5 * d * d;
            if (p->value.dtype == SIGAD_F32)
                ((float *)p->gradient)[k] = (float)d;
            else
                ((double *)p->gradient)[k] = d;
        }
        p->reached = true;
    }
    return SIGAD_OK;
}

static model model_create(failing_allocator *allocator)
{
    model m = {.context = create(allocator)};
    sigad_parameter(m.context, "w", SIGAD_F32, SIGAD_SHAPE(2, 3), SIGAD_INIT_NORMAL(0.0, 1.0));
    sigad_parameter(m.context, "b", SIGAD_F64, SIGAD_SHAPE(3), SIGAD_INIT_NORMAL(0.0, 1.0));
    sigad_tensor frozen =
        sigad_parameter(m.context, "w.fixed", SIGAD_F64, 0, NULL, SIGAD_INIT_ZERO);
    sigad_parameter_freeze(m.context, frozen, 1);
    return m;
}

Test(lbfgs, trains_parameters_of_both_types)
{
    model m = model_create(NULL);
    uint64_t version = m.context->parameters[0]->version;
    sigad_lbfgs_report r = {SIGAD_LBFGS_REPORT_INIT};
    cr_assert_eq(sigad_lbfgs_train(m.context, model_loss, &m, NULL, &r), SIGAD_OK);
    cr_expect_eq(r.stop, SIGAD_LBFGS_CONVERGED);
    cr_expect_eq(r.evaluations, m.calls);
    const float *w = m.context->parameters[0]->value.data;
    const double *b = m.context->parameters[1]->value.data;
    for (int i = 0; i < 6; i++) cr_expect_float_eq(w[i], 3.0, 1e-6);
    for (int i = 0; i < 3; i++) cr_expect_float_eq(b[i], -1.0, 1e-6);
    cr_expect_eq(*(double *)m.context->parameters[2]->value.data, 0.0, "a frozen one moved");
    cr_expect_gt(m.context->parameters[0]->version, version);
    sigad_context_destroy(m.context);
}

Test(lbfgs, unreached_and_foreign_parameters_stay)
{
    failing_allocator allocator = {0};
    model m = model_create(&allocator);
    m.leaves_bias = true;
    double before[3];
    memcpy(before, m.context->parameters[1]->value.data, sizeof before);
    cr_assert_eq(sigad_lbfgs_train(m.context, model_loss, &m, NULL, NULL), SIGAD_OK);
    cr_expect_arr_eq(before, m.context->parameters[1]->value.data, sizeof before);
    cr_expect_float_eq(*(float *)m.context->parameters[0]->value.data, 3.0, 1e-6);
    sigad_context_destroy(m.context);

    m = model_create(NULL);
    memcpy(before, m.context->parameters[0]->value.data, sizeof before);
    sigad_lbfgs_options options = {SIGAD_LBFGS_OPTIONS_INIT, .prefix = "b"};
    m.context->parameters[0]->frozen = true;
    cr_assert_eq(sigad_lbfgs_train(m.context, model_loss, &m, &options, NULL), SIGAD_OK);
    cr_expect_arr_eq(before, m.context->parameters[0]->value.data, sizeof before);
    cr_expect_float_eq(*(double *)m.context->parameters[1]->value.data, -1.0, 1e-6);
    sigad_context_destroy(m.context);
}

static sigad_status fails_far_away(void *user, double *loss)
{
    model *m = user;
    sigad_status status = model_loss(user, loss);
    return m->calls == 2 ? SIGAD_EIO : status;
}

Test(lbfgs, parameters_end_at_the_best_point)
{
    model m = model_create(NULL);
    double before[3];
    memcpy(before, m.context->parameters[1]->value.data, sizeof before);
    cr_assert_eq(sigad_lbfgs_train(m.context, fails_far_away, &m, NULL, NULL), SIGAD_EIO);
    cr_expect_eq(m.calls, 2);
    cr_expect_arr_eq(before, m.context->parameters[1]->value.data, sizeof before);
    sigad_context_destroy(m.context);
}

Test(lbfgs, short_memory_leaves_everything_as_it_was)
{
    for (int64_t fail_at = 1, tried = 2; fail_at <= tried; fail_at++) {
        failing_allocator allocator = {0};
        model m = model_create(&allocator);
        double before[3];
        memcpy(before, m.context->parameters[1]->value.data, sizeof before);
        failing_allocator_arm(&allocator, fail_at, false);
        cr_assert_eq(sigad_lbfgs_train(m.context, model_loss, &m, NULL, NULL), SIGAD_ENOMEM);
        cr_assert_arr_eq(before, m.context->parameters[1]->value.data, sizeof before);
        sigad_context_clear(m.context);
        failing_allocator_arm(&allocator, 0, false);
        cr_assert_eq(sigad_lbfgs_train(m.context, model_loss, &m, NULL, NULL), SIGAD_OK);
        sigad_context_destroy(m.context);
        cr_assert_eq(allocator.live, 0);
    }
}

/* ---- bad input
 * ------------------------------------------------------------------------------------ */

static void refused(sigad_context *context, int64_t n, double *x, sigad_lbfgs_function function,
                    sigad_lbfgs_options options, sigad_status status, const char *message)
{
    options.size = sizeof options;
    cr_expect_eq(sigad_lbfgs_minimise(context, n, x, function, NULL, &options, NULL), status);
    cr_expect_str_eq(sigad_context_message(context), message);
    sigad_context_clear(context);
}

Test(lbfgs, bad_input_is_explained)
{
    sigad_context *context = create(NULL);
    double x = 1.0, bad = -1.0;
    refused(context, 0, &x, quadratic, (sigad_lbfgs_options){0}, SIGAD_EINVAL,
            "lbfgs: 0 unknowns; there must be at least one, a start and a function");
    refused(context, 1, NULL, NULL, (sigad_lbfgs_options){0}, SIGAD_EINVAL,
            "lbfgs: 1 unknowns, x is NULL, no function; there must be at least one, a start and a "
            "function");
    refused(context, 1, &x, quadratic, (sigad_lbfgs_options){.history = -1}, SIGAD_EINVAL,
            "lbfgs: history -1, max_iterations 0, max_evaluations 0: none may be negative");
    refused(context, 1, &x, quadratic, (sigad_lbfgs_options){.tolerance_gradient = NAN},
            SIGAD_EINVAL, "lbfgs: tolerance_gradient is nan; it must be finite and not negative");
    refused(context, 1, &x, quadratic, (sigad_lbfgs_options){.curvature = 1.0}, SIGAD_EINVAL,
            "lbfgs: decrease 0.0001, curvature 1: 0 < decrease < curvature < 1 must hold");
    refused(context, INT64_MAX / 8, &x, quadratic, (sigad_lbfgs_options){0}, SIGAD_ERANGE,
            "lbfgs: 1152921504606846975 unknowns with a history of 10 are too many");
    refused(context, 1, &bad, barrier, (sigad_lbfgs_options){0}, SIGAD_EINVAL,
            "lbfgs: the loss or its gradient is not finite at the start");
    cr_expect_eq(sigad_lbfgs_minimise(NULL, 1, &x, quadratic, NULL, NULL, NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_lbfgs_train(NULL, model_loss, NULL, NULL, NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_lbfgs_train(context, model_loss, NULL, NULL, NULL), SIGAD_EINVAL);
    cr_expect_str_eq(sigad_context_message(context),
                     "lbfgs: no trainable parameter has a name that begins with ''");
    sigad_context_destroy(context);
}

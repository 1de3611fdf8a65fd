/* Limited-memory BFGS: Nocedal (1980), "Updating quasi-Newton matrices with limited storage";
 * Nocedal, Wright (2006), "Numerical optimization", algorithms 7.4 and 7.5. */
#include "core/options.h"
#include "core/vector.h"
#include "graph/context.h"
#include "sigad/train.h"
#include "train/line_search.h"
#include "train/option.h"
#include <float.h>
#include <math.h>
#include <string.h>

typedef struct {
    sigad_context *context;
    sigad_lbfgs_function function;
    void *user;
    int64_t n, evaluations;
    double *x, *g;                /* [n] the present point, and the gradient there */
    double *x_trial, *g_trial;    /* [n] evaluated last */
    double *x_kept, *g_kept;      /* [n] the best along the present direction */
    double *direction;            /* [n] */
    double *s, *y;                /* [history, n] steps and changes of the gradient, in a ring */
    double *rho, *alpha;          /* [history] 1 / <s, y>; coefficients of the first loop */
    int64_t history, pairs, next; /* room; pairs in use; where the next one goes */
} state;

/* ---- vectors --------------------------------------------------------------------------------- */

static double largest_entry(const double *a, int64_t n)
{
    double largest = 0.0;
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(a[i]));
    return largest;
}

static void swap(double **a, double **b)
{
    double *held = *a;
    *a = *b;
    *b = held;
}

/* ---- one evaluation -------------------------------------------------------------------------- */

static sigad_status call(state *st, const double *x, double *loss, double *gradient)
{
    sg_error *error = &st->context->error;
    st->evaluations++;
    sigad_status status = st->function(st->user, st->n, x, loss, gradient);
    if (status && !error->status)
        sg_fail(error, status, "lbfgs: the function answered '%s' at evaluation %lld",
                sigad_status_string(status), (long long)st->evaluations);
    return error->status;
}

static sigad_status evaluate_step(void *user, double step, double *loss, double *slope)
{
    state *st = user;
    memcpy(st->x_trial, st->x, (size_t)st->n * sizeof *st->x);
    sg_add_scaled(st->x_trial, step, st->direction, st->n);
    sigad_status status = call(st, st->x_trial, loss, st->g_trial);
    *slope = sg_dot(st->g_trial, st->direction, st->n);
    if (!isfinite(*loss) || !isfinite(*slope)) *loss = INFINITY;
    return status;
}

static void keep_trial(void *user)
{
    state *st = user;
    swap(&st->x_trial, &st->x_kept);
    swap(&st->g_trial, &st->g_kept);
}

/* ---- the model of the inverse Hessian -------------------------------------------------------- */

/* The i-th newest pair, i = 0 .. pairs - 1. */
static int64_t pair_at(const state *st, int64_t i)
{
    return (st->next - 1 - i + st->history) % st->history;
}

/* Remembers the step from x to x_kept, if the loss curves upwards along it as the model needs. */
static void remember(state *st)
{
    double *s = st->s + st->next * st->n, *y = st->y + st->next * st->n;
    for (int64_t i = 0; i < st->n; i++) {
        s[i] = st->x_kept[i] - st->x[i];
        y[i] = st->g_kept[i] - st->g[i];
    }
    double curvature = sg_dot(s, y, st->n);
    if (!(curvature > DBL_EPSILON * sg_dot(y, y, st->n))) return;
    st->rho[st->next] = 1.0 / curvature;
    st->next = (st->next + 1) % st->history;
    if (st->pairs < st->history) st->pairs++;
}

/* Algorithm 7.4, with the first guess of equation 7.20; returns the slope. */
static double find_direction(state *st)
{
    int64_t n = st->n;
    double *d = st->direction;
    for (int64_t i = 0; i < n; i++) d[i] = -st->g[i];
    for (int64_t i = 0; i < st->pairs; i++) {
        int64_t at = pair_at(st, i);
        st->alpha[at] = st->rho[at] * sg_dot(st->s + at * n, d, n);
        sg_add_scaled(d, -st->alpha[at], st->y + at * n, n);
    }
    if (st->pairs) {
        int64_t newest = pair_at(st, 0);
        const double *y = st->y + newest * n;
        double scale = 1.0 / (st->rho[newest] * sg_dot(y, y, n));
        for (int64_t i = 0; i < n; i++) d[i] *= scale;
    }
    for (int64_t i = st->pairs - 1; i >= 0; i--) {
        int64_t at = pair_at(st, i);
        double beta = st->rho[at] * sg_dot(st->y + at * n, d, n);
        sg_add_scaled(d, st->alpha[at] - beta, st->s + at * n, n);
    }
    return sg_dot(st->g, d, n);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Moves to a lower point along the model's direction, or, where that fails, along the gradient. */
static sigad_status move(state *st, const sigad_lbfgs_options *options, double *loss, bool *moved)
{
    *moved = false;
    for (;;) {
        double slope = find_direction(st);
        if (slope < 0.0) {
            sg_line line = {.evaluate = evaluate_step,
                            .keep = keep_trial,
                            .user = st,
                            .decrease = options->decrease,
                            .curvature = options->curvature,
                            .evaluations_left = options->max_evaluations - st->evaluations};
            sg_line_point found, start = {.step = 0.0, .loss = *loss, .slope = slope};
            double step = st->pairs ? 1.0 : fmin(1.0, 1.0 / sqrt(-slope));
            sigad_status status = sg_line_search(&line, start, step, &found);
            *moved = found.step > 0.0;
            if (*moved) *loss = found.loss;
            if (*moved || status) return status;
        }
        if (!st->pairs || st->evaluations >= options->max_evaluations) return SIGAD_OK;
        st->pairs = 0;
    }
}

/* The point kept by the line search becomes the present one. */
static void accept(state *st, sigad_lbfgs_report *report)
{
    remember(st);
    memcpy(st->x, st->x_kept, (size_t)st->n * sizeof *st->x);
    swap(&st->g, &st->g_kept);
    report->gradient_norm = largest_entry(st->g, st->n);
    report->iterations++;
}

enum { GO_ON = -1 };

/* `drop`: by how much the last iteration lowered the loss. */
static int32_t reason_to_stop(const state *st, const sigad_lbfgs_options *options,
                              const sigad_lbfgs_report *report, double drop)
{
    if (report->gradient_norm <= options->tolerance_gradient) return SIGAD_LBFGS_CONVERGED;
    if (drop <= options->tolerance_change * fabs(report->loss)) return SIGAD_LBFGS_FLAT;
    if (report->iterations >= options->max_iterations) return SIGAD_LBFGS_ITERATIONS;
    if (st->evaluations >= options->max_evaluations) return SIGAD_LBFGS_EVALUATIONS;
    return GO_ON;
}

static sigad_status minimise(state *st, const sigad_lbfgs_options *options,
                             sigad_lbfgs_report *report)
{
    double drop = INFINITY;
    if (call(st, st->x, &report->loss, st->g)) return st->context->error.status;
    if (!isfinite(report->loss) || !isfinite(sg_dot(st->g, st->g, st->n)))
        return sg_fail(&st->context->error, SIGAD_EINVAL,
                       "lbfgs: the loss or its gradient is not finite at the start");
    report->gradient_norm = largest_entry(st->g, st->n);
    int32_t stop;
    while ((stop = reason_to_stop(st, options, report, drop)) == GO_ON) {
        double before = report->loss;
        bool moved;
        sigad_status status = move(st, options, &report->loss, &moved);
        if (moved) accept(st, report);
        if (status) return status;
        if (!moved && st->evaluations < options->max_evaluations) {
            stop = SIGAD_LBFGS_NO_PROGRESS;
            break;
        }
        drop = moved ? before - report->loss : INFINITY;
    }
    report->stop = stop;
    return SIGAD_OK;
}

/* ---- options and memory ---------------------------------------------------------------------- */

static sigad_status read_options(sigad_context *context, const sigad_lbfgs_options *given,
                                 sigad_lbfgs_options *o)
{
    sg_error *error = &context->error;
    if (sg_options(error, "sigad_lbfgs_options", given, o, sizeof *o)) return error->status;
    if (o->history < 0 || o->max_iterations < 0 || o->max_evaluations < 0)
        return sg_fail(error, SIGAD_EINVAL,
                       "lbfgs: history %d, max_iterations %lld, max_evaluations %lld: none may be "
                       "negative",
                       (int)o->history, (long long)o->max_iterations,
                       (long long)o->max_evaluations);
    if (sg_option_not_negative(context, "lbfgs", "tolerance_gradient", o->tolerance_gradient) ||
        sg_option_not_negative(context, "lbfgs", "tolerance_change", o->tolerance_change))
        return error->status;
    if (!o->history) o->history = 10;
    if (!o->max_iterations) o->max_iterations = 200;
    if (!o->max_evaluations) o->max_evaluations = INT64_MAX;
    o->tolerance_gradient = sg_option(o->tolerance_gradient, 1e-7);
    o->tolerance_change = sg_option(o->tolerance_change, 1e-12);
    o->decrease = sg_option(o->decrease, 1e-4);
    o->curvature = sg_option(o->curvature, 0.9);
    if (!(o->decrease > 0.0 && o->decrease < o->curvature && o->curvature < 1.0))
        return sg_fail(error, SIGAD_EINVAL,
                       "lbfgs: decrease %g, curvature %g: 0 < decrease < curvature < 1 must hold",
                       o->decrease, o->curvature);
    return SIGAD_OK;
}

/* Copies as much of the report as the caller has room for. */
static void hand_back(const sigad_lbfgs_report *report, sigad_lbfgs_report *result)
{
    if (!result) return;
    uint32_t size = result->size;
    memcpy(result, report, size < sizeof *report ? size : sizeof *report);
    result->size = size;
}

/* One block for all vectors: six of n, `history` pairs, two of `history`. */
static sigad_status lay_out(state *st, double **block, size_t *bytes)
{
    int64_t pairs, count;
    if (!sg_multiply(2 * st->history, st->n, &pairs) || !sg_multiply(6, st->n, &count) ||
        !sg_add(count, pairs, &count) || !sg_add(count, 2 * st->history, &count) ||
        !sg_multiply(count, sizeof **block, &count))
        return sg_fail(&st->context->error, SIGAD_ERANGE,
                       "lbfgs: %lld unknowns with a history of %lld are too many", (long long)st->n,
                       (long long)st->history);
    *bytes = (size_t)count;
    *block = sg_context_allocate(st->context, *bytes);
    if (!*block) return sg_context_no_memory(st->context, "lbfgs", *bytes);
    double **const vector[] = {&st->g,      &st->x_trial, &st->g_trial,
                               &st->x_kept, &st->g_kept,  &st->direction};
    double *free = *block;
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++, free += st->n) *vector[i] = free;
    st->s = free;
    st->y = st->s + st->history * st->n;
    st->rho = st->y + st->history * st->n;
    st->alpha = st->rho + st->history;
    return SIGAD_OK;
}

sigad_status sigad_lbfgs_minimise(sigad_context *context, int64_t n, double *x,
                                  sigad_lbfgs_function function, void *user,
                                  const sigad_lbfgs_options *given, sigad_lbfgs_report *result)
{
    sigad_lbfgs_options options;
    sigad_lbfgs_report report = {.stop = SIGAD_LBFGS_FAILED, .loss = NAN, .gradient_norm = NAN};
    double *block = NULL;
    size_t bytes = 0;
    hand_back(&report, result);
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (n <= 0 || !x || !function)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "lbfgs: %lld unknowns%s%s; there must be at least one, a start and a "
                       "function",
                       (long long)n, x ? "" : ", x is NULL", function ? "" : ", no function");
    if (read_options(context, given, &options)) return context->error.status;

    state st = {.context = context,
                .function = function,
                .user = user,
                .n = n,
                .x = x,
                .history = options.history};
    if (lay_out(&st, &block, &bytes)) return context->error.status;
    sigad_status status = minimise(&st, &options, &report);
    sg_release(&context->allocator, block, bytes);
    report.evaluations = st.evaluations;
    hand_back(&report, result);
    return status;
}

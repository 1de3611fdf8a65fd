/* custom_op: an operation of your own, with all its derivatives, checked and trained.
 *
 * Exponential smoothing along time is a recursion, which no few ready operations express:
 *
 *     y_0 = x_0,    y_t = y_{t-1} + a (x_t - y_{t-1})        x, y [length, channels], a [1]
 *
 * One table of five functions teaches it to the library. The program checks the gradient against
 * differences of replayed losses and the second derivative against differences of gradients. Then
 * it trains: given a noisy series and its smoothed version, what was a? */
#include "support.h"
#include <math.h>

/* ---- the operation ------------------------------------------------------------------------- */

enum { X = 0, A = 1 }; /* the inputs */

static sigad_status smooth_infer(sigad_op_call *call)
{
    if (call->n != 2) return sigad_op_fail(call, SIGAD_EINVAL, "%d inputs, not 2", (int)call->n);
    const sigad_array *x = &call->x[X], *a = &call->x[A];
    if (x->dtype != SIGAD_F64 || a->dtype != SIGAD_F64)
        return sigad_op_fail(call, SIGAD_EDTYPE, "the series and the rate must be float64");
    if (x->rank != 2 || a->elements != 1)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "a series of rank %d and %lld rates: must be [length, channels] and 1",
                             (int)x->rank, (long long)a->elements);
    *call->y = *x; /* dtype and shape */
    size_t row = (size_t)x->shape[1] * sizeof(double), all = (size_t)x->elements * sizeof(double);
    call->workspace_bytes[SIGAD_VJP] = row;
    call->workspace_bytes[SIGAD_JVP] = all;
    call->workspace_bytes[SIGAD_SOC] = all + 2 * row;
    return SIGAD_OK;
}

static sigad_status smooth_fwd(sigad_op_call *call)
{
    const double *x = call->x[X].data, a = *(const double *)call->x[A].data;
    int64_t d = call->y->shape[1];
    double *y = call->y->data;
    for (int64_t i = 0; i < call->y->elements; i++)
        y[i] = i < d ? x[i] : y[i - d] + a * (x[i] - y[i - d]);
    return SIGAD_OK;
}

/* Backwards in time, s_t = y_bar_t + (1 - a) s_{t+1} is what the loss feels of y_t, and
   x_bar_t += a s_t,  a_bar += s_t (x_t - y_{t-1}),  but x_bar_0 += s_0. */
static sigad_status smooth_vjp(sigad_op_call *call)
{
    const double *x = call->x[X].data, a = *(const double *)call->x[A].data;
    const double *y = call->y->data, *y_bar = call->y_cotangent->data;
    double *x_bar = call->x_cotangent[X].data, *a_bar = call->x_cotangent[A].data;
    double *s = call->workspace;
    int64_t d = call->y->shape[1];
    memset(s, 0, (size_t)d * sizeof *s);
    for (int64_t i = call->y->elements - 1; i >= 0; i--) {
        int64_t c = i % d;
        s[c] = y_bar[i] + (1.0 - a) * s[c];
        if (x_bar) x_bar[i] += i < d ? s[c] : a * s[c];
        if (a_bar && i >= d) *a_bar += s[c] * (x[i] - y[i - d]);
    }
    return SIGAD_OK;
}

static double at(const double *tangent, int64_t i) /* NULL stands for zero */
{
    return tangent ? tangent[i] : 0.0;
}

/* y_dot_t = y_dot_{t-1} + a (x_dot_t - y_dot_{t-1}) + a_dot (x_t - y_{t-1}),  y_dot_0 = x_dot_0 */
static void smooth_tangent(const sigad_op_call *call, double *y_dot)
{
    const double *x = call->x[X].data, a = *(const double *)call->x[A].data, *y = call->y->data;
    const double *x_dot = call->x_tangent[X].data, a_dot = at(call->x_tangent[A].data, 0);
    int64_t d = call->y->shape[1];
    for (int64_t i = 0; i < call->y->elements; i++)
        y_dot[i] =
            i < d ? at(x_dot, i)
                  : y_dot[i - d] + a * (at(x_dot, i) - y_dot[i - d]) + a_dot * (x[i] - y[i - d]);
}

static sigad_status smooth_jvp(sigad_op_call *call)
{
    double *y_dot = call->workspace, *sum = call->y_tangent->data;
    smooth_tangent(call, y_dot);
    for (int64_t i = 0; i < call->y->elements; i++) sum[i] += y_dot[i];
    return SIGAD_OK;
}

/* The derivative of smooth_vjp along x_dot and a_dot, y_bar being constant, by the product rule:
   s_dot_t = (1 - a) s_dot_{t+1} - a_dot s_{t+1} */
static sigad_status smooth_soc(sigad_op_call *call)
{
    const double *x = call->x[X].data, a = *(const double *)call->x[A].data;
    const double *y = call->y->data, *y_bar = call->y_cotangent->data;
    const double *x_dot = call->x_tangent[X].data, a_dot = at(call->x_tangent[A].data, 0);
    double *x_out = call->x_cotangent_tangent[X].data, *a_out = call->x_cotangent_tangent[A].data;
    int64_t d = call->y->shape[1];
    double *s = call->workspace, *s_dot = s + d, *y_dot = s_dot + d;
    smooth_tangent(call, y_dot);
    memset(s, 0, 2 * (size_t)d * sizeof *s);
    for (int64_t i = call->y->elements - 1; i >= 0; i--) {
        int64_t c = i % d;
        s_dot[c] = (1.0 - a) * s_dot[c] - a_dot * s[c];
        s[c] = y_bar[i] + (1.0 - a) * s[c];
        if (x_out) x_out[i] += i < d ? s_dot[c] : a * s_dot[c] + a_dot * s[c];
        if (a_out && i >= d)
            *a_out += s_dot[c] * (x[i] - y[i - d]) + s[c] * (at(x_dot, i) - y_dot[i - d]);
    }
    return SIGAD_OK;
}

static const sigad_op smooth_op = {SIGAD_OP_INIT,     .name = "smooth",  .infer = smooth_infer,
                                   .fwd = smooth_fwd, .vjp = smooth_vjp, .jvp = smooth_jvp,
                                   .soc = smooth_soc};

static sigad_tensor smooth(sigad_tape *t, sigad_tensor x, sigad_tensor a)
{
    return sigad_apply(t, &smooth_op, 2, (sigad_tensor[]){x, a}, NULL, 0);
}

/* ---- the check ----------------------------------------------------------------------------- */

enum { LENGTH = 40, CHANNELS = 2, SERIES = LENGTH * CHANNELS, UNKNOWNS = SERIES + 1 };

/* A loss of the series and the rate, recorded once and replayed at other values. */
typedef struct {
    sigad_tape *tape;
    sigad_tensor x, a, loss;
    double value[UNKNOWNS]; /* the series, then the rate: what x and a borrow */
} problem;

static void problem_record(problem *p)
{
    sigad_tape *t = p->tape;
    for (int i = 0; i < SERIES; i++) p->value[i] = sin(0.7 * i) + 0.4 * cos(2.3 * i * i);
    p->value[SERIES] = 0.3;
    sigad_tape_reset(t);
    p->x = sigad_watch(t, sigad_input(t, SIGAD_F64, SIGAD_SHAPE(LENGTH, CHANNELS), p->value));
    p->a = sigad_watch(t, sigad_input(t, SIGAD_F64, SIGAD_SHAPE(1), p->value + SERIES));
    p->loss = sigad_sum(t, sigad_square(t, smooth(t, p->x, p->a)), SIGAD_ALL, 0);
}

static double problem_loss(problem *p)
{
    sigad_replay(p->tape);
    return sigad_item(p->tape, p->loss);
}

static void problem_gradient(problem *p, double *gradient)
{
    sigad_tape *t = p->tape;
    sigad_replay(t);
    sigad_backward(t, p->loss);
    sigad_read(t, sigad_gradient(t, p->x), gradient, SERIES * sizeof *gradient);
    sigad_read(t, sigad_gradient(t, p->a), gradient + SERIES, sizeof *gradient);
}

static void problem_move(problem *p, double step, const double *direction)
{
    for (int i = 0; i < UNKNOWNS; i++) p->value[i] += step * direction[i];
}

/* The largest difference, relative to the largest entry. */
static double distance(const double *exact, const double *approximate)
{
    double difference = 0.0, size = 0.0;
    for (int i = 0; i < UNKNOWNS; i++) {
        difference = fmax(difference, fabs(exact[i] - approximate[i]));
        size = fmax(size, fabs(exact[i]));
    }
    return difference / size;
}

/* Central differences with a step of 1e-5: of the loss, entry by entry, ... */
static double check_gradient(problem *p)
{
    double gradient[UNKNOWNS], quotient[UNKNOWNS];
    problem_gradient(p, gradient);
    for (int i = 0; i < UNKNOWNS; i++) {
        double value = p->value[i];
        p->value[i] = value + 1e-5;
        double above = problem_loss(p);
        p->value[i] = value - 1e-5;
        double below = problem_loss(p);
        p->value[i] = value;
        quotient[i] = (above - below) / 2e-5;
    }
    return distance(gradient, quotient);
}

/* ... and of the gradient, along one direction v: Hessian times v. */
static double check_hessian(problem *p)
{
    double v[UNKNOWNS], product[UNKNOWNS], quotient[UNKNOWNS], below[UNKNOWNS];
    for (int i = 0; i < UNKNOWNS; i++) v[i] = cos(1.1 * i);
    sigad_tape *t = p->tape;
    sigad_replay(t);
    sigad_tensor hv[2], along[2] = {sigad_constant(t, SIGAD_F64, SIGAD_SHAPE(LENGTH, CHANNELS), v),
                                    sigad_constant(t, SIGAD_F64, SIGAD_SHAPE(1), v + SERIES)};
    sigad_hvp(t, p->loss, 2, (sigad_tensor[]){p->x, p->a}, along, hv);
    sigad_read(t, hv[0], product, SERIES * sizeof *product);
    sigad_read(t, hv[1], product + SERIES, sizeof *product);
    problem_move(p, 1e-5, v);
    problem_gradient(p, quotient);
    problem_move(p, -2e-5, v);
    problem_gradient(p, below);
    problem_move(p, 1e-5, v);
    for (int i = 0; i < UNKNOWNS; i++) quotient[i] = (quotient[i] - below[i]) / 2e-5;
    return distance(product, quotient);
}

/* ---- training ------------------------------------------------------------------------------ */

/* The rate that explains `target` as the smoothed series. sigmoid keeps it between 0 and 1. */
static double train(sigad_context *ctx, problem *p, double rate, long steps)
{
    sigad_tape *t = p->tape;
    sigad_optimizer *adam;
    sigad_adam_create(ctx, &(sigad_adam_options){SIGAD_ADAM_OPTIONS_INIT, .lr = 0.05}, &adam);
    sigad_tensor w = sigad_parameter(ctx, "rate", SIGAD_F64, SIGAD_SHAPE(1), SIGAD_INIT_ZERO);
    sigad_tape_reset(t);
    sigad_tensor x = sigad_input(t, SIGAD_F64, SIGAD_SHAPE(LENGTH, CHANNELS), p->value);
    sigad_tensor target = smooth(t, x, sigad_constant(t, SIGAD_F64, SIGAD_SHAPE(1), &rate));
    sigad_tensor guess = sigad_label(t, sigad_sigmoid(t, w), "rate");
    sigad_tensor loss = sigad_mse(t, smooth(t, x, guess), target);
    for (long step = 0; step < steps; step++) {
        sigad_optimizer_zero(adam);
        if (sigad_replay(t) || sigad_backward(t, loss) || sigad_optimizer_step(adam)) break;
        if (step % 100 == 0)
            printf("step %4ld   loss %.3e   rate %.4f\n", step, sigad_item(t, loss),
                   sigad_item(t, guess));
    }
    return sigad_item(t, guess);
}

int main(int argc, char **argv)
{
    long steps = 400;
    const option options[] = {
        {"steps", "training steps", .number = &steps, .low = 1, .high = 1000000}};
    parse_arguments(argc, argv,
                    "usage: custom_op [options]\n"
                    "Checks the derivatives of an operation of its own, then learns its rate.",
                    0, options, 1);

    const double true_rate = 0.2, tolerance = 1e-8;
    sigad_context *ctx = context_open(NULL, 1, 0);
    problem p = {0};
    sigad_tape_create(ctx, &p.tape);
    problem_record(&p);
    double first = check_gradient(&p), second = check_hessian(&p);
    double rate = train(ctx, &p, true_rate, steps);

    if (context_close(ctx)) return EXIT_FAILURE;
    printf("gradient: off by %.1e   Hessian: off by %.1e   rate: %.4f, is %.4f\n", first, second,
           rate, true_rate);
    return first < tolerance && second < tolerance && fabs(rate - true_rate) < 1e-3 ? EXIT_SUCCESS
                                                                                    : EXIT_FAILURE;
}

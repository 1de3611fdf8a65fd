/* Every rule of the optimizers on the emulated device beside the CPU: options, groups, clipping. */
#include "core/random.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZES = 3, STEPS = 3 };
static const int64_t sizes[SIZES] = {1, 257, 9000}; /* the last takes several blocks of sums */

typedef enum { SGD, ADAM, RMSPROP, RULES } rule;

typedef struct {
    sigad_context *context;
    sigad_tape *tape;
    sigad_optimizer *optimizer;
    sigad_tensor parameter[SIZES];
    sigad_dtype dtype;
} run;

static double *numbers(int64_t n, uint64_t key)
{
    double *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = sg_random_normal(key, (uint64_t)i);
    return x;
}

static size_t bytes_of(sigad_dtype dtype, int64_t n)
{
    return (size_t)n * (dtype == SIGAD_F32 ? sizeof(float) : sizeof(double));
}

/* In place, to the run's dtype. */
static void narrow(sigad_dtype dtype, double *x, int64_t n)
{
    for (int64_t i = 0; dtype == SIGAD_F32 && i < n; i++) ((float *)(void *)x)[i] = (float)x[i];
}

/* Bit 0: momentum (nesterov, centered), bit 1: decay, bit 2: clipping by the norm. */
static sigad_optimizer *optimizer_of(sigad_context *context, rule kind, int options)
{
    const double momentum = options & 1 ? 0.8 : 0, decay = options & 2 ? 0.1 : 0;
    const double clip = options & 4 ? 3 : 0;
    const sigad_sgd_options sgd = {
        SIGAD_SGD_OPTIONS_INIT, .lr = 0.1,         .momentum = momentum,
        .weight_decay = decay,  .clip_norm = clip, .nesterov = options == 1 || options == 7};
    const sigad_adam_options adam = {SIGAD_ADAM_OPTIONS_INIT, .lr = 0.1,
                                     .beta1 = 0.7 + 0.1 * momentum, .weight_decay = decay,
                                     .clip_norm = clip};
    const sigad_rmsprop_options rmsprop = {SIGAD_RMSPROP_OPTIONS_INIT,
                                           .lr = 0.1,
                                           .smoothing = 0.9,
                                           .momentum = momentum,
                                           .weight_decay = decay,
                                           .clip_norm = clip,
                                           .centered = options % 3 == 1};
    const sigad_group_options group = {SIGAD_GROUP_OPTIONS_INIT, .lr_factor = 0.5,
                                       .clip_value = 0.6};
    sigad_optimizer *o = NULL;
    if (kind == SGD) sigad_sgd_create(context, &sgd, &o);
    if (kind == ADAM) sigad_adam_create(context, &adam, &o);
    if (kind == RMSPROP) sigad_rmsprop_create(context, &rmsprop, &o);
    sigad_optimizer_set_group(o, "p1", &group);
    return o;
}

static run open_run(int32_t device, sigad_dtype dtype, rule kind, int options)
{
    run r = {.dtype = dtype};
    sigad_context_options given = {SIGAD_CONTEXT_OPTIONS_INIT, .device = device, .threads = 1};
    cr_assert_eq(sigad_context_create(&given, &r.context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(r.context, &r.tape), SIGAD_OK);
    for (int i = 0; i < SIZES; i++) {
        const char name[] = {'p', (char)('0' + i), 0};
        const int64_t shape[] = {1, sizes[i]};
        double *x = numbers(sizes[i], 10 + (uint64_t)i);
        r.parameter[i] = sigad_parameter(r.context, name, dtype, 2, shape, SIGAD_INIT_ZERO);
        narrow(dtype, x, sizes[i]);
        sigad_parameter_write(r.context, r.parameter[i], x, bytes_of(dtype, sizes[i]));
        free(x);
    }
    r.optimizer = optimizer_of(r.context, kind, options);
    cr_assert_eq(sigad_context_status(r.context), SIGAD_OK, "%s", sigad_context_message(r.context));
    return r;
}

/* The gradients are drawn; one entry of them is `wild`. */
static sigad_status step(const run *r, int number, double wild)
{
    sigad_tensor loss = {0, 0};
    sigad_tape_reset(r->tape);
    for (int i = 0; i < SIZES; i++) {
        const int64_t shape[] = {1, sizes[i]};
        double *g = numbers(sizes[i], (uint64_t)(100 * number + i));
        if (i == 2) g[9] = wild;
        narrow(r->dtype, g, sizes[i]);
        sigad_tensor with = sigad_constant(r->tape, r->dtype, 2, shape, g);
        sigad_tensor term =
            sigad_sum(r->tape, sigad_mul(r->tape, r->parameter[i], with), SIGAD_ALL, 0);
        loss = i ? sigad_add(r->tape, loss, term) : term;
        free(g);
    }
    sigad_optimizer_zero(r->optimizer);
    sigad_backward(r->tape, loss);
    return sigad_optimizer_step(r->optimizer);
}

static double *weights(const run *r, int i)
{
    double *x = malloc((size_t)sizes[i] * sizeof *x);
    sigad_parameter_read(r->context, r->parameter[i], x, bytes_of(r->dtype, sizes[i]));
    for (int64_t k = sizes[i]; r->dtype == SIGAD_F32 && k-- > 0;)
        x[k] = (double)((float *)(void *)x)[k];
    return x;
}

static void expect_same(const run *host, const run *device, const char *what)
{
    const double tolerance = host->dtype == SIGAD_F32 ? 2e-5 : 1e-12;
    for (int i = 0; i < SIZES; i++) {
        double *a = weights(host, i), *b = weights(device, i);
        for (int64_t k = 0; k < sizes[i]; k++)
            cr_assert(fabs(a[k] - b[k]) <= tolerance * (1 + fabs(a[k])),
                      "%s: p%d[%lld] is %.17g, %.17g", what, i, (long long)k, b[k], a[k]);
        free(a);
        free(b);
    }
}

static void compare(sigad_dtype dtype, rule kind, int options)
{
    char what[80];
    run host = open_run(SIGAD_CPU, dtype, kind, options),
        device = open_run(SIGAD_CUDA, dtype, kind, options);
    snprintf(what, sizeof what, "rule %d, options %d, dtype %d", (int)kind, options, (int)dtype);
    for (int s = 0; s < STEPS; s++) {
        cr_assert_eq(step(&host, s, 0.5), SIGAD_OK);
        cr_assert_eq(step(&device, s, 0.5), SIGAD_OK, "%s", sigad_context_message(device.context));
    }
    cr_assert_eq(sigad_synchronize(device.context), SIGAD_OK);
    expect_same(&host, &device, what);
    sigad_context_destroy(host.context);
    sigad_context_destroy(device.context);
    cr_assert_eq(emulation_blocks(), 0);
}

Test(cuda_optimizers, rules)
{
    for (rule kind = SGD; kind < RULES; kind++)
        for (int options = 0; options < 8; options++)
            compare(options % 2 ? SIGAD_F32 : SIGAD_F64, kind, options);
}

/* A norm that is not finite is told where the host waits, and the step changes nothing. */
Test(cuda_optimizers, no_norm)
{
    static const double wild[] = {INFINITY, NAN};
    for (rule kind = SGD; kind < RULES; kind++)
        for (int w = 0; w < 2; w++) {
            run device = open_run(SIGAD_CUDA, SIGAD_F64, kind, 4);
            step(&device, 0, 0.5);
            double *before = weights(&device, 2);
            cr_assert_eq(step(&device, 1, wild[w]), SIGAD_OK);
            cr_assert_eq(sigad_synchronize(device.context), SIGAD_EINVAL);
            cr_assert_eq(sigad_context_clear(device.context), SIGAD_EINVAL);
            double *after = weights(&device, 2);
            cr_assert_arr_eq(before, after, (size_t)sizes[2] * sizeof *after);
            free(before);
            free(after);
            sigad_context_destroy(device.context);
        }
}

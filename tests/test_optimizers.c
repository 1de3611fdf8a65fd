#include "graph/context.h"
#include "support/failing_allocator.h"
#include "train/optimizer.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- a context with a few parameters, whose gradients the test sets itself ---------------------
 */

enum { N_LARGE = 130 * 130, N_SMALL = 3, N_MOST = N_LARGE };

static sigad_context *create(sigad_dtype dtype, int threads, failing_allocator *allocator)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = threads};
    if (allocator) options.allocator = failing_allocator_hook(allocator);
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    sigad_parameter(context, "fc1.weight", dtype, SIGAD_SHAPE(130, 130), SIGAD_INIT_UNIFORM(-1, 1));
    sigad_parameter(context, "fc1.bias", dtype, SIGAD_SHAPE(3), SIGAD_INIT_UNIFORM(-1, 1));
    sigad_parameter(context, "fc2.weight", dtype, SIGAD_SHAPE(1, 3), SIGAD_INIT_UNIFORM(-1, 1));
    sigad_parameter(context, "none", dtype, SIGAD_SHAPE(0, 4), SIGAD_INIT_ZERO);
    cr_assert_eq(sigad_context_status(context), SIGAD_OK);
    return context;
}

/* A deterministic gradient entry in -1 .. 1. */
static double entry(int parameter, int64_t i, int step)
{
    return sin(1.0 + 12.9898 * (double)i + 78.233 * step + 3.7 * parameter);
}

static double get(const void *data, int32_t dtype, int64_t i)
{
    return dtype == SIGAD_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void put(void *data, int32_t dtype, int64_t i, double value)
{
    if (dtype == SIGAD_F32)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}

static sg_parameter *named(sigad_context *context, const char *name)
{
    sg_parameter *p = sg_context_parameter_named(context, name);
    cr_assert(p, "no parameter %s", name);
    return p;
}

static void set_gradient(sigad_context *context, const char *name, double scale, int step)
{
    sg_parameter *p = named(context, name);
    cr_assert(sg_parameter_need_gradient(context, p));
    for (int64_t i = 0; i < p->value.elements; i++)
        put(p->gradient, p->value.dtype, i, scale * entry((int)p->name[2], i, step));
    p->reached = true;
}

static void set_gradients(sigad_context *context, double scale, int step)
{
    for (int i = 0; i < sigad_parameter_count(context); i++)
        set_gradient(context, context->parameters[i]->name, scale, step);
}

static void fill(sigad_context *context, const char *name, double value, double gradient)
{
    sg_parameter *p = named(context, name);
    cr_assert(sg_parameter_need_gradient(context, p));
    for (int64_t i = 0; i < p->value.elements; i++) {
        put(p->value.data, p->value.dtype, i, value);
        put(p->gradient, p->value.dtype, i, gradient);
    }
    p->reached = true;
}

static double first_of(sigad_context *context, const char *name)
{
    sg_parameter *p = named(context, name);
    return get(p->value.data, p->value.dtype, 0);
}

static void step(sigad_optimizer *optimizer)
{
    cr_assert_eq(sigad_optimizer_step(optimizer), SIGAD_OK, "%s",
                 sigad_context_message(optimizer->context));
}

static sigad_optimizer *sgd(sigad_context *context, sigad_sgd_options options)
{
    sigad_optimizer *optimizer;
    options.size = sizeof options;
    cr_assert_eq(sigad_sgd_create(context, &options, &optimizer), SIGAD_OK, "%s",
                 sigad_context_message(context));
    return optimizer;
}

static sigad_optimizer *adam(sigad_context *context, sigad_adam_options options)
{
    sigad_optimizer *optimizer;
    options.size = sizeof options;
    cr_assert_eq(sigad_adam_create(context, &options, &optimizer), SIGAD_OK, "%s",
                 sigad_context_message(context));
    return optimizer;
}

static sigad_optimizer *rmsprop(sigad_context *context, sigad_rmsprop_options options)
{
    sigad_optimizer *optimizer;
    options.size = sizeof options;
    cr_assert_eq(sigad_rmsprop_create(context, &options, &optimizer), SIGAD_OK, "%s",
                 sigad_context_message(context));
    return optimizer;
}

/* ---- each rule against its formulas in the plainest form, in double ----------------------------
 */

typedef struct {
    const char *what;
    int rule; /* 0: SGD, 1: Adam, 2: RMSprop */
    sigad_sgd_options sgd;
    sigad_adam_options adam;
    sigad_rmsprop_options rmsprop;
} rule_case;

static const rule_case cases[] = {
    {.what = "sgd"},
    {.what = "sgd, decay", .sgd = {.lr = 0.1, .weight_decay = 0.3}},
    {.what = "sgd, momentum", .sgd = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1}},
    {.what = "sgd, nesterov", .sgd = {.lr = 0.1, .momentum = 0.8, .nesterov = 1}},
    {.what = "adam", .rule = 1},
    {.what = "adam, decay", .rule = 1, .adam = {.lr = 0.1, .weight_decay = 0.2}},
    {.what = "adam, betas", .rule = 1, .adam = {.lr = 0.01, .beta1 = 0.5, .beta2 = DBL_MIN}},
    {.what = "adam, epsilon", .rule = 1, .adam = {.lr = 0.1, .beta1 = DBL_MIN, .epsilon = 0.5}},
    {.what = "rmsprop", .rule = 2},
    {.what = "rmsprop, decay", .rule = 2, .rmsprop = {.lr = 0.1, .weight_decay = 0.1}},
    {.what = "rmsprop, momentum", .rule = 2, .rmsprop = {.momentum = 0.9, .smoothing = 0.5}},
    {.what = "rmsprop, centered", .rule = 2, .rmsprop = {.centered = 1, .epsilon = 1e-3}},
    {.what = "rmsprop, both",
     .rule = 2,
     .rmsprop = {.centered = 1, .momentum = 0.5, .epsilon = 0.1}},
};

static double or (double given, double standard)
{
    return given == 0.0 ? standard : given == DBL_MIN ? 0.0 : given;
}

static void reference_sgd(const sigad_sgd_options *o, bool decays, double *p, double g, double *m)
{
    double lr = or (o->lr, 1e-2), mu = o->momentum;
    if (decays) g = g + o->weight_decay * *p;
    *m = mu * *m + g;
    *p = *p - lr * (o->nesterov ? g + mu * *m : *m);
}

static void reference_adam(const sigad_adam_options *o, bool decays, double *p, double g, double *m,
                           double *v, int t)
{
    double lr = or (o->lr, 1e-3), b1 = or (o->beta1, 0.9), b2 = or (o->beta2, 0.999);
    if (decays) *p = *p - lr * o->weight_decay * *p;
    *m = b1 * *m + (1 - b1) * g;
    *v = b2 * *v + (1 - b2) * g * g;
    double m_hat = *m / (1 - pow(b1, t)), v_hat = *v / (1 - pow(b2, t));
    *p = *p - lr * m_hat / (sqrt(v_hat) + or (o->epsilon, 1e-8));
}

static void reference_rmsprop(const sigad_rmsprop_options *o, bool decays, double *p, double g,
                              double *v, double *a, double *b)
{
    double lr = or (o->lr, 1e-2), smoothing = or (o->smoothing, 0.99);
    if (decays) g = g + o->weight_decay * *p;
    *v = smoothing * *v + (1 - smoothing) * g * g;
    *a = smoothing * *a + (1 - smoothing) * g;
    double square = o->centered ? *v - *a * *a : *v;
    *b = o->momentum * *b + g / (sqrt(square) + or (o->epsilon, 1e-8));
    *p = *p - lr * *b;
}

static sigad_optimizer *create_rule(sigad_context *context, const rule_case *c)
{
    return c->rule == 0   ? sgd(context, c->sgd)
           : c->rule == 1 ? adam(context, c->adam)
                          : rmsprop(context, c->rmsprop);
}

enum { STEPS = 5 };

static void check_rule(const rule_case *c, sigad_dtype dtype, double tolerance)
{
    static double p[N_MOST], s1[N_MOST], s2[N_MOST], s3[N_MOST];
    sigad_context *context = create(dtype, 2, NULL), *start = create(dtype, 1, NULL);
    sigad_optimizer *optimizer = create_rule(context, c);
    for (int t = 1; t <= STEPS; t++) {
        set_gradients(context, 1.0, t);
        step(optimizer);
    }
    for (int i = 0; i < sigad_parameter_count(context); i++) {
        const sg_parameter *end = context->parameters[i];
        bool decays = end->value.rank >= 2;
        memset(s1, 0, sizeof s1);
        memset(s2, 0, sizeof s2);
        memset(s3, 0, sizeof s3);
        for (int64_t k = 0; k < end->value.elements; k++) {
            p[k] = get(start->parameters[i]->value.data, dtype, k);
            for (int t = 1; t <= STEPS; t++) {
                double g = entry((int)end->name[2], k, t);
                if (dtype == SIGAD_F32) g = (float)g;
                if (c->rule == 0) reference_sgd(&c->sgd, decays, &p[k], g, &s1[k]);
                if (c->rule == 1) reference_adam(&c->adam, decays, &p[k], g, &s1[k], &s2[k], t);
                if (c->rule == 2)
                    reference_rmsprop(&c->rmsprop, decays, &p[k], g, &s1[k], &s2[k], &s3[k]);
            }
            double got = get(end->value.data, dtype, k);
            cr_assert_float_eq(got, p[k], tolerance * (1.0 + fabs(p[k])),
                               "%s: %s[%d] is %.17g, not %.17g", c->what, end->name, (int)k, got,
                               p[k]);
        }
    }
    sigad_context_destroy(context);
    sigad_context_destroy(start);
}

Test(optimizers, rules_follow_their_formulas_in_float64)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_rule(&cases[i], SIGAD_F64, 1e-14);
}

Test(optimizers, rules_follow_their_formulas_in_float32)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_rule(&cases[i], SIGAD_F32, 1e-6);
}

Test(optimizers, first_steps_by_hand)
{
    sigad_context *context = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *o = sgd(context, (sigad_sgd_options){.lr = 0.25, .momentum = 0.5});
    fill(context, "fc2.weight", 1.0, 2.0);
    step(o);
    cr_expect_eq(first_of(context, "fc2.weight"), 0.5);
    step(o); /* momentum: 0.5 * 2 + 2 = 3 */
    cr_expect_eq(first_of(context, "fc2.weight"), -0.25);

    o = adam(context, (sigad_adam_options){.lr = 0.125, .epsilon = DBL_MIN});
    fill(context, "fc2.weight", 1.0, 1e-30); /* the first step is lr, whatever the gradient */
    step(o);
    cr_expect_float_eq(first_of(context, "fc2.weight"), 0.875, 1e-15);
    fill(context, "fc1.bias", 1.0, 0.0); /* and 0 / 0 counts as no step */
    step(o);
    cr_expect_eq(first_of(context, "fc1.bias"), 1.0);

    o = rmsprop(context, (sigad_rmsprop_options){.lr = 0.1, .smoothing = 0.75, .epsilon = DBL_MIN});
    fill(context, "fc2.weight", 1.0, 8.0); /* g / sqrt(g^2 / 4) */
    step(o);
    cr_expect_float_eq(first_of(context, "fc2.weight"), 0.8, 1e-15);
    sigad_context_destroy(context);
}

Test(optimizers, adam_hardly_sees_the_scale_of_the_loss)
{
    sigad_context *a = create(SIGAD_F64, 1, NULL), *b = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *in_a = adam(a, (sigad_adam_options){.epsilon = 1e-12});
    sigad_optimizer *in_b = adam(b, (sigad_adam_options){.epsilon = 1e-12});
    for (int t = 1; t <= STEPS; t++) {
        set_gradients(a, 1.0, t);
        set_gradients(b, 1000.0, t);
        step(in_a);
        step(in_b);
    }
    for (int64_t i = 0; i < N_LARGE; i++)
        cr_assert_float_eq(get(named(a, "fc1.weight")->value.data, SIGAD_F64, i),
                           get(named(b, "fc1.weight")->value.data, SIGAD_F64, i), 1e-8);
    sigad_context_destroy(a);
    sigad_context_destroy(b);
}

Test(optimizers, same_bits_for_any_thread_count)
{
    for (int threads = 2; threads <= 8; threads = threads * 2 - 1) /* 2, 3, 5 */
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
            sigad_context *a = create((sigad_dtype)dtype, 1, NULL);
            sigad_context *b = create((sigad_dtype)dtype, threads, NULL);
            sigad_optimizer *in_a = adam(a, (sigad_adam_options){.clip_norm = 1.0});
            sigad_optimizer *in_b = adam(b, (sigad_adam_options){.clip_norm = 1.0});
            for (int t = 1; t <= STEPS; t++) {
                set_gradients(a, 1.0, t);
                set_gradients(b, 1.0, t);
                step(in_a);
                step(in_b);
            }
            for (int i = 0; i < sigad_parameter_count(a); i++)
                cr_assert_arr_eq(a->parameters[i]->value.data, b->parameters[i]->value.data,
                                 sg_array_bytes(&a->parameters[i]->value));
            sigad_context_destroy(a);
            sigad_context_destroy(b);
        }
}

/* ---- which parameters are trained --------------------------------------------------------------
 */

Test(optimizers, leaves_alone_what_it_should)
{
    sigad_context *context = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *o = sgd(context, (sigad_sgd_options){.prefix = "fc1.", .lr = 0.5});
    fill(context, "fc1.weight", 1.0, 1.0);
    fill(context, "fc1.bias", 1.0, 1.0);
    fill(context, "fc2.weight", 1.0, 1.0); /* another prefix */
    sigad_parameter_freeze(context, sigad_parameter_find(context, "fc1.bias"), 1);
    uint64_t version = named(context, "fc1.weight")->version;
    uint64_t frozen = named(context, "fc1.bias")->version;
    step(o);
    cr_expect_eq(first_of(context, "fc1.weight"), 0.5);
    cr_expect_eq(first_of(context, "fc1.bias"), 1.0);
    cr_expect_eq(first_of(context, "fc2.weight"), 1.0);
    cr_expect_gt(named(context, "fc1.weight")->version, version);
    cr_expect_eq(named(context, "fc1.bias")->version, frozen);

    sigad_parameter_freeze(context, sigad_parameter_find(context, "fc1.bias"), 0);
    sigad_optimizer_zero(o);
    cr_expect(!named(context, "fc1.weight")->reached);
    cr_expect(named(context, "fc2.weight")->reached, "zero reached another prefix");
    step(o); /* nothing was reached */
    cr_expect_eq(first_of(context, "fc1.weight"), 0.5);
    cr_expect_eq(first_of(context, "fc1.bias"), 1.0);
    sigad_context_destroy(context);
}

Test(optimizers, counts_the_updates_of_each_parameter)
{
    sigad_context *context = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *o = adam(context, (sigad_adam_options){.lr = 0.25, .epsilon = DBL_MIN});
    fill(context, "fc1.bias", 1.0, 1.0);
    step(o);
    step(o);
    fill(context, "fc2.weight", 1.0, 1.0); /* its first update: bias correction starts here */
    step(o);
    cr_expect_float_eq(first_of(context, "fc1.bias"), 0.25, 1e-14);
    cr_expect_float_eq(first_of(context, "fc2.weight"), 0.75, 1e-14);
    sigad_parameter(context, "late", SIGAD_F64, SIGAD_SHAPE(2), SIGAD_INIT_CONSTANT(1.0));
    fill(context, "late", 1.0, -1.0);
    step(o);
    cr_expect_float_eq(first_of(context, "late"), 1.25, 1e-14);
    cr_expect_float_eq(first_of(context, "fc1.bias"), 0.0, 1e-14);
    sigad_context_destroy(context);
}

/* Two backward sweeps add up; what the loss does not depend on stays; an old tape is refused. */
Test(optimizers, work_with_backward)
{
    sigad_context *context = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *o = sgd(context, (sigad_sgd_options){.lr = 0.5});
    sigad_tape *tape;
    fill(context, "fc1.bias", 1.0, 0.0);
    fill(context, "fc2.weight", 1.0, 9.0);
    sigad_optimizer_zero(o);
    cr_assert_eq(sigad_tape_create(context, &tape), SIGAD_OK);
    const double zero[3] = {0.0};
    sigad_tensor goal = sigad_input(tape, SIGAD_F64, SIGAD_SHAPE(3), zero);
    sigad_tensor loss = sigad_mse(tape, sigad_parameter_find(context, "fc1.bias"), goal);
    cr_assert_eq(sigad_backward(tape, loss), SIGAD_OK); /* 2 / 3 for each entry */
    cr_assert_eq(sigad_backward(tape, loss), SIGAD_OK);
    step(o);
    cr_expect_float_eq(first_of(context, "fc1.bias"), 1.0 / 3.0, 1e-15);
    cr_expect_eq(first_of(context, "fc2.weight"), 1.0);
    cr_expect_eq(sigad_backward(tape, loss), SIGAD_EMODIFIED);
    sigad_context_destroy(context);
}

/* ---- groups and clipping -----------------------------------------------------------------------
 */

static sigad_status set_group(sigad_optimizer *o, const char *prefix, sigad_group_options options)
{
    options.size = sizeof options;
    return sigad_optimizer_set_group(o, prefix, &options);
}

Test(optimizers, longest_prefix_wins)
{
    sigad_context *context = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *o = sgd(context, (sigad_sgd_options){.lr = 0.5, .weight_decay = 1.0});
    cr_assert_eq(set_group(o, "fc1.bias", (sigad_group_options){.lr_factor = DBL_MIN}), SIGAD_OK);
    cr_assert_eq(set_group(o, NULL, (sigad_group_options){.clip_value = 0.25}), SIGAD_OK);
    cr_assert_eq(set_group(o, "fc1.", (sigad_group_options){.lr_factor = 9.0}), SIGAD_OK);
    cr_assert_eq(
        set_group(o, "fc1.", (sigad_group_options){.lr_factor = 0.5, .weight_decay = DBL_MIN}),
        SIGAD_OK);
    fill(context, "fc1.weight", 1.0, 1.0);
    fill(context, "fc1.bias", 1.0, 1.0);
    fill(context, "fc2.weight", 1.0, 1.0);
    step(o);
    cr_expect_eq(first_of(context, "fc1.weight"), 0.75);  /* half the rate, no decay, not cut */
    cr_expect_eq(first_of(context, "fc1.bias"), 1.0);     /* no rate */
    cr_expect_eq(first_of(context, "fc2.weight"), 0.375); /* 1 - 0.5 * (0.25 + 1) */
    sigad_optimizer_set_lr(o, 1.0);
    fill(context, "fc1.weight", 1.0, 1.0);
    step(o);
    cr_expect_eq(first_of(context, "fc1.weight"), 0.5, "a changed rate must act on groups");
    sigad_context_destroy(context);
}

Test(optimizers, clips_the_joint_norm)
{
    for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
        sigad_context *context = create((sigad_dtype)dtype, 1, NULL);
        sigad_optimizer *o = sgd(context, (sigad_sgd_options){.lr = 1.0, .clip_norm = 1.5});
        fill(context, "fc1.bias", 0.0, -1.0);
        fill(context, "fc2.weight", 0.0, sqrt(2.0)); /* joint norm sqrt(3 + 6) = 3 */
        step(o);
        double tolerance = dtype == SIGAD_F32 ? 1e-6 : 1e-15;
        cr_expect_float_eq(first_of(context, "fc1.bias"), 0.5, tolerance);
        cr_expect_float_eq(first_of(context, "fc2.weight"), -sqrt(0.5), tolerance);
        fill(context, "fc1.bias", 0.0, 0.5); /* below the bound: unchanged */
        fill(context, "fc2.weight", 0.0, 0.5);
        step(o);
        cr_expect_eq(first_of(context, "fc1.bias"), -0.5);
        set_group(o, "fc1.",
                  (sigad_group_options){.clip_value = 1.0}); /* cut first, then the norm */
        fill(context, "fc1.bias", 0.0, -100.0);
        fill(context, "fc2.weight", 0.0, sqrt(2.0));
        step(o);
        cr_expect_float_eq(first_of(context, "fc1.bias"), 0.5, tolerance);
        sigad_context_destroy(context);
    }
}

/* The norm of a gradient of several blocks and of frozen, unreached and foreign parameters. */
Test(optimizers, norm_takes_each_updated_entry_once)
{
    sigad_context *context = create(SIGAD_F64, 2, NULL);
    sigad_optimizer *o =
        sgd(context, (sigad_sgd_options){.prefix = "fc1.", .lr = 1.0, .clip_norm = 1.0});
    fill(context, "fc1.weight", 0.0, 2.0);
    fill(context, "fc1.bias", 0.0, 1e9);
    fill(context, "fc2.weight", 0.0, 1e9);
    sigad_parameter_freeze(context, sigad_parameter_find(context, "fc1.bias"), 1);
    step(o);
    cr_expect_float_eq(first_of(context, "fc1.weight"), -1.0 / 130.0, 1e-15);
    sigad_context_destroy(context);
}

Test(optimizers, refuses_to_clip_what_is_not_finite)
{
    sigad_context *context = create(SIGAD_F64, 1, NULL);
    sigad_optimizer *o = adam(context, (sigad_adam_options){.clip_norm = 2.0});
    fill(context, "fc1.bias", 1.0, 1.0);
    fill(context, "fc2.weight", 1.0, NAN);
    cr_expect_eq(sigad_optimizer_step(o), SIGAD_EINVAL);
    cr_expect_str_eq(
        sigad_context_message(context),
        "sigad_optimizer_step: the gradient of 'fc2.weight' has no finite norm, so that it cannot "
        "be clipped to 2");
    cr_expect_eq(first_of(context, "fc1.bias"), 1.0, "a refused step changed something");
    cr_expect_eq(sigad_optimizer_step(o), SIGAD_EINVAL, "the error must stick");
    cr_expect_eq(sigad_optimizer_set_lr(o, 1.0), SIGAD_EINVAL);
    cr_expect_eq(set_group(o, "", (sigad_group_options){0}), SIGAD_EINVAL);
    sigad_context_clear(context);
    fill(context, "fc2.weight", 1.0, 1e200); /* its square is too large for a double */
    cr_expect_eq(sigad_optimizer_step(o), SIGAD_EINVAL);
    sigad_context_clear(context);
    fill(context, "fc2.weight", 1.0, 1.0);
    cr_expect_eq(sigad_optimizer_step(o), SIGAD_OK);
    sigad_context_destroy(context);
}

/* ---- state -------------------------------------------------------------------------------------
 */

static void copy_state(sigad_optimizer *from, sigad_optimizer *to)
{
    cr_assert_eq(sg_optimizer_state_prepare(from), SIGAD_OK);
    cr_assert_eq(sg_optimizer_state_prepare(to), SIGAD_OK);
    cr_assert_eq(sg_optimizer_state_count(from), sg_optimizer_state_count(to));
    for (size_t i = 0; i < sg_optimizer_state_count(from); i++) {
        const char *name_from, *name_to;
        sigad_array array_from, array_to;
        sg_optimizer_state_at(from, i, &name_from, &array_from);
        sg_optimizer_state_at(to, i, &name_to, &array_to);
        cr_assert_str_eq(name_from, name_to);
        cr_assert_eq(sg_array_bytes(&array_from), sg_array_bytes(&array_to));
        if (array_to.elements) memcpy(array_to.data, array_from.data, sg_array_bytes(&array_to));
    }
}

Test(optimizers, state_and_parameters_are_all_that_matters)
{
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        sigad_context *a = create(SIGAD_F32, 1, NULL), *b = create(SIGAD_F32, 1, NULL);
        sigad_optimizer *in_a = create_rule(a, &cases[c]), *in_b = create_rule(b, &cases[c]);
        for (int t = 0; t < 20; t++) {
            if (t == 10) {
                for (int i = 0; i < sigad_parameter_count(a); i++)
                    memcpy(b->parameters[i]->value.data, a->parameters[i]->value.data,
                           sg_array_bytes(&a->parameters[i]->value));
                copy_state(in_a, in_b);
            }
            sigad_optimizer_zero(in_a);
            set_gradient(a, "fc1.bias", 1.0, t);
            if (t % 3) set_gradient(a, "fc2.weight", 1.0, t);
            step(in_a);
            if (t < 10) continue;
            sigad_optimizer_zero(in_b);
            set_gradient(b, "fc1.bias", 1.0, t);
            if (t % 3) set_gradient(b, "fc2.weight", 1.0, t);
            step(in_b);
        }
        for (int i = 0; i < sigad_parameter_count(a); i++)
            cr_expect_arr_eq(a->parameters[i]->value.data, b->parameters[i]->value.data,
                             sg_array_bytes(&a->parameters[i]->value), "%s", cases[c].what);
        sigad_context_destroy(a);
        sigad_context_destroy(b);
    }
}

Test(optimizers, state_has_names_for_a_checkpoint)
{
    sigad_context *context = create(SIGAD_F32, 1, NULL);
    sigad_optimizer *o = adam(context, (sigad_adam_options){.prefix = "fc"});
    cr_expect_eq(sg_optimizer_state_count(o), 0u);
    cr_assert_eq(sg_optimizer_state_prepare(o), SIGAD_OK);
    static const char *const names[] = {
        "adam.m/fc1.weight", "adam.v/fc1.weight", "adam.updates/fc1.weight",
        "adam.m/fc1.bias",   "adam.v/fc1.bias",   "adam.updates/fc1.bias",
        "adam.m/fc2.weight", "adam.v/fc2.weight", "adam.updates/fc2.weight"};
    cr_assert_eq(sg_optimizer_state_count(o), 9u);
    for (size_t i = 0; i < 9; i++) {
        const char *name;
        sigad_array array;
        sg_optimizer_state_at(o, i, &name, &array);
        cr_expect_str_eq(name, names[i]);
        cr_expect_eq(array.dtype, i % 3 == 2 ? SIGAD_I64 : SIGAD_F32);
        cr_expect_eq(array.elements, i % 3 == 2 ? 1 : i < 3 ? N_LARGE : N_SMALL);
        cr_expect_eq((uintptr_t)array.data % sizeof(int64_t), 0u);
    }
    sigad_context_destroy(context);
}

/* ---- failures ----------------------------------------------------------------------------------
 */

Test(optimizers, short_memory_changes_nothing)
{
    double expected[N_SMALL] = {0}, got[N_SMALL];
    for (int64_t fail_at = 0, tried = 1; fail_at <= tried; fail_at++) {
        failing_allocator allocator = {0};
        sigad_context *context = create(SIGAD_F64, 1, &allocator);
        set_gradients(context, 1.0, 1);
        sg_parameter *p = named(context, "fc2.weight");
        memcpy(got, p->value.data, sizeof got);
        sigad_optimizer *o = NULL;
        sigad_adam_options options = {SIGAD_ADAM_OPTIONS_INIT, .clip_norm = 1.0};
        sigad_group_options group = {SIGAD_GROUP_OPTIONS_INIT, .lr_factor = 2.0};
        failing_allocator_arm(&allocator, fail_at, false);
        sigad_status status = sigad_adam_create(context, &options, &o);
        if (!status) status = sigad_optimizer_set_group(o, "fc", &group);
        if (!status) status = sigad_optimizer_step(o);
        if (!fail_at) tried = allocator.made;
        cr_assert_eq(status, fail_at ? SIGAD_ENOMEM : SIGAD_OK, "%d", (int)fail_at);
        if (fail_at) {
            cr_assert_arr_eq(got, p->value.data, sizeof got);
            failing_allocator_arm(&allocator, 0, false);
            sigad_context_clear(context);
            if (!o) cr_assert_eq(sigad_adam_create(context, &options, &o), SIGAD_OK);
            cr_assert_eq(sigad_optimizer_set_group(o, "fc", &group), SIGAD_OK);
            cr_assert_eq(sigad_optimizer_step(o), SIGAD_OK);
            cr_assert_arr_eq(expected, p->value.data, sizeof expected, "%d", (int)fail_at);
        } else {
            memcpy(expected, p->value.data, sizeof expected);
        }
        sigad_optimizer_destroy(o);
        sigad_context_destroy(context);
        cr_assert_eq(allocator.live, 0, "leaks %d bytes", (int)allocator.live);
    }
}

Test(optimizers, a_step_allocates_once_only)
{
    failing_allocator allocator = {0};
    sigad_context *context = create(SIGAD_F64, 1, &allocator);
    sigad_optimizer *o = adam(context, (sigad_adam_options){.clip_norm = 1.0});
    set_gradients(context, 1.0, 1);
    step(o);
    failing_allocator_arm(&allocator, 0, false);
    step(o);
    cr_expect_eq(allocator.made, 0);
    sigad_context_destroy(context);
}

static void expect_refused(sigad_context *context, sigad_status got, sigad_status status,
                           const char *message)
{
    cr_expect_eq(got, status);
    cr_expect_str_eq(sigad_context_message(context), message);
    sigad_context_clear(context);
}

#define REFUSED(rule, message, ...)                                             \
    do {                                                                        \
        sigad_##rule##_options options = {.size = sizeof options, __VA_ARGS__}; \
        sigad_optimizer *o = (sigad_optimizer *)1;                              \
        sigad_status status = sigad_##rule##_create(context, &options, &o);     \
        cr_expect_null(o);                                                      \
        expect_refused(context, status, SIGAD_EINVAL, message);                 \
    } while (0)

Test(optimizers, bad_options_are_explained)
{
    sigad_context *context = create(SIGAD_F32, 1, NULL);
    REFUSED(adam, "adam: lr is -1; it must be finite and not negative", .lr = -1.0);
    REFUSED(adam, "adam: reserved is 1; it must be 0", .reserved = 1);
    REFUSED(sgd, "sgd: reserved is 2; it must be 0", .reserved2 = 2);
    REFUSED(adam, "adam: lr is nan; it must be finite and not negative", .lr = NAN);
    REFUSED(adam, "adam: beta1 is 1; it must be at least 0 and less than 1", .beta1 = 1.0);
    REFUSED(adam, "adam: beta2 is -0.5; it must be at least 0 and less than 1", .beta2 = -0.5);
    REFUSED(adam, "adam: epsilon is inf; it must be finite and not negative", .epsilon = INFINITY);
    REFUSED(adam, "adam: weight_decay is -1; it must be finite and not negative",
            .weight_decay = -1);
    REFUSED(adam, "adam: clip_norm is nan; it must be finite and not negative", .clip_norm = NAN);
    REFUSED(sgd, "sgd: momentum is 1.5; it must be at least 0 and less than 1", .momentum = 1.5);
    REFUSED(sgd, "sgd: nesterov needs a momentum, such as 0.9; it is 0", .nesterov = 1);
    REFUSED(rmsprop, "rmsprop: smoothing is 1; it must be at least 0 and less than 1",
            .smoothing = 1);

    struct {
        sigad_adam_options known;
        double more;
    } longer = {.known.size = sizeof longer};
    sigad_optimizer *o;
    cr_expect_eq(sigad_adam_create(context, &longer.known, &o), SIGAD_OK);
    cr_expect_neq(o, NULL);
    longer.more = 1.0;
    cr_expect_eq(sigad_adam_create(context, &longer.known, &o), SIGAD_ENOTSUP);
    cr_expect_null(o);
    sigad_context_clear(context);

    expect_refused(
        context, sigad_adam_create(context, NULL, NULL), SIGAD_EINVAL,
        "sigad_adam_options: there is no place for the result; pass the address of a pointer");
    o = adam(context, (sigad_adam_options){0});
    expect_refused(context, sigad_optimizer_set_lr(o, -1.0), SIGAD_EINVAL,
                   "sigad_optimizer_set_lr: lr is -1; it must be finite and not negative");
    cr_expect_eq(sigad_optimizer_lr(o), 1e-3);
    expect_refused(
        context, set_group(o, "fc", (sigad_group_options){.clip_value = -1.0}), SIGAD_EINVAL,
        "sigad_optimizer_set_group: clip_value is -1; it must be finite and not negative");
    sigad_context_destroy(context);
}

Test(optimizers, null_is_accepted_everywhere)
{
    sigad_optimizer *o = (sigad_optimizer *)1;
    cr_expect_eq(sigad_sgd_create(NULL, NULL, &o), SIGAD_EINVAL);
    cr_expect_null(o);
    cr_expect_eq(sigad_optimizer_step(NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_optimizer_set_lr(NULL, 1.0), SIGAD_EINVAL);
    cr_expect_eq(sigad_optimizer_set_group(NULL, "", NULL), SIGAD_EINVAL);
    cr_expect(isnan(sigad_optimizer_lr(NULL)));
    sigad_optimizer_zero(NULL);
    sigad_optimizer_destroy(NULL);
    sigad_context *context = create(SIGAD_F32, 1, NULL);
    cr_expect_eq(sigad_sgd_create(context, NULL, &o), SIGAD_OK);
    cr_expect_eq(sigad_optimizer_lr(o), 1e-2);
    cr_expect_eq(sigad_optimizer_set_lr(o, 0.0), SIGAD_OK);
    cr_expect_eq(sigad_optimizer_lr(o), 0.0);
    sigad_context_destroy(context);
}

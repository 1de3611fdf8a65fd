/* Whole training steps, forward, backward and optimizer, as CUDA graphs: the bits of ordinary steps
 * on new bytes, with new rates, for every rule, wherever the step stands; and what is refused. */
#include "cuda_world.h"
#include "emulation_control.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 5, LENGTH = 7, FEATURES = 14, WEIGHTS = FEATURES + 1, STEPS = 5 };

typedef enum { SGD, ADAM, RMSPROP, RULES } rule;
enum { MOMENTUM = 1, DECAY = 2, CLIP = 4, OPTIONS = 8 };

typedef struct {
    cuda_world w;
    sigad_dtype dtype;
    sigad_optimizer *optimizer[2]; /* of the weights, or of all; of the bias */
    sigad_tensor loss;
    union {
        float f32[BATCH * LENGTH * 2];
        double f64[BATCH * LENGTH * 2];
    } path, target;
} model;

static void put(model *m, void *to, int i, double x)
{
    if (m->dtype == SIGAD_F32)
        ((float *)to)[i] = (float)x;
    else
        ((double *)to)[i] = x;
}

static void fill(model *m, int step)
{
    for (int i = 0; i < BATCH * LENGTH * 2; i++) put(m, &m->path, i, sin(0.7 * i + step));
    for (int i = 0; i < BATCH; i++) put(m, &m->target, i, 3.0 * cos(i + 2.0 * step));
}

static sigad_optimizer *optimizer_of(sigad_context *c, rule kind, int options, const char *prefix)
{
    const double momentum = options & MOMENTUM ? 0.8 : 0, decay = options & DECAY ? 0.1 : 0;
    const double clip = options & CLIP ? 0.7 : 0;
    sigad_optimizer *o = NULL;
    if (kind == SGD)
        sigad_sgd_create(c,
                         &(sigad_sgd_options){SIGAD_SGD_OPTIONS_INIT, .prefix = prefix,
                                              .momentum = momentum, .weight_decay = decay,
                                              .clip_norm = clip, .nesterov = options == MOMENTUM},
                         &o);
    if (kind == ADAM)
        sigad_adam_create(c,
                          &(sigad_adam_options){SIGAD_ADAM_OPTIONS_INIT, .prefix = prefix,
                                                .weight_decay = decay, .clip_norm = clip},
                          &o);
    if (kind == RMSPROP)
        sigad_rmsprop_create(c,
                             &(sigad_rmsprop_options){SIGAD_RMSPROP_OPTIONS_INIT, .prefix = prefix,
                                                      .momentum = momentum, .weight_decay = decay,
                                                      .clip_norm = clip,
                                                      .centered = options == MOMENTUM},
                             &o);
    sigad_optimizer_set_group(
        o, "w",
        &(sigad_group_options){SIGAD_GROUP_OPTIONS_INIT, .lr_factor = 0.5, .clip_value = 0.3});
    return o;
}

static void open_model(model *m, sigad_dtype dtype, rule kind, int options)
{
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 3};
    cuda_world_open(&m->w);
    m->dtype = dtype;
    sigad_context *c = m->w.context;
    sigad_tape *t = m->w.tape;
    fill(m, 0);
    sigad_tensor weight =
        sigad_parameter(c, "w", dtype, 2, (int64_t[]){FEATURES, 1}, SIGAD_INIT_XAVIER);
    sigad_tensor bias = sigad_parameter(c, "b", dtype, 1, (int64_t[]){1}, SIGAD_INIT_ZERO);
    sigad_tensor x = sigad_input(t, dtype, 3, (int64_t[]){BATCH, LENGTH, 2}, &m->path);
    sigad_tensor y = sigad_input(t, dtype, 2, (int64_t[]){BATCH, 1}, &m->target);
    x = sigad_linear(t, sigad_sig(t, x, &spec), weight, bias);
    m->loss = sigad_mse(t, x, y);
    m->optimizer[0] = optimizer_of(c, kind, options, "");
    m->optimizer[1] = NULL;
    cr_assert_eq(sigad_context_status(c), SIGAD_OK, "%s", sigad_context_message(c));
}

/* What a program does in a step, in several orders: letter by letter. */
static void work(model *m, const char *order)
{
    for (; *order; order++) {
        if (*order == 'r') sigad_replay(m->w.tape);
        if (*order == 'b') sigad_backward(m->w.tape, m->loss);
        for (int i = 0; i < 2 && m->optimizer[i]; i++) {
            if (*order == 'z') sigad_optimizer_zero(m->optimizer[i]);
            if (*order == 's') sigad_optimizer_step(m->optimizer[i]);
        }
    }
    cr_assert_eq(sigad_context_status(m->w.context), SIGAD_OK, "%s",
                 sigad_context_message(m->w.context));
}

/* Captured after one step outside, which takes the memory; the end is the next step. */
static sigad_cuda_graph *capture(model *m, const char *order)
{
    sigad_cuda_graph *graph;
    cr_assert_eq(sigad_cuda_capture_begin(m->w.tape), SIGAD_OK);
    work(m, order);
    cr_assert_eq(sigad_cuda_capture_end(m->w.tape, &graph), SIGAD_OK, "%s",
                 sigad_context_message(m->w.context));
    return graph;
}

static void expect_same(const model *a, const model *b, const char *what)
{
    double x[WEIGHTS], y[WEIGHTS];
    const size_t one = a->dtype == SIGAD_F32 ? sizeof(float) : sizeof(double);
    for (int i = 0; i < 2; i++) {
        const size_t bytes = one * (i ? 1 : FEATURES);
        cr_assert_eq(
            sigad_parameter_read(a->w.context, sigad_parameter_at(a->w.context, i), x, bytes),
            SIGAD_OK, "%s", sigad_context_message(a->w.context));
        cr_assert_eq(
            sigad_parameter_read(b->w.context, sigad_parameter_at(b->w.context, i), y, bytes),
            SIGAD_OK, "%s", sigad_context_message(b->w.context));
        cr_assert_eq(memcmp(x, y, bytes), 0, "%s: parameter %d", what, i);
    }
}

static void expect_same_loss(model *a, model *b)
{
    cr_assert_eq(sigad_item(a->w.tape, a->loss), sigad_item(b->w.tape, b->loss));
}

static void launch(model *m, sigad_cuda_graph *graph)
{
    cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_OK, "%s",
                 sigad_context_message(m->w.context));
}

static void set_rate(model *m, int step)
{
    const sigad_schedule schedule = {SIGAD_SCHEDULE_INIT, .kind = SIGAD_SCHEDULE_COSINE, .lr = 0.1,
                                     .warmup = 2, .steps = 2 * STEPS};
    for (int i = 0; i < 2 && m->optimizer[i]; i++)
        sigad_optimizer_set_lr(m->optimizer[i], sigad_schedule_lr(&schedule, step));
}

/* Two models that have done a step, the second one's second step in a graph. */
static sigad_cuda_graph *start(model *a, model *b, const char *order)
{
    model *const both[] = {a, b};
    for (int k = 0; k < 2; k++) {
        set_rate(both[k], 0);
        work(both[k], "bs");
        work(both[k], order);
        fill(both[k], 1);
        set_rate(both[k], 1);
    }
    work(a, order);
    return capture(b, order);
}

static void step_both(model *a, model *b, sigad_cuda_graph *graph, const char *order, int step)
{
    fill(a, step);
    fill(b, step);
    set_rate(a, step);
    set_rate(b, step);
    work(a, order);
    const int64_t launches = emulated.launches;
    launch(b, graph);
    cr_expect_leq(emulated.launches, launches + 3, "the graph, and its optimizers' numbers");
    expect_same_loss(a, b);
}

static void compare(sigad_dtype dtype, rule kind, int options, const char *order)
{
    model a, b;
    char what[60];
    snprintf(what, sizeof what, "rule %d, options %d, %s", kind, options, order);
    open_model(&a, dtype, kind, options);
    open_model(&b, dtype, kind, options);
    sigad_cuda_graph *graph = start(&a, &b, order);
    expect_same(&a, &b, what);
    for (int i = 2; i < STEPS; i++) step_both(&a, &b, graph, order, i);
    expect_same(&a, &b, what);
    work(&a, order); /* ordinary steps go on where the graph was, */
    work(&b, order);
    work(&a, order); /* and the graph where those were */
    launch(&b, graph);
    expect_same(&a, &b, what);
    world_close(&b.w);
    cuda_world_close(&a.w);
}

Test(cuda_graph_steps, every_rule)
{
    for (rule kind = SGD; kind < RULES; kind++)
        for (int options = 0; options < OPTIONS; options++)
            compare(options % 2 ? SIGAD_F32 : SIGAD_F64, kind, options, "rzbs");
}

/* The step at the beginning works with the gradients of the launch before; zeroing at the end; two
 * updates in one graph; gradients of two launches. */
Test(cuda_graph_steps, in_any_order)
{
    static const char *const order[] = {"srzb", "rbsz", "rzbsrzbs", "rbs", "zrbs"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        compare(SIGAD_F64, ADAM, DECAY | CLIP, order[i]);
}

Test(cuda_graph_steps, work_that_is_put_off)
{
    emulated.deferred = 1;
    compare(SIGAD_F32, ADAM, CLIP, "rzbs");
    compare(SIGAD_F64, RMSPROP, MOMENTUM, "srzb");
}

/* Settings are those of the time of the launch, and so is the number of updates. */
Test(cuda_graph_steps, settings_change_between_launches)
{
    const sigad_group_options group = {SIGAD_GROUP_OPTIONS_INIT, .lr_factor = 2, .clip_value = 0.1,
                                       .weight_decay = 0.3};
    model a, b;
    open_model(&a, SIGAD_F64, ADAM, CLIP);
    open_model(&b, SIGAD_F64, ADAM, CLIP);
    sigad_cuda_graph *graph = start(&a, &b, "rzbs");
    sigad_optimizer_set_group(a.optimizer[0], "w", &group);
    sigad_optimizer_set_group(b.optimizer[0], "w", &group);
    for (int i = 2; i < STEPS; i++) step_both(&a, &b, graph, "rzbs", i);
    expect_same(&a, &b, "another group");
    world_close(&b.w);
    cuda_world_close(&a.w);
}

/* Backward outside of the graph: the step takes gradients as they are, and forgets them. */
Test(cuda_graph_steps, nothing_but_the_optimizer)
{
    model a, b;
    open_model(&a, SIGAD_F64, ADAM, CLIP);
    open_model(&b, SIGAD_F64, ADAM, CLIP);
    work(&a, "bszrb");
    work(&b, "bszrb");
    work(&a, "sz");
    sigad_cuda_graph *graph = capture(&b, "sz");
    for (int i = 2; i < STEPS; i++) {
        fill(&a, i);
        fill(&b, i);
        work(&a, "rb");
        work(&b, "rb");
        expect_same_loss(&a, &b);
        work(&a, "sz");
        launch(&b, graph);
    }
    expect_same(&a, &b, "a step alone");
    world_close(&b.w);
    cuda_world_close(&a.w);
}

Test(cuda_graph_steps, two_optimizers)
{
    model a, b, *const both[] = {&a, &b};
    for (int k = 0; k < 2; k++) {
        open_model(both[k], SIGAD_F64, ADAM, 0);
        sigad_optimizer_destroy(both[k]->optimizer[0]);
        both[k]->optimizer[0] = optimizer_of(both[k]->w.context, ADAM, CLIP, "w");
        both[k]->optimizer[1] = optimizer_of(both[k]->w.context, SGD, MOMENTUM, "b");
    }
    sigad_cuda_graph *graph = start(&a, &b, "rzbs");
    for (int i = 2; i < STEPS; i++) step_both(&a, &b, graph, "rzbs", i);
    expect_same(&a, &b, "two optimizers");
    world_close(&b.w);
    cuda_world_close(&a.w);
}

/* Where a step begins a graph and the gradient holds nothing, nothing is updated, as outside. */
Test(cuda_graph_steps, forgotten_gradients_are_not_stepped_on)
{
    model a, b;
    open_model(&a, SIGAD_F64, ADAM, CLIP);
    open_model(&b, SIGAD_F64, ADAM, CLIP);
    sigad_cuda_graph *graph = start(&a, &b, "srzb");
    sigad_optimizer_zero(a.optimizer[0]);
    sigad_optimizer_zero(b.optimizer[0]);
    for (int i = 2; i < STEPS; i++) step_both(&a, &b, graph, "srzb", i);
    expect_same(&a, &b, "after a step on nothing");
    world_close(&b.w);
    cuda_world_close(&a.w);
}

/* Without this, the tape would take the parameters for those that it has computed with. */
Test(cuda_graph_steps, the_tape_knows_what_it_computed_with)
{
    model m, other;
    open_model(&m, SIGAD_F64, ADAM, 0);
    open_model(&other, SIGAD_F64, ADAM, 0);
    sigad_cuda_graph *graph = start(&other, &m, "rzbs");
    launch(&m, graph);
    cr_assert_neq(sigad_backward(m.w.tape, m.loss), SIGAD_OK, "the step has changed parameters");
    sigad_context_clear(m.w.context);
    world_close(&m.w);
    cuda_world_close(&other.w);
    open_model(&m, SIGAD_F64, ADAM, 0);
    open_model(&other, SIGAD_F64, ADAM, 0);
    graph = start(&other, &m, "srzb");
    launch(&m, graph);
    cr_assert_eq(sigad_backward(m.w.tape, m.loss), SIGAD_OK, "it came before the replay");
    sigad_tape *tape;
    sigad_tape_create(m.w.context, &tape);
    const sigad_tensor y = sigad_square(tape, sigad_parameter_at(m.w.context, 1));
    launch(&m, graph);
    cr_assert_neq(sigad_backward(tape, y), SIGAD_OK, "another tape has old values");
    sigad_context_clear(m.w.context);
    world_close(&m.w);
    cuda_world_close(&other.w);
}

/* A state saved between launches is that of ordinary steps; loading it takes a graph back there. */
Test(cuda_graph_steps, checkpoints_between_launches, .fini = hostile_remove)
{
    static char path[300];
    model a, b, c;
    snprintf(path, sizeof path, "%s", hostile_path("graph.safetensors"));
    open_model(&a, SIGAD_F64, ADAM, DECAY);
    open_model(&b, SIGAD_F64, ADAM, DECAY);
    open_model(&c, SIGAD_F64, ADAM, DECAY);
    sigad_cuda_graph *graph = start(&a, &b, "rzbs");
    step_both(&a, &b, graph, "rzbs", 2);
    cr_assert_eq(sigad_save(b.w.context, b.optimizer[0], path), SIGAD_OK);
    cr_assert_eq(sigad_load(c.w.context, c.optimizer[0], path), SIGAD_OK);
    step_both(&a, &b, graph, "rzbs", 3);
    fill(&c, 3);
    set_rate(&c, 3);
    work(&c, "rzbs");
    expect_same(&a, &c, "a loaded optimizer");
    launch(&b, graph);
    cr_assert_eq(sigad_load(b.w.context, b.optimizer[0], path), SIGAD_OK);
    set_rate(&b, 3);
    launch(&b, graph);
    expect_same(&a, &b, "a graph after loading");
    world_close(&c.w);
    world_close(&b.w);
    cuda_world_close(&a.w);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* Nothing counts that was not launched. */
Test(cuda_graph_steps, a_launch_that_fails)
{
    for (int number = 0; number < 2; number++) { /* of the numbers, of the graph */
        model a, b;
        open_model(&a, SIGAD_F64, ADAM, DECAY);
        open_model(&b, SIGAD_F64, ADAM, DECAY);
        sigad_cuda_graph *graph = start(&a, &b, "rzbs");
        emulated.failing_launch = number;
        cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_ECUDA);
        expect_error(b.w.context, SIGAD_ECUDA, NULL);
        emulated.failing_launch = -1;
        for (int i = 2; i < STEPS; i++) step_both(&a, &b, graph, "rzbs", i);
        expect_same(&a, &b, "after a failure");
        world_close(&b.w);
        cuda_world_close(&a.w);
    }
}

Test(cuda_graph_steps, no_norm)
{
    model a, b, *const both[] = {&a, &b};
    open_model(&a, SIGAD_F64, ADAM, CLIP);
    open_model(&b, SIGAD_F64, ADAM, CLIP);
    sigad_cuda_graph *graph = start(&a, &b, "rzbs");
    a.target.f64[1] = b.target.f64[1] = NAN;
    work(&a, "rzbs");
    launch(&b, graph);
    for (int k = 0; k < 2; k++) {
        cr_expect_eq(sigad_synchronize(both[k]->w.context), SIGAD_EINVAL);
        sigad_context_clear(both[k]->w.context);
    }
    expect_same(&a, &b, "no norm");
    world_close(&b.w);
    cuda_world_close(&a.w);
}

static sigad_cuda_graph *open_captured(model *m)
{
    open_model(m, SIGAD_F64, ADAM, 0);
    work(m, "rzbs");
    return capture(m, "rzbs");
}

Test(cuda_graph_steps, what_has_changed_since_the_capture)
{
    model m;
    sigad_cuda_graph *graph = open_captured(&m);
    sigad_context *c = m.w.context;
    sigad_parameter_freeze(c, sigad_parameter_at(c, 1), 1);
    cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_ESTALE);
    expect_error(c, SIGAD_ESTALE, "sigad_cuda_graph_launch: 'b' was frozen since the capture");
    sigad_parameter_freeze(c, sigad_parameter_at(c, 1), 0);
    launch(&m, graph);
    sigad_optimizer_destroy(m.optimizer[0]);
    m.optimizer[0] = optimizer_of(c, ADAM, 0, ""); /* most likely at the same address */
    work(&m, "rbs");
    cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_ESTALE);
    expect_error(c, SIGAD_ESTALE,
                 "sigad_cuda_graph_launch: the optimizer of a captured step is destroyed");
    cuda_world_close(&m.w);

    graph = open_captured(&m);
    sigad_tape_destroy(m.w.tape);
    cr_assert_eq(sigad_tape_create(m.w.context, &m.w.tape), SIGAD_OK);
    cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_ESTALE);
    expect_error(m.w.context, SIGAD_ESTALE, NULL);
    cuda_world_close(&m.w);
}

Test(cuda_graph_steps, refuses_what_cannot_be_kept)
{
    model m;
    sigad_cuda_graph *graph;
    open_model(&m, SIGAD_F64, ADAM, 0);
    sigad_context *c = m.w.context;
    work(&m, "brzb");
    cr_assert_eq(sigad_cuda_capture_begin(m.w.tape), SIGAD_OK);
    cr_assert_eq(sigad_optimizer_step(m.optimizer[0]), SIGAD_EINVAL, "it needs memory");
    cr_expect(strstr(sigad_context_message(c), "do the same once before the capture"));
    cr_assert_eq(sigad_cuda_capture_end(m.w.tape, &graph), SIGAD_EINVAL);
    cr_assert_null(graph);
    sigad_context_clear(c);

    work(&m, "s");
    cr_assert_eq(sigad_cuda_capture_begin(m.w.tape), SIGAD_OK);
    sigad_status status = SIGAD_OK;
    for (int i = 0; i < 1000 && !status; i++) status = sigad_optimizer_step(m.optimizer[0]);
    cr_assert_eq(status, SIGAD_ENOTSUP);
    expect_error(c, SIGAD_ENOTSUP, "sigad_optimizer_step: a graph has no room for so many steps");
    sigad_tape *other;
    cr_assert_eq(sigad_tape_create(c, &other), SIGAD_OK);
    cr_assert_eq(sigad_replay(other), SIGAD_EINVAL);
    expect_error(c, SIGAD_EINVAL, "sigad_replay: another tape is being captured");
    cr_assert_eq(sigad_relu(other, sigad_parameter_at(c, 0)).generation, 0);
    expect_error(c, SIGAD_EINVAL, NULL);
    cr_assert_eq(sigad_backward(other, sigad_parameter_at(c, 1)), SIGAD_EINVAL);
    expect_error(c, SIGAD_EINVAL, "sigad_backward: another tape is being captured");
    cr_assert_eq(sigad_cuda_capture_end(other, &graph), SIGAD_EINVAL);
    expect_error(c, SIGAD_EINVAL, "sigad_cuda_capture_end: this tape is not being captured");
    cuda_world_close(&m.w); /* during a capture that holds steps */
}

/* Every block of memory that a capture takes fails in turn. */
Test(cuda_graph_steps, no_memory)
{
    model m;
    int number = 0;
    sigad_status status;
    open_model(&m, SIGAD_F64, ADAM, 0);
    work(&m, "bsrzbs");
    do {
        emulated.failing_take = number++;
        status = sigad_cuda_capture_begin(m.w.tape);
        emulated.failing_take = -1;
        if (status) expect_error(m.w.context, SIGAD_ENOMEM, NULL);
    } while (status);
    cr_expect_eq(number, 2);
    cuda_world_close(&m.w);
}

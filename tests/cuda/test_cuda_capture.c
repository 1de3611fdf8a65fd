/* A recorded step as a CUDA graph. */
#include "cuda_world.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { BATCH = 6, LENGTH = 9, FEATURES = 14, WEIGHTS = FEATURES + 1, STEPS = 5 };

typedef struct {
    cuda_world w;
    sigad_optimizer *adam;
    sigad_tensor loss;
    double path[BATCH * LENGTH * 2], target[BATCH];
} model;

static void fill(model *m, int step)
{
    for (int i = 0; i < BATCH * LENGTH * 2; i++) m->path[i] = sin(0.7 * i + step);
    for (int i = 0; i < BATCH; i++) m->target[i] = cos(i + 2.0 * step);
}

static void open_model(model *m)
{
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 3};
    cuda_world_open(&m->w);
    sigad_context *c = m->w.context;
    sigad_tape *t = m->w.tape;
    fill(m, 0);
    sigad_tensor weight =
        sigad_parameter(c, "w", SIGAD_F64, 2, (int64_t[]){FEATURES, 1}, SIGAD_INIT_XAVIER);
    sigad_tensor bias = sigad_parameter(c, "b", SIGAD_F64, 1, (int64_t[]){1}, SIGAD_INIT_ZERO);
    sigad_tensor x = sigad_input(t, SIGAD_F64, 3, (int64_t[]){BATCH, LENGTH, 2}, m->path);
    sigad_tensor y = sigad_input(t, SIGAD_F64, 2, (int64_t[]){BATCH, 1}, m->target);
    x = sigad_linear(t, sigad_sig(t, x, &spec), weight, bias);
    m->loss = sigad_mse(t, x, y);
    sigad_adam_create(c, &(sigad_adam_options){SIGAD_ADAM_OPTIONS_INIT, .lr = 0.05}, &m->adam);
    cr_assert_eq(sigad_backward(t, m->loss), SIGAD_OK, "%s", sigad_context_message(c));
}

static void differentiate(model *m)
{
    sigad_replay(m->w.tape);
    sigad_optimizer_zero(m->adam);
    sigad_backward(m->w.tape, m->loss);
}

static void weights(const model *m, double out[WEIGHTS])
{
    sigad_context *c = m->w.context;
    cr_assert_eq(sigad_parameter_read(c, sigad_parameter_at(c, 0), out, FEATURES * sizeof *out),
                 SIGAD_OK, "%s", sigad_context_message(c));
    cr_assert_eq(sigad_parameter_read(c, sigad_parameter_at(c, 1), out + FEATURES, sizeof *out),
                 SIGAD_OK);
}

static sigad_cuda_graph *capture(model *m)
{
    sigad_cuda_graph *graph;
    differentiate(m);
    cr_assert_eq(sigad_cuda_capture_begin(m->w.tape), SIGAD_OK);
    const int64_t launches = emulated.launches;
    differentiate(m);
    cr_assert_gt(emulated.launches, launches);
    cr_assert_eq(sigad_cuda_capture_end(m->w.tape, &graph), SIGAD_OK, "%s",
                 sigad_context_message(m->w.context));
    return graph;
}

/* The same bits as without, at once or with all work put off. */
Test(cuda_capture, trains_as_replay_does)
{
    for (int deferred = 0; deferred < 2; deferred++) {
        model a, b;
        double x[WEIGHTS], y[WEIGHTS], loss[2];
        emulated.deferred = deferred;
        open_model(&a);
        open_model(&b);
        differentiate(&a);
        sigad_cuda_graph *graph = capture(&b);
        for (int i = 1; i < STEPS; i++) {
            fill(&a, i);
            fill(&b, i);
            sigad_optimizer_step(a.adam);
            differentiate(&a);
            sigad_optimizer_step(b.adam);
            const int64_t launches = emulated.launches;
            cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_OK, "%s",
                         sigad_context_message(b.w.context));
            cr_assert_eq(emulated.launches, launches + 1);
            loss[0] = sigad_item(a.w.tape, a.loss);
            loss[1] = sigad_item(b.w.tape, b.loss);
            cr_assert_eq(loss[0], loss[1]);
        }
        /* Eager calls go on where the graph was. */
        sigad_optimizer_step(a.adam);
        sigad_optimizer_step(b.adam);
        differentiate(&a);
        differentiate(&b);
        sigad_optimizer_step(a.adam);
        sigad_optimizer_step(b.adam);
        weights(&a, x);
        weights(&b, y);
        cr_assert_arr_eq(x, y, sizeof x);
        if (!deferred) sigad_cuda_graph_destroy(graph);
        world_close(&b.w);
        cuda_world_close(&a.w);
    }
}

/* A capture without zeroing adds, also to a gradient that was forgotten in the meantime. */
Test(cuda_capture, adds_where_the_captured_calls_did)
{
    model m;
    sigad_cuda_graph *graph;
    double once, twice;
    open_model(&m);
    const sigad_tensor bias = sigad_parameter_at(m.w.context, 1);
    differentiate(&m);
    sigad_backward(m.w.tape, m.loss); /* adds: takes the memory for that */
    cr_assert_eq(sigad_cuda_capture_begin(m.w.tape), SIGAD_OK);
    sigad_backward(m.w.tape, m.loss);
    cr_assert_eq(sigad_cuda_capture_end(m.w.tape, &graph), SIGAD_OK, "%s",
                 sigad_context_message(m.w.context));
    sigad_optimizer_zero(m.adam);
    differentiate(&m);
    once = sigad_item(m.w.tape, sigad_gradient(m.w.tape, bias));
    cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_OK);
    twice = sigad_item(m.w.tape, sigad_gradient(m.w.tape, bias));
    cr_assert_float_eq(twice, 2.0 * once, 1e-12);
    cuda_world_close(&m.w);
}

Test(cuda_capture, refuses_what_cannot_be_kept)
{
    model m;
    sigad_cuda_graph *graph;
    const double x[3] = {1, 2, 3};
    const int64_t three = 3;
    double got;
    open_model(&m);
    sigad_context *c = m.w.context;
    sigad_tape *t = m.w.tape;
    differentiate(&m);
    cr_assert_eq(sigad_cuda_capture_end(t, &graph), SIGAD_EINVAL);
    expect_error(c, SIGAD_EINVAL, "sigad_cuda_capture_end: this tape is not being captured");
    cr_assert_eq(sigad_cuda_capture_begin(t), SIGAD_OK);
    cr_assert_eq(sigad_cuda_capture_begin(t), SIGAD_EINVAL);
    expect_error(c, SIGAD_EINVAL,
                 "sigad_cuda_capture_begin: a capture is under way in this context");
    cr_assert_eq(sigad_read(t, m.loss, &got, sizeof got), SIGAD_EINVAL);
    expect_error(c, SIGAD_EINVAL, NULL);
    cr_assert_eq(sigad_constant(t, SIGAD_F64, 1, &three, x).generation, 0);
    expect_error(c, SIGAD_EINVAL, NULL);
    cr_assert_eq(sigad_synchronize(c), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_capture_end(t, &graph), SIGAD_EINVAL, "the error is still held");
    cr_assert_null(graph);
    sigad_context_clear(c);

    graph = capture(&m);
    sigad_tape_reset(t);
    cr_assert_eq(sigad_cuda_graph_launch(graph), SIGAD_ESTALE);
    expect_error(c, SIGAD_ESTALE,
                 "sigad_cuda_graph_launch: the tape was reset, rewound or destroyed since the "
                 "capture");
    cr_assert_eq(sigad_cuda_capture_begin(t), SIGAD_OK);
    cuda_world_close(&m.w); /* during a capture */
}

Test(cuda_capture, on_the_cpu)
{
    world w;
    sigad_cuda_graph *graph;
    world_open(&w);
    cr_assert_eq(sigad_cuda_capture_begin(w.tape), SIGAD_EDEVICE);
    expect_error(w.context, SIGAD_EDEVICE,
                 "sigad_cuda_capture_begin: the context computes on the CPU");
    cr_assert_eq(sigad_cuda_capture_end(w.tape, &graph), SIGAD_EINVAL);
    sigad_context_clear(w.context);
    cr_assert_eq(sigad_cuda_graph_launch(NULL), SIGAD_EINVAL);
    sigad_cuda_graph_destroy(NULL);
    world_close(&w);
}

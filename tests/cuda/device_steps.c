#include "device_steps.h"
#include "device_memory.h"

#define main hurst_main
#include "../../examples/hurst.c"
#undef main

enum { SMALL = 32, LENGTH = 20, AT_ONCE = 20, MOST_RUNS = 21 };

typedef struct {
    sigad_context *context;
    sigad_tape *tape;
    sigad_optimizer *adam;
    sigad_tensor loss;
    float *path, *target; /* pinned */
} trained;

static void step(const trained *t)
{
    sigad_replay(t->tape);
    sigad_optimizer_zero(t->adam);
    sigad_backward(t->tape, t->loss);
    sigad_optimizer_step(t->adam);
}

/* The median of `runs` times of `steps` steps, in microseconds for a step; one step: until it is
 * done. `graph` NULL: operation by operation. */
static double time_of(const trained *t, sigad_cuda_graph *graph, int runs, int steps)
{
    double times[MOST_RUNS];
    for (int run = 0; run < runs; run++) {
        const double start = device_seconds();
        for (int i = 0; i < steps; i++) {
            t->path[run % 7] += 0.01F;
            if (graph)
                sigad_cuda_graph_launch(graph);
            else
                step(t);
        }
        times[run] = 1e6 * (device_seconds() - start) / steps;
    }
    qsort(times, (size_t)runs, sizeof *times, compare);
    return times[runs / 2];
}

/* x [batch, points, 2] and y [batch, 1]. */
static void take_inputs(trained *t, int64_t batch, int64_t points, sigad_tensor *x, sigad_tensor *y)
{
    const size_t entries = (size_t)(batch * points * 2);
    t->path = device_take_pinned(entries * sizeof(float));
    t->target = device_take_pinned((size_t)batch * sizeof(float));
    for (size_t i = 0; t->path && i < entries; i++) t->path[i] = sinf(0.37F * (float)i);
    for (int64_t i = 0; t->target && i < batch; i++) t->target[i] = cosf((float)i);
    *x = sigad_input(t->tape, SIGAD_F32, SIGAD_SHAPE(batch, points, 2), t->path);
    *y = sigad_input(t->tape, SIGAD_F32, SIGAD_SHAPE(batch, 1), t->target);
}

static void record_small(trained *t)
{
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 3, .method = SIGAD_LYNDON_WORDS};
    const layer hidden = layer_create(t->context, "hidden", 0, 5, HIDDEN);
    const layer out = layer_create(t->context, "out", 0, HIDDEN, 1);
    sigad_tensor x, y;
    take_inputs(t, SMALL, LENGTH, &x, &y);
    x = sigad_tanh(t->tape, sigad_linear(t->tape, sigad_log_sig(t->tape, x, &spec), hidden.weight,
                                         hidden.bias));
    t->loss = sigad_mse(t->tape, sigad_linear(t->tape, x, out.weight, out.bias), y);
}

static void record_hurst(trained *t, int64_t batch)
{
    const model m = model_create(t->context);
    sigad_tensor x, y;
    take_inputs(t, batch, POINTS, &x, &y);
    t->loss = sigad_mse(t->tape, model_apply(t->tape, &m, x), y);
}

static int time_model(const char *name, int runs, int64_t batch)
{
    trained t = {.context = context_open("cuda", 1, 0)};
    sigad_cuda_graph *graph = NULL;
    sigad_tape_create(t.context, &t.tape);
    sigad_adam_create(t.context, NULL, &t.adam);
    if (batch)
        record_hurst(&t, batch);
    else
        record_small(&t);
    step(&t);
    step(&t);
    const double one = time_of(&t, NULL, runs, 1), many = time_of(&t, NULL, runs, AT_ONCE);
    sigad_cuda_capture_begin(t.tape);
    step(&t);
    if (!sigad_cuda_capture_end(t.tape, &graph))
        printf("| %s | %.1f | %.1f | %.1f | %.1f |\n", name, one, many, time_of(&t, graph, runs, 1),
               time_of(&t, graph, runs, AT_ONCE));
    const int failed = context_close(t.context);
    device_release_pinned(t.path);
    device_release_pinned(t.target);
    return failed;
}

int device_steps(int runs, int batch)
{
    char name[60];
    if (runs < 1 || runs > MOST_RUNS) runs = MOST_RUNS;
    printf("| model | a step, us | of %d | as a graph, us | of %d |\n|---|---|---|---|---|\n",
           AT_ONCE, AT_ONCE);
    snprintf(name, sizeof name, "small, batch %d, length %d", SMALL, LENGTH);
    const int failed = time_model(name, runs, 0);
    snprintf(name, sizeof name, "hurst, batch %d, length %d", batch, POINTS);
    return time_model(name, runs, batch) || failed;
}

int device_hurst(const char *steps)
{
    char *arguments[] = {
        "hurst", "--device", "cuda", "--threads", "1", "--steps", (char *)(uintptr_t)steps, NULL};
    return hurst_main(7, arguments);
}

#include "device_train.h"
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 48,
    LENGTH = 20,
    HIDDEN = 32,
    STEPS = 25,
    FEATURES = 8,
    TENSORS = 4,
    WEIGHTS = 321,
    AT_ONCE = 3
};

static const int64_t shapes[TENSORS][2] = {{FEATURES, HIDDEN}, {1, HIDDEN}, {HIDDEN, 1}, {1, 1}};

typedef struct {
    sigad_dtype dtype;
    sigad_context *context;
    sigad_tape *tape;
    sigad_optimizer *adam;
    sigad_tensor w[TENSORS];
    double path[BATCH * LENGTH * 2], angle[BATCH];
    int64_t lengths[BATCH];
} training;

/* Arcs, and the angles by which they turn. */
static void draw(training *t, int step)
{
    for (int i = 0; i < BATCH; i++) {
        t->angle[i] = 3.0 * sin(1.7 * i + step);
        t->lengths[i] = LENGTH / 2 + (i + step) % (LENGTH / 2 + 1);
        for (int j = 0; j < LENGTH; j++) {
            const double turned = t->angle[i] * j / (double)(t->lengths[i] - 1);
            t->path[2 * (i * LENGTH + j)] = (1.0 + 0.3 * cos(i)) * cos(turned);
            t->path[2 * (i * LENGTH + j) + 1] = (1.0 + 0.3 * cos(i)) * sin(turned);
        }
    }
}

static sigad_tensor input(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                          const double *data)
{
    sigad_tensor x = sigad_input(tape, SIGAD_F64, rank, shape, data);
    return dtype == SIGAD_F64 ? x : sigad_cast(tape, x, dtype);
}

static void step(training *t, int number)
{
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 4, .method = SIGAD_LYNDON_WORDS};
    sigad_tape *tape = t->tape;
    sigad_tape_reset(tape); /* waits until the bytes of the last step were read */
    draw(t, number);
    sigad_tensor x = input(tape, t->dtype, 3, (int64_t[]){BATCH, LENGTH, 2}, t->path);
    sigad_tensor y = input(tape, t->dtype, 2, (int64_t[]){BATCH, 1}, t->angle);
    sigad_tensor n = sigad_input(tape, SIGAD_I64, 1, (int64_t[]){BATCH}, t->lengths);
    x = sigad_log_sig_ragged(tape, x, n, &spec);
    x = sigad_tanh(tape, sigad_add(tape, sigad_matmul(tape, x, t->w[0]), t->w[1]));
    x = sigad_dropout(tape, x, 0.1);
    x = sigad_add(tape, sigad_matmul(tape, x, t->w[2]), t->w[3]);
    sigad_tensor loss = sigad_mse(tape, x, y);
    sigad_optimizer_zero(t->adam);
    sigad_backward(tape, loss);
    sigad_optimizer_step(t->adam);
}

static sigad_status begin(training *t, sigad_device device, sigad_dtype dtype)
{
    const sigad_adam_options options = {SIGAD_ADAM_OPTIONS_INIT, .lr = 0.01, .clip_norm = 1.0};
    const sigad_context_options of_context = {SIGAD_CONTEXT_OPTIONS_INIT, .device = device,
                                              .threads = 1, .seed = 3};
    *t = (training){.dtype = dtype};
    sigad_status status = sigad_context_create(&of_context, &t->context);
    if (status) return status;
    for (int i = 0; i < TENSORS; i++) {
        const char name[] = {'w', (char)('0' + i), 0};
        t->w[i] = sigad_parameter(t->context, name, dtype, 2, shapes[i], SIGAD_INIT_XAVIER);
    }
    sigad_tape_create(t->context, &t->tape);
    sigad_adam_create(t->context, &options, &t->adam);
    return sigad_context_status(t->context);
}

static sigad_status finish(training *t, char *weights)
{
    const size_t entry = t->dtype == SIGAD_F32 ? 4 : 8;
    for (int i = 0; i < TENSORS; i++) {
        const size_t bytes = (size_t)(shapes[i][0] * shapes[i][1]) * entry;
        sigad_parameter_read(t->context, t->w[i], weights, bytes);
        weights += bytes;
    }
    return sigad_context_status(t->context);
}

/* The weights of `count` trainings from the start, each in a context of its own, step by step in
 * turn, so that a device has work on as many streams at once; 0 with a line on what went wrong. */
static int train_on(sigad_device device, sigad_dtype dtype, int count,
                    double weights[AT_ONCE][WEIGHTS])
{
    static training t[AT_ONCE];
    int good = 1;
    memset(weights, 0, sizeof *weights * (size_t)count);
    for (int i = 0; i < count; i++) good &= !begin(&t[i], device, dtype);
    for (int k = 0; good && k < STEPS; k++)
        for (int i = 0; i < count; i++) step(&t[i], k);
    for (int i = 0; i < count; i++) {
        if (good) good = !finish(&t[i], (char *)weights[i]);
        if (!good)
            printf("training on device %d: %s\n", (int)device,
                   t[i].context ? sigad_context_message(t[i].context) : "no context");
        sigad_context_destroy(t[i].context);
    }
    return good;
}

static double entry_of(sigad_dtype dtype, const void *weights, int i)
{
    return dtype == SIGAD_F32 ? (double)((const float *)weights)[i] : ((const double *)weights)[i];
}

static int close_enough(sigad_dtype dtype, const void *a, const void *b)
{
    const double tolerance = dtype == SIGAD_F32 ? 2e-3 : 1e-9;
    double worst = 0.0;
    for (int i = 0; i < WEIGHTS; i++) {
        const double distance = fabs(entry_of(dtype, a, i) - entry_of(dtype, b, i));
        if (!(distance <= worst)) worst = distance; /* keeps a NaN */
    }
    printf("float%d: weights differ from the CPU's by %.2g after %d steps\n",
           dtype == SIGAD_F32 ? 32 : 64, worst, STEPS);
    return worst <= tolerance;
}

int device_train(int runs)
{
    static double host[AT_ONCE][WEIGHTS], first[AT_ONCE][WEIGHTS], again[AT_ONCE][WEIGHTS];
    int failed = 0;
    for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
        int good = train_on(SIGAD_CPU, (sigad_dtype)dtype, 1, host) &&
                   train_on(SIGAD_CUDA, (sigad_dtype)dtype, 1, first) &&
                   close_enough((sigad_dtype)dtype, host[0], first[0]);
        failed += !good;
        for (int i = 1; good && i < runs; i++) {
            const int count = i % 2 ? AT_ONCE : 1;
            good = train_on(SIGAD_CUDA, (sigad_dtype)dtype, count, again);
            for (int k = 0; k < count; k++) good &= !memcmp(first[0], again[k], sizeof *first);
            failed += !good;
            if (!good) printf("run %d has other bits than the first\n", i);
        }
    }
    return failed;
}

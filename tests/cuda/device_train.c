#include "device_train.h"
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 48, LENGTH = 20, HIDDEN = 32, STEPS = 25, FEATURES = 8, TENSORS = 4, WEIGHTS = 321 };

static const int64_t shapes[TENSORS][2] = {{FEATURES, HIDDEN}, {1, HIDDEN}, {HIDDEN, 1}, {1, 1}};

/* Arcs, and the angles by which they turn. */
static void draw(int step, double *path, double *angle, int64_t *lengths)
{
    for (int i = 0; i < BATCH; i++) {
        angle[i] = 3.0 * sin(1.7 * i + step);
        lengths[i] = LENGTH / 2 + (i + step) % (LENGTH / 2 + 1);
        for (int j = 0; j < LENGTH; j++) {
            const double turned = angle[i] * j / (double)(lengths[i] - 1);
            path[2 * (i * LENGTH + j)] = (1.0 + 0.3 * cos(i)) * cos(turned);
            path[2 * (i * LENGTH + j) + 1] = (1.0 + 0.3 * cos(i)) * sin(turned);
        }
    }
}

static sigad_tensor input(sigad_tape *tape, sigad_dtype dtype, int rank, const int64_t *shape,
                          const double *data)
{
    sigad_tensor x = sigad_input(tape, SIGAD_F64, rank, shape, data);
    return dtype == SIGAD_F64 ? x : sigad_cast(tape, x, dtype);
}

static sigad_status step(sigad_tape *tape, sigad_optimizer *adam, sigad_dtype dtype,
                         const sigad_tensor *w, int number)
{
    static double path[BATCH * LENGTH * 2], angle[BATCH];
    static int64_t lengths[BATCH];
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 4, .method = SIGAD_LYNDON_WORDS};
    sigad_tape_reset(tape); /* waits until the bytes of the last step were read */
    draw(number, path, angle, lengths);
    sigad_tensor x = input(tape, dtype, 3, (int64_t[]){BATCH, LENGTH, 2}, path);
    sigad_tensor y = input(tape, dtype, 2, (int64_t[]){BATCH, 1}, angle);
    sigad_tensor n = sigad_input(tape, SIGAD_I64, 1, (int64_t[]){BATCH}, lengths);
    x = sigad_log_sig_ragged(tape, x, n, &spec);
    x = sigad_tanh(tape, sigad_add(tape, sigad_matmul(tape, x, w[0]), w[1]));
    x = sigad_dropout(tape, x, 0.1);
    x = sigad_add(tape, sigad_matmul(tape, x, w[2]), w[3]);
    sigad_tensor loss = sigad_mse(tape, x, y);
    sigad_optimizer_zero(adam);
    sigad_backward(tape, loss);
    return sigad_optimizer_step(adam);
}

static sigad_status train(sigad_context *context, sigad_dtype dtype, void *weights)
{
    sigad_adam_options options = {SIGAD_ADAM_OPTIONS_INIT, .lr = 0.01, .clip_norm = 1.0};
    sigad_tape *tape;
    sigad_optimizer *adam;
    sigad_tensor w[TENSORS];
    const size_t entry = dtype == SIGAD_F32 ? 4 : 8;
    for (int i = 0; i < TENSORS; i++) {
        const char name[] = {'w', (char)('0' + i), 0};
        w[i] = sigad_parameter(context, name, dtype, 2, shapes[i], SIGAD_INIT_XAVIER);
    }
    sigad_tape_create(context, &tape);
    sigad_adam_create(context, &options, &adam);
    for (int i = 0; i < STEPS && !sigad_context_status(context); i++) step(tape, adam, dtype, w, i);
    char *to = weights;
    for (int i = 0; i < TENSORS; i++) {
        const size_t bytes = (size_t)(shapes[i][0] * shapes[i][1]) * entry;
        sigad_parameter_read(context, w[i], to, bytes);
        to += bytes;
    }
    return sigad_context_status(context);
}

/* The weights of a training from the start; 0 with a line on what went wrong. */
static int train_on(sigad_device device, sigad_dtype dtype, void *weights)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = device, .threads = 1,
                                     .seed = 3};
    memset(weights, 0, WEIGHTS * sizeof(double));
    sigad_status status = sigad_context_create(&options, &context);
    if (!status) status = train(context, dtype, weights);
    if (status)
        printf("training on device %d: %s: %s\n", (int)device, sigad_status_string(status),
               sigad_context_message(context));
    sigad_context_destroy(context);
    return !status;
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
    int failed = 0;
    static double host[WEIGHTS], first[WEIGHTS], again[WEIGHTS];
    for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
        int good = train_on(SIGAD_CPU, (sigad_dtype)dtype, host) &&
                   train_on(SIGAD_CUDA, (sigad_dtype)dtype, first) &&
                   close_enough((sigad_dtype)dtype, host, first);
        failed += !good;
        for (int i = 1; good && i < runs; i++) {
            good = train_on(SIGAD_CUDA, (sigad_dtype)dtype, again) &&
                   !memcmp(first, again, sizeof first);
            failed += !good;
            if (!good) printf("run %d has other bits than the first\n", i);
        }
    }
    return failed;
}

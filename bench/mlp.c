/* Times one training step of plain dense networks: forward, mean squared error, backward, Adam.
 *
 *     mlp [--f64] [--threads N] [--seconds S] [--quick]
 *
 * Layers are linear with tanh between them. One line for each network, in columns between tabs: the
 * median of the microseconds of a step, and the operations of the products in it, 6 batch in out
 * for each layer. */
#include "timing.h"
#include <math.h>
#include <sigad/sigad.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 3 };

typedef struct {
    int64_t batch;
    int layers;
    int64_t width[MOST_LAYERS + 1];
} network;
static const network networks[] = {{1, 2, {14, 16, 1}},
                                   {32, 2, {30, 32, 1}},
                                   {128, 3, {340, 64, 64, 1}},
                                   {256, 3, {1024, 1024, 1024, 10}}};

typedef struct {
    sigad_dtype dtype;
    int threads;
    double seconds;
} settings;

typedef struct {
    sigad_context *context;
    sigad_tape *tape;
    sigad_optimizer *adam;
    sigad_dtype dtype;
    const network *net;
    sigad_tensor weight[MOST_LAYERS], bias[MOST_LAYERS];
    void *x, *y;
} training;

static void *random_array(const training *t, int64_t width)
{
    size_t bytes = t->dtype == SIGAD_F32 ? 4 : 8;
    void *array = calloc((size_t)(t->net->batch * width), bytes);
    for (int64_t i = 0; array && i < t->net->batch * width; i++) {
        double value = 2.0 * rand() / RAND_MAX - 1.0;
        if (t->dtype == SIGAD_F32)
            ((float *)array)[i] = (float)value;
        else
            ((double *)array)[i] = value;
    }
    return array;
}

static bool begin(training *t, const settings *s, const network *net)
{
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = s->threads};
    *t = (training){.dtype = s->dtype, .net = net};
    if (sigad_context_create(&options, &t->context)) return false;
    for (int i = 0; i < net->layers; i++) {
        int64_t in = net->width[i], out = net->width[i + 1];
        double bound = 1.0 / sqrt((double)in);
        char name[] = "weight0";
        name[6] = (char)('0' + i);
        t->weight[i] = sigad_parameter(t->context, name, t->dtype, SIGAD_SHAPE(in, out),
                                       SIGAD_INIT_UNIFORM(-bound, bound));
        t->bias[i] = sigad_parameter(t->context, name + 2, t->dtype, SIGAD_SHAPE(out),
                                     SIGAD_INIT_UNIFORM(-bound, bound));
    }
    t->x = random_array(t, net->width[0]);
    t->y = random_array(t, net->width[net->layers]);
    return !sigad_tape_create(t->context, &t->tape) &&
           !sigad_adam_create(t->context, NULL, &t->adam) && t->x && t->y;
}

static int end(training *t)
{
    int failed = sigad_context_status(t->context) != SIGAD_OK;
    if (failed) fprintf(stderr, "%s\n", sigad_context_message(t->context));
    sigad_context_destroy(t->context);
    free(t->x);
    free(t->y);
    return failed;
}

static int step(void *user)
{
    training *t = user;
    const network *net = t->net;
    sigad_tape_reset(t->tape);
    sigad_tensor h = sigad_input(t->tape, t->dtype, SIGAD_SHAPE(net->batch, net->width[0]), t->x);
    sigad_tensor y =
        sigad_input(t->tape, t->dtype, SIGAD_SHAPE(net->batch, net->width[net->layers]), t->y);
    for (int i = 0; i < net->layers; i++) {
        h = sigad_linear(t->tape, h, t->weight[i], t->bias[i]);
        if (i < net->layers - 1) h = sigad_tanh(t->tape, h);
    }
    sigad_tensor loss = sigad_mse(t->tape, h, y);
    sigad_optimizer_zero(t->adam);
    return sigad_backward(t->tape, loss) || sigad_optimizer_step(t->adam);
}

static int run(const settings *s, const network *net)
{
    training t;
    if (!begin(&t, s, net)) return end(&t);
    double took = bench_median(step, &t, s->seconds), flops = 0;
    for (int i = 0; i < net->layers; i++)
        flops += 6.0 * (double)(net->batch * net->width[i] * net->width[i + 1]);
    printf("%s\t%d\t%lld\t%lld", s->dtype == SIGAD_F32 ? "f32" : "f64", s->threads,
           (long long)net->batch, (long long)net->width[0]);
    for (int i = 1; i <= net->layers; i++) printf("-%lld", (long long)net->width[i]);
    printf("\t%.3f\t%.6g\n", 1e6 * took, flops);
    return end(&t);
}

int main(int argc, char **argv)
{
    settings s = {.dtype = SIGAD_F32, .threads = 1, .seconds = 0.5};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--f64") == 0) {
            s.dtype = SIGAD_F64;
        } else if (strcmp(argv[i], "--quick") == 0) {
            s.seconds = 0;
        } else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            s.threads = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            s.seconds = atof(argv[++i]);
        } else {
            fprintf(stderr, "usage: mlp [--f64] [--threads N] [--seconds S] [--quick]\n");
            return 2;
        }
    }
    printf("dtype\tthreads\tbatch\tlayers\tmicroseconds\tflops\n");
    int failed = 0;
    for (size_t i = 0; !failed && i < sizeof networks / sizeof *networks; i++)
        failed = run(&s, &networks[i]);
    return failed;
}

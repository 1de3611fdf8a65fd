/* hurst: how rough is a path? A network with a signature inside learns the Hurst exponent of
 * fractional Brownian motion, from paths that it simulates itself. No file is needed.
 *
 * The model of Kidger, Bonnier, Perez Arribas, Salvi, Lyons (2019), "Deep signature transforms": a
 * small learned convolution adds three channels to the path (t, x), the signature to degree 3 of
 * these five describes it, and a dense network reads the exponent off. */
#include "support.h"
#include <math.h>

enum {
    TRAIN = 1400,
    TEST = 350,
    PATHS = TRAIN + TEST,
    INCREMENTS = 300,
    POINTS = INCREMENTS + 1,
    WIDTH = 3, /* of the convolution, which cuts WIDTH - 1 points off */
    LIFTED = 16,
    LEARNED = 3,
    CHANNELS = 2 + LEARNED,
    DEGREE = 3,
    FEATURES = CHANNELS + CHANNELS * CHANNELS + CHANNELS * CHANNELS * CHANNELS,
    HIDDEN = 32,
    LAYERS = 6
};

typedef struct {
    long steps, batch, threads, seed;
    const char *device;
} settings;

typedef struct {
    float path[PATHS][POINTS][2]; /* (t, x) */
    float exponent[PATHS][1];
} paths;

/* ---- the paths ----------------------------------------------------------------------------- */

/* Exact: each increment is drawn from its law given all before it, whose mean is a weighted sum of
   them with weights by the recursion of Durbin and Levinson (Hosking 1984, "Modeling persistence in
   hydrological time series using fractional differencing", section 2). noise is N(0, 1). */
static void fractional_brownian_motion(double exponent, const double noise[INCREMENTS],
                                       float path[POINTS][2])
{
    double covariance[INCREMENTS], weight[INCREMENTS], previous[INCREMENTS], increment[INCREMENTS];
    double variance = 1.0, x = 0.0, power = 2.0 * exponent;
    for (int k = 0; k < INCREMENTS; k++)
        covariance[k] = 0.5 * (pow(k + 1, power) - 2.0 * pow(k, power) + pow(abs(k - 1), power));
    path[0][0] = path[0][1] = 0.0F;
    for (int k = 0; k < INCREMENTS; k++) {
        double mean = 0.0;
        if (k > 0) {
            double partial = covariance[k];
            for (int j = 1; j < k; j++) partial -= weight[j] * covariance[k - j];
            partial /= variance;
            memcpy(previous, weight, sizeof weight);
            for (int j = 1; j < k; j++) weight[j] = previous[j] - partial * previous[k - j];
            weight[k] = partial;
            variance *= 1.0 - partial * partial;
        }
        for (int j = 1; j <= k; j++) mean += weight[j] * increment[k - j];
        increment[k] = mean + sqrt(variance) * noise[k];
        x += increment[k];
        path[k + 1][0] = (float)(k + 1) / INCREMENTS;
        path[k + 1][1] = (float)(x * pow(INCREMENTS, -exponent));
    }
}

static sigad_status simulate(sigad_tape *t, paths *data)
{
    sigad_tape_reset(t);
    sigad_tensor exponent = sigad_uniform(t, SIGAD_F64, SIGAD_SHAPE(PATHS), 0.2, 0.8);
    sigad_tensor noise = sigad_normal(t, SIGAD_F64, SIGAD_SHAPE(PATHS, INCREMENTS));
    double *h = allocate(PATHS, sizeof *h), *z = allocate(PATHS, INCREMENTS * sizeof *z);
    sigad_read(t, exponent, h, PATHS * sizeof *h);
    sigad_read(t, noise, z, (size_t)PATHS * INCREMENTS * sizeof *z);
    for (int i = 0; i < PATHS; i++) {
        data->exponent[i][0] = (float)h[i];
        fractional_brownian_motion(h[i], z + (ptrdiff_t)i * INCREMENTS, data->path[i]);
    }
    free(h);
    free(z);
    return sigad_context_status(sigad_tape_context(t));
}

/* ---- the model ----------------------------------------------------------------------------- */

typedef struct {
    sigad_tensor weight, bias;
} layer;

typedef struct {
    layer lift, mix, dense[LAYERS];
} model;

/* [width, in, out], or [in, out] without width. */
static layer layer_create(sigad_context *ctx, const char *name, int64_t width, int64_t in,
                          int64_t out)
{
    char text[32];
    double bound = 1.0 / sqrt((double)(in * (width ? width : 1)));
    layer l;
    snprintf(text, sizeof text, "%s.weight", name);
    l.weight = sigad_parameter(ctx, text, SIGAD_F32, width ? 3 : 2,
                               width ? (int64_t[]){width, in, out} : (int64_t[]){in, out},
                               SIGAD_INIT_UNIFORM(-bound, bound));
    snprintf(text, sizeof text, "%s.bias", name);
    l.bias =
        sigad_parameter(ctx, text, SIGAD_F32, SIGAD_SHAPE(out), SIGAD_INIT_UNIFORM(-bound, bound));
    return l;
}

static model model_create(sigad_context *ctx)
{
    model m = {.lift = layer_create(ctx, "lift", WIDTH, 2, LIFTED),
               .mix = layer_create(ctx, "mix", 0, LIFTED, LEARNED)};
    for (int i = 0; i < LAYERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "dense%d", i);
        m.dense[i] = layer_create(ctx, name, 0, i ? HIDDEN : FEATURES, i < LAYERS - 1 ? HIDDEN : 1);
    }
    return m;
}

/* path [batch, POINTS, 2] -> [batch, 1] */
static sigad_tensor model_apply(sigad_tape *t, const model *m, sigad_tensor path)
{
    const sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = DEGREE};
    sigad_tensor lifted = sigad_add(t, sigad_conv1d(t, path, m->lift.weight), m->lift.bias);
    sigad_tensor mixed = sigad_linear(t, sigad_relu(t, lifted), m->mix.weight, m->mix.bias);
    sigad_tensor rest = sigad_slice(t, path, 1, WIDTH - 1, POINTS);
    sigad_tensor h = sigad_sig(t, sigad_concat(t, 2, (sigad_tensor[]){rest, mixed}, -1), &spec);
    for (int i = 0; i < LAYERS; i++) {
        h = sigad_linear(t, h, m->dense[i].weight, m->dense[i].bias);
        if (i < LAYERS - 1) h = sigad_relu(t, h);
    }
    return h;
}

/* ---- training ------------------------------------------------------------------------------ */

/* Fills milliseconds [steps]. */
static sigad_status train(sigad_context *ctx, sigad_tape *t, const model *m, const paths *data,
                          const settings *s, double *milliseconds)
{
    sigad_optimizer *adam;
    sigad_batches *batches;
    sigad_progress *progress;
    sigad_tensor row[2]; /* paths, exponents */
    sigad_batches_options rows = {SIGAD_BATCHES_OPTIONS_INIT, .count = TRAIN, .batch = s->batch,
                                  .seed = (uint64_t)s->seed, .drop_last = 1};
    sigad_progress_options bar = {SIGAD_PROGRESS_OPTIONS_INIT, .total = s->steps, .label = "hurst"};
    sigad_schedule rate = {SIGAD_SCHEDULE_INIT, .kind = SIGAD_SCHEDULE_COSINE, .lr = 4e-3,
                           .steps = s->steps};
    sigad_adam_create(ctx, NULL, &adam);
    sigad_batches_create(ctx, &rows, &batches);
    sigad_batches_add(batches, SIGAD_F32, SIGAD_SHAPE(POINTS, 2), data->path);
    sigad_batches_add(batches, SIGAD_F32, SIGAD_SHAPE(1), data->exponent);
    sigad_progress_create(ctx, &bar, &progress);
    for (long step = 0; step < s->steps && !sigad_context_status(ctx);) {
        double start = seconds_now();
        sigad_tape_reset(t);
        if (!sigad_batches_next(batches, t, 2, row))
            continue; /* all paths were seen: the next call begins again, in another order */
        sigad_tensor loss = sigad_mse(t, model_apply(t, m, row[0]), row[1]);
        sigad_optimizer_set_lr(adam, sigad_schedule_lr(&rate, step));
        sigad_optimizer_zero(adam);
        if (sigad_backward(t, loss) || sigad_optimizer_step(adam)) break;
        double value = sigad_item(t, loss); /* waits for a device */
        milliseconds[step++] = 1e3 * (seconds_now() - start);
        sigad_progress_show(progress, step, value);
    }
    sigad_progress_finish(progress);
    return sigad_context_status(ctx);
}

static double test(sigad_tape *t, const model *m, const paths *data)
{
    sigad_tape_reset(t);
    sigad_tape_evaluate(t, 1);
    sigad_tensor path = sigad_input(t, SIGAD_F32, SIGAD_SHAPE(TEST, POINTS, 2), data->path[TRAIN]);
    sigad_tensor exponent = sigad_input(t, SIGAD_F32, SIGAD_SHAPE(TEST, 1), data->exponent[TRAIN]);
    return sigad_item(t, sigad_mse(t, model_apply(t, m, path), exponent));
}

/* What one gets without looking at the paths. */
static double predict_the_mean(const paths *data)
{
    double mean = 0.0, error = 0.0;
    for (int i = 0; i < TRAIN; i++) mean += (double)data->exponent[i][0] / TRAIN;
    for (int i = TRAIN; i < PATHS; i++) error += pow((double)data->exponent[i][0] - mean, 2) / TEST;
    return error;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    settings s = {.steps = 3000, .batch = 128};
    const option options[] = {
        {"steps", "training steps", .number = &s.steps, .low = 1, .high = 100000000},
        {"batch", "paths in one step", .number = &s.batch, .low = 1, .high = TRAIN},
        {"threads", "0 means all", .number = &s.threads, .low = 0, .high = 1024},
        {"seed", "of paths, weights, order", .number = &s.seed, .low = 0, .high = 1000000000},
        {"device", "cpu or cuda", .text = &s.device, .value = "NAME"}};
    parse_arguments(argc, argv,
                    "usage: hurst [options]\n"
                    "Learns the Hurst exponent of fractional Brownian motion.",
                    0, options, sizeof options / sizeof *options);
    paths *data = allocate(1, sizeof *data);
    double *milliseconds = allocate(s.steps, sizeof *milliseconds), error = NAN;
    sigad_context *ctx = context_open(s.device, s.threads, s.seed);
    sigad_tape *t;
    sigad_tape_create(ctx, &t);
    model m = model_create(ctx);
    if (!simulate(t, data) && !train(ctx, t, &m, data, &s, milliseconds)) error = test(t, &m, data);
    int failed = context_close(ctx);
    if (!failed) {
        double mean_error = predict_the_mean(data);
        qsort(milliseconds, (size_t)s.steps, sizeof *milliseconds, compare);
        printf("test mse %.3e   predict-the-mean %.3e   ms per step %.3f\n", error, mean_error,
               milliseconds[s.steps / 2]);
        failed = !(error < mean_error);
    }
    free(milliseconds);
    free(data);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

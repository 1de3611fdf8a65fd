/* vowels: a classifier for labelled time series in the .ts format of the UEA and UCR archives.
 *
 * Signatures of the series, of any lengths, are the features of a linear model or of a network with
 * one hidden layer. Signatures do not see where a path starts, so a base point, a row of zeros, is
 * put in front of each series. --folds compares settings by cross validation on the training file
 * alone: that is how the defaults were chosen (README.md). */
#include "confusion.h"
#include "support.h"
#include <stdbool.h>

enum { BATCH = 32, NAME = 64 };
static const double RATE = 0.03, DECAY = 0.3, DROPOUT = 0.2;

typedef struct {
    long degree, log_sig, lead_lag, hidden, epochs, folds, seed, threads, require;
    const char *save, *plot, *device;
} settings;

/* Some of the series of a file. */
typedef struct {
    const sigad_dataset *data;
    int64_t count, *index;
} selection;

/* ---- the model ----------------------------------------------------------------------------- */

typedef struct {
    sigad_sig_spec spec;
    bool log_sig, has_hidden;
    sigad_tensor shift, scale; /* of the features; frozen: saved, but not trained */
    sigad_tensor hidden_weight, hidden_bias, weight, bias;
} model;

static sigad_tensor parameter(sigad_context *ctx, const char *prefix, const char *name, int rank,
                              const int64_t *shape, sigad_init init)
{
    char text[NAME];
    snprintf(text, sizeof text, "%s%s", prefix, name);
    return sigad_parameter(ctx, text, SIGAD_F32, rank, shape, init);
}

static model model_create(sigad_context *ctx, const char *prefix, const settings *s,
                          const sigad_dataset *data)
{
    model m = {.log_sig = s->log_sig, .has_hidden = s->hidden > 0};
    m.spec = (sigad_sig_spec){SIGAD_SIG_SPEC_INIT,
                              .degree = (int32_t)s->degree,
                              .time_aug = 1,
                              .dimension = (int32_t)sigad_dataset_channels(data),
                              .lead_lag = (int32_t)s->lead_lag,
                              .method = SIGAD_LYNDON_WORDS};
    int64_t features = 1, in, classes = sigad_dataset_classes(data);
    if (m.log_sig)
        sigad_log_sig_length(&m.spec, &features);
    else
        sigad_sig_length(&m.spec, &features);
    m.shift = parameter(ctx, prefix, "shift", SIGAD_SHAPE(features), SIGAD_INIT_ZERO);
    m.scale = parameter(ctx, prefix, "scale", SIGAD_SHAPE(features), SIGAD_INIT_CONSTANT(1.0));
    sigad_parameter_freeze(ctx, m.shift, 1);
    sigad_parameter_freeze(ctx, m.scale, 1);
    in = m.has_hidden ? s->hidden : features;
    if (m.has_hidden) {
        m.hidden_weight =
            parameter(ctx, prefix, "hidden.weight", SIGAD_SHAPE(features, in), SIGAD_INIT_HE);
        m.hidden_bias = parameter(ctx, prefix, "hidden.bias", SIGAD_SHAPE(in), SIGAD_INIT_ZERO);
    }
    m.weight = parameter(ctx, prefix, "weight", SIGAD_SHAPE(in, classes), SIGAD_INIT_XAVIER);
    m.bias = parameter(ctx, prefix, "bias", SIGAD_SHAPE(classes), SIGAD_INIT_ZERO);
    return m;
}

/* path [batch, length, channels], lengths [batch] -> [batch, features] */
static sigad_tensor signatures(sigad_tape *t, const model *m, sigad_tensor path,
                               sigad_tensor lengths)
{
    path = sigad_pad(t, path, 1, 1, 0, 0.0); /* the base point */
    lengths = sigad_affine(t, sigad_cast(t, lengths, SIGAD_F64), 1.0, 1.0);
    lengths = sigad_cast(t, lengths, SIGAD_I64); /* one more */
    return m->log_sig ? sigad_log_sig_ragged(t, path, lengths, &m->spec)
                      : sigad_sig_ragged(t, path, lengths, &m->spec);
}

static sigad_tensor logits(sigad_tape *t, const model *m, sigad_tensor path, sigad_tensor lengths)
{
    sigad_tensor x = signatures(t, m, path, lengths);
    x = sigad_mul(t, sigad_sub(t, x, m->shift), m->scale);
    x = sigad_dropout(t, x, DROPOUT);
    if (m->has_hidden) {
        x = sigad_relu(t, sigad_linear(t, x, m->hidden_weight, m->hidden_bias));
        x = sigad_dropout(t, x, DROPOUT);
    }
    return sigad_linear(t, x, m->weight, m->bias);
}

/* Gives each feature mean 0 and variance 1 over the training series. */
static sigad_status standardise(sigad_tape *t, const model *m, const selection *from)
{
    sigad_context *ctx = sigad_tape_context(t);
    sigad_tensor path, lengths;
    sigad_tape_reset(t);
    sigad_dataset_batch(t, from->data, from->count, from->index, &path, &lengths, NULL);
    sigad_tensor x = signatures(t, m, path, lengths), mean = sigad_mean(t, x, 0, 0);
    sigad_tensor variance = sigad_mean(t, sigad_square(t, sigad_sub(t, x, mean)), 0, 0);
    sigad_tensor scale = sigad_power(t, sigad_affine(t, variance, 1.0, 1e-6), -0.5);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    if (sigad_describe(t, mean, &info)) return sigad_context_status(ctx);
    size_t bytes = (size_t)info.elements * sizeof(float);
    void *found = allocate(info.elements, sizeof(float));
    sigad_read(t, mean, found, bytes);
    sigad_parameter_write(ctx, m->shift, found, bytes);
    sigad_read(t, scale, found, bytes);
    sigad_parameter_write(ctx, m->scale, found, bytes);
    free(found);
    return sigad_context_status(ctx);
}

/* ---- training and judging ------------------------------------------------------------------ */

static sigad_status train(sigad_context *ctx, const model *m, const char *prefix,
                          const selection *from, const settings *s)
{
    int64_t steps = s->epochs * ((from->count + BATCH - 1) / BATCH), step = 0;
    sigad_schedule rate = {SIGAD_SCHEDULE_INIT, .kind = SIGAD_SCHEDULE_COSINE, .lr = RATE,
                           .steps = steps};
    sigad_adam_options how = {SIGAD_ADAM_OPTIONS_INIT, .prefix = prefix, .weight_decay = DECAY};
    sigad_progress_options bar = {SIGAD_PROGRESS_OPTIONS_INIT, .total = steps, .label = "training"};
    sigad_tape *t;
    sigad_optimizer *adam;
    sigad_progress *progress;
    sigad_tape_create(ctx, &t);
    sigad_adam_create(ctx, &how, &adam);
    sigad_progress_create(ctx, &bar, &progress);
    standardise(t, m, from);
    int64_t *order = allocate(from->count, sizeof *order);
    for (uint64_t epoch = 0; step < steps && !sigad_context_status(ctx); epoch++) {
        sigad_permutation((uint64_t)s->seed, epoch, from->count, order);
        for (int64_t i = 0; i < from->count; i++) order[i] = from->index[order[i]];
        for (int64_t first = 0; first < from->count; first += BATCH) {
            int64_t count = from->count - first < BATCH ? from->count - first : BATCH;
            sigad_tensor path, lengths, labels;
            sigad_tape_reset(t);
            sigad_dataset_batch(t, from->data, count, order + first, &path, &lengths, &labels);
            sigad_tensor loss = sigad_cross_entropy(t, logits(t, m, path, lengths), labels);
            sigad_optimizer_set_lr(adam, sigad_schedule_lr(&rate, step));
            sigad_optimizer_zero(adam);
            if (sigad_backward(t, loss) || sigad_optimizer_step(adam)) break;
            sigad_progress_show(progress, ++step, sigad_item(t, loss));
        }
    }
    sigad_progress_finish(progress);
    free(order);
    return sigad_context_status(ctx);
}

/* What came out: series by class and answer, and the sum of their cross-entropies. */
typedef struct {
    int64_t *confusion; /* [classes, classes] */
    double loss;
} outcome;

/* Adds the series of the selection to the outcome. */
static sigad_status judge(sigad_context *ctx, const model *m, const selection *from,
                          outcome *result)
{
    int64_t classes = sigad_dataset_classes(from->data);
    sigad_tensor path, lengths, labels;
    sigad_tape *t;
    sigad_tape_create(ctx, &t);
    sigad_tape_evaluate(t, 1);
    sigad_dataset_batch(t, from->data, from->count, from->index, &path, &lengths, &labels);
    sigad_tensor y = logits(t, m, path, lengths);
    sigad_tensor answers = sigad_argmax(t, y, -1);
    result->loss += sigad_item(t, sigad_cross_entropy(t, y, labels)) * (double)from->count;
    const size_t bytes = (size_t)from->count * sizeof(int64_t);
    int64_t *answer = allocate(from->count, sizeof *answer);
    int64_t *label = allocate(from->count, sizeof *label);
    sigad_read(t, answers, answer, bytes);
    if (!sigad_read(t, labels, label, bytes))
        for (int64_t i = 0; i < from->count; i++)
            result->confusion[label[i] * classes + answer[i]]++;
    free(answer);
    free(label);
    sigad_tape_destroy(t);
    return sigad_context_status(ctx);
}

static sigad_status train_and_judge(sigad_context *ctx, const char *prefix, const settings *s,
                                    const selection *known, const selection *asked, outcome *result)
{
    model m = model_create(ctx, prefix, s, known->data);
    if (train(ctx, &m, prefix, known, s)) return sigad_context_status(ctx);
    return judge(ctx, &m, asked, result);
}

/* Trains on all series but every `folds`-th and judges on those, `folds` times. */
static void cross_validate(sigad_context *ctx, const settings *s, const sigad_dataset *data,
                           outcome *result)
{
    int64_t n = sigad_dataset_count(data);
    selection known = {data, 0, allocate(n, sizeof(int64_t))};
    selection asked = {data, 0, allocate(n, sizeof(int64_t))};
    for (long fold = 0; fold < s->folds && !sigad_context_status(ctx); fold++) {
        char prefix[NAME / 2];
        snprintf(prefix, sizeof prefix, "fold%ld.", fold);
        known.count = asked.count = 0;
        for (int64_t i = 0; i < n; i++) {
            selection *to = i % s->folds == fold ? &asked : &known;
            to->index[to->count++] = i;
        }
        train_and_judge(ctx, prefix, s, &known, &asked, result);
    }
    free(known.index);
    free(asked.index);
}

static selection all_of(const sigad_dataset *data)
{
    selection all = {data, sigad_dataset_count(data), NULL};
    all.index = allocate(all.count, sizeof *all.index);
    for (int64_t i = 0; i < all.count; i++) all.index[i] = i;
    return all;
}

/* ---- the program --------------------------------------------------------------------------- */

/* A label is a number that the header of its file gives to a class, so the headers must agree. */
static int same_classes(const sigad_dataset *a, const sigad_dataset *b)
{
    int64_t classes = sigad_dataset_classes(a);
    int same = classes > 0 && classes == sigad_dataset_classes(b) &&
               sigad_dataset_channels(a) == sigad_dataset_channels(b);
    for (int64_t c = 0; same && c < classes; c++)
        same = strcmp(sigad_dataset_class(a, c), sigad_dataset_class(b, c)) == 0;
    if (!same) fputs("the files must have the same channels and the same classes\n", stderr);
    return same;
}

int main(int argc, char **argv)
{
    settings s = {.degree = 2, .hidden = 64, .epochs = 60, .threads = 1};
    const option options[] = {
        {"degree", "of the signature", .number = &s.degree, .low = 1, .high = 12},
        {"log-sig", "log-signature, not signature", .number = &s.log_sig},
        {"lead-lag", "of the series", .number = &s.lead_lag},
        {"hidden", "width of a hidden layer", .number = &s.hidden, .low = 0, .high = 100000},
        {"epochs", "passes over the series", .number = &s.epochs, .low = 1, .high = 1000000},
        {"folds", "cross validation instead", .number = &s.folds, .low = 2, .high = 1000},
        {"seed", "of weights and order", .number = &s.seed, .low = 0, .high = 1000000000},
        {"threads", "0 means all", .number = &s.threads, .low = 0, .high = 1024},
        {"require", "percent right, or fail", .number = &s.require, .low = 0, .high = 100},
        {"save", "the weights", .text = &s.save},
        {"plot", "the confusion matrix, SVG", .text = &s.plot},
        {"device", "cpu or cuda", .text = &s.device, .value = "NAME"}};
    parse_arguments(argc, argv,
                    "usage: vowels FILE_TRAIN.ts FILE_TEST.ts [options]\n"
                    "Learns to classify time series by their signatures.",
                    2, options, sizeof options / sizeof *options);

    sigad_context *ctx = context_open(s.device, s.threads, s.seed);
    sigad_dataset *data, *held;
    double start = seconds_now(), share = 0.0, loss = 0.0;
    int failed = 1;
    sigad_dataset_read_ts(ctx, argv[1], SIGAD_F32, &data);
    sigad_dataset_read_ts(ctx, argv[2], SIGAD_F32, &held);
    if (!sigad_context_status(ctx) && same_classes(data, held)) {
        int64_t classes = sigad_dataset_classes(data);
        outcome result = {.confusion = allocate(classes * classes, sizeof(int64_t))};
        selection known = all_of(data), asked = all_of(held);
        if (s.folds)
            cross_validate(ctx, &s, data, &result);
        else
            train_and_judge(ctx, "", &s, &known, &asked, &result);
        if (s.save) sigad_save(ctx, NULL, s.save);
        failed = sigad_context_status(ctx) != SIGAD_OK;
        loss = result.loss / (double)sigad_dataset_count(s.folds ? data : held);
        if (!failed) share = confusion_print(data, result.confusion);
        if (!failed && s.plot) failed = confusion_plot(s.plot, data, result.confusion);
        free(known.index);
        free(asked.index);
        free(result.confusion);
    }
    failed |= context_close(ctx);
    if (!failed) printf("cross-entropy %.4f, %.1f seconds\n", loss, seconds_now() - start);
    if (failed || share >= (double)s.require) return failed ? EXIT_FAILURE : EXIT_SUCCESS;
    fprintf(stderr, "less than %ld %% right\n", s.require);
    return EXIT_FAILURE;
}

#include "support/training.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

void training_write_file(const char *path)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("@problemName knots\n@univariate false\n@dimensions 2\n@equalLength false\n"
          "@classLabel true over under\n@data\n"
          "0,1,1,2:3,1,4,1:over\n"
          "2,7,1,8,2:1,1,2,3,5:under\n"
          "1,4,1:7,3,2:over\n",
          file);
    cr_assert_eq(fclose(file), 0);
}

/* ---- making ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int rank;
    int64_t shape[2];
} parameters[] = {
    {"first.weight", 2, {14, 4}},
    {"first.bias", 1, {4}},
    {"second.weight", 2, {4, 2}},
    {"second.bias", 1, {2}},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

sigad_status training_make(training *t)
{
    sigad_context *c = t->context;
    sigad_adam_options options = {SIGAD_ADAM_OPTIONS_INIT, .lr = 0.05, .clip_norm = 0.5};
    for (int i = sigad_parameter_count(c); i < PARAMETERS && !sigad_context_status(c); i++)
        sigad_parameter(c, parameters[i].name, SIGAD_F64, parameters[i].rank, parameters[i].shape,
                        parameters[i].rank == 2 ? SIGAD_INIT_ORTHOGONAL : SIGAD_INIT_ZERO);
    if (!t->optimizer) sigad_adam_create(c, &options, &t->optimizer);
    if (!t->data) sigad_dataset_read_ts(c, t->file, SIGAD_F64, &t->data);
    if (!t->tape) sigad_tape_create(c, &t->tape);
    return sigad_context_status(c);
}

/* ---- a step ---------------------------------------------------------------------------------- */

static sigad_tensor layer(const training *t, sigad_tensor x, int first)
{
    sigad_tensor weight = sigad_parameter_at(t->context, first);
    sigad_tensor bias = sigad_parameter_at(t->context, first + 1);
    return sigad_linear(t->tape, x, weight, bias);
}

sigad_status training_step(training *t)
{
    sigad_tape *tape = t->tape;
    sigad_tensor path, lengths, labels;
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 3, .time_aug = 1, .method = 2};
    sigad_tape_reset(tape);
    sigad_tape_set_step(tape, t->steps); /* a repeated step repeats its draws */
    sigad_optimizer_zero(t->optimizer);
    sigad_dataset_batch(tape, t->data, 3, NULL, &path, &lengths, &labels);
    sigad_tensor x = sigad_log_sig_ragged(tape, path, lengths, &spec);
    x = sigad_label(tape, sigad_tanh(tape, layer(t, x, 0)), "hidden");
    x = layer(t, sigad_dropout(tape, x, 0.25), 2);
    sigad_tensor loss = sigad_cross_entropy(tape, sigad_watch(tape, x), labels);
    sigad_label(tape, x, "logits");
    if (!sigad_backward(tape, loss) && !sigad_optimizer_step(t->optimizer)) t->steps++;
    return sigad_context_status(t->context);
}

void training_weights(const training *t, double weights[TRAINING_WEIGHTS])
{
    cr_assert_eq(sigad_parameter_count(t->context), PARAMETERS);
    for (int i = 0, at = 0; i < PARAMETERS; i++) {
        int64_t count = parameters[i].shape[0];
        if (parameters[i].rank == 2) count *= parameters[i].shape[1];
        cr_assert_eq(sigad_parameter_read(t->context, sigad_parameter_at(t->context, i),
                                          weights + at, (size_t)count * sizeof *weights),
                     SIGAD_OK);
        at += (int)count;
    }
}

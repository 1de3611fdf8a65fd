/* Times what the tape adds to an operation: nanoseconds for each of a long chain of operations on
 * one element, to record it, to go back over it, and to replay it.
 *
 *     tape [--seconds S] [--quick]
 *
 * The tape is reset after each round, as in training. Times are the least of many rounds, in
 * columns between tabs. */
#include "timing.h"
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 1000 };

typedef struct {
    const char *name;
    sigad_tensor (*apply)(sigad_tape *tape, sigad_tensor x, sigad_tensor a);
} link;

static sigad_tensor negate(sigad_tape *tape, sigad_tensor x, sigad_tensor a)
{
    (void)a;
    return sigad_negate(tape, x);
}

static sigad_tensor tangent(sigad_tape *tape, sigad_tensor x, sigad_tensor a)
{
    (void)a;
    return sigad_tanh(tape, x);
}

static const link links[] = {
    {"negate", negate}, {"tanh", tangent}, {"add", sigad_add}, {"mul", sigad_mul}};

typedef struct {
    double record, backward, replay;
} times;

static void take_least(double *least, double start)
{
    *least = fmin(*least, bench_now() - start);
}

static sigad_status one_round(sigad_tape *tape, const link *of, const float *data, times *least)
{
    sigad_tape_reset(tape);
    double start = bench_now();
    sigad_tensor x = sigad_watch(tape, sigad_input(tape, SIGAD_F32, 0, NULL, &data[0]));
    sigad_tensor a = sigad_input(tape, SIGAD_F32, 0, NULL, &data[1]), y = x;
    for (int i = 0; i < LENGTH; i++) y = of->apply(tape, y, a);
    take_least(&least->record, start);
    start = bench_now();
    sigad_status status = sigad_backward(tape, y);
    take_least(&least->backward, start);
    start = bench_now();
    if (!status) status = sigad_replay(tape);
    take_least(&least->replay, start);
    return status;
}

static sigad_status run(sigad_context *context, const link *of, double seconds)
{
    const float data[] = {0.5F, 0.999F}; /* a chain of products must not become denormal */
    times least = {INFINITY, INFINITY, INFINITY};
    sigad_tape *tape;
    sigad_status status = sigad_tape_create(context, &tape);
    double end = bench_now() + seconds;
    do {
        if (!status) status = one_round(tape, of, data, &least);
    } while (!status && bench_now() < end);
    sigad_tape_destroy(tape);
    const double each = 1e9 / LENGTH;
    if (!status)
        printf("%s\t%.1f\t%.1f\t%.1f\n", of->name, each * least.record, each * least.backward,
               each * least.replay);
    return status;
}

int main(int argc, char **argv)
{
    double seconds = 0.2;
    sigad_context *context;
    if (argc == 3 && strcmp(argv[1], "--seconds") == 0) {
        seconds = atof(argv[2]);
    } else if (argc == 2 && strcmp(argv[1], "--quick") == 0) {
        seconds = 0;
    } else if (argc != 1) {
        fprintf(stderr, "usage: tape [--seconds S] [--quick]\n");
        return 2;
    }
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    if (sigad_context_create(&options, &context)) return 1;
    printf("operation\trecord\tbackward\treplay\n");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (run(context, &links[i], seconds)) break;
    int failed = sigad_context_status(context) != SIGAD_OK;
    if (failed) fprintf(stderr, "%s\n", sigad_context_message(context));
    sigad_context_destroy(context);
    return failed;
}

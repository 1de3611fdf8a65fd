/* A small set of cases that stands for the kernels, for comparing one version with another.
 *
 *     counts [--seconds S | --quick]
 *
 * One line for each case, in columns between tabs: its name, the instructions of one call as the
 * processor counts them (-1 where that is not possible), and the median of the microseconds of a
 * call. With 0 seconds, the default, each case is called once: a simulator that counts what runs
 * inside of bench_once then has the cases in this order. With --quick there are only a few. */
#include "cases.h"
#include "timing.h"
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int operation;
    int64_t batch, length;
    int32_t dimension, degree, lead_lag, method;
} shape;

static const shape shapes[] = {
    {BENCH_SIG, 32, 200, 2, 2, 0, 0},
    {BENCH_SIG, 32, 200, 4, 3, 0, 0},
    {BENCH_SIG, 16, 20, 3, 4, 0, 0},
    {BENCH_SIG, 16, 50, 2, 8, 0, 0},
    {BENCH_SIG, 16, 50, 3, 6, 0, 0},
    {BENCH_SIG, 16, 50, 5, 4, 0, 0},
    {BENCH_SIG, 16, 30, 12, 3, 0, 0},
    {BENCH_SIG, 16, 200, 5, 4, 0, 0},
    {BENCH_SIG, 8, 50, 16, 3, 0, 0},
    {BENCH_SIG, 8, 20, 40, 2, 0, 0},
    {BENCH_SIG, 16, 50, 3, 4, 1, 0},
    {BENCH_SIG, 1, 30, 4, 4, 0, 0},
    {BENCH_SIG, 1, 1000, 3, 4, 0, 0},
    {BENCH_SIG, 16, 50, 3, 1, 0, 0},
    {BENCH_SIG, 16, 50, 1, 4, 0, 0},
    {BENCH_LOG_SIG, 16, 20, 3, 4, 0, SIGAD_LYNDON_WORDS},
    {BENCH_SIG_TO_LOG_SIG, 16, 20, 3, 5, 0, SIGAD_EXPANDED},
    {BENCH_SIG_TO_LOG_SIG, 16, 20, 3, 5, 0, SIGAD_LYNDON_WORDS},
    {BENCH_SIG_TO_LOG_SIG, 16, 20, 3, 5, 0, SIGAD_LYNDON_BRACKETS},
    {BENCH_SIG_TO_LOG_SIG, 16, 20, 8, 3, 0, SIGAD_LYNDON_BRACKETS},
    {BENCH_LOGSIG_TO_SIG, 16, 20, 3, 5, 0, SIGAD_LYNDON_WORDS},
    {BENCH_LOGSIG_TO_SIG, 16, 20, 8, 3, 0, SIGAD_LYNDON_BRACKETS},
};

static int print_cost(const char *name, int (*call)(void *), void *user, double seconds)
{
    double instructions = bench_instructions(call, user);
    double time = bench_median(call, user, seconds);
    printf("%s\t%.0f\t%.4f\n", name, instructions, 1e6 * time);
    fflush(stdout);
    return time < 0;
}

static int count(const shape *s, int f32, int backward, double seconds)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = s->dimension, .degree = s->degree,
                           .lead_lag = s->lead_lag, .method = s->method};
    bench_case c = {s->operation, backward, f32, 1, 0, s->batch, s->length, spec};
    bench_problem problem;
    char name[120];
    snprintf(name, sizeof name, "%s%s %s B%lld L%lld d%d N%d%s method %d",
             bench_operation_name[s->operation], backward ? " backward" : "", f32 ? "f32" : "f64",
             (long long)s->batch, (long long)s->length, s->dimension, s->degree,
             s->lead_lag ? " lead-lag" : "", s->method);
    if (bench_open(&problem, &c, NULL)) return 1;
    int failed = print_cost(name, bench_call, &problem, seconds);
    bench_close(&problem);
    return failed;
}

/* Records a chain of operations on one number and goes back over it. */
static int chain(void *user)
{
    enum { LENGTH = 100 };
    sigad_tape *tape = user;
    float number = 0.5F;
    sigad_tape_reset(tape);
    sigad_tensor x = sigad_watch(tape, sigad_input(tape, SIGAD_F32, 0, NULL, &number)), y = x;
    for (int i = 0; i < LENGTH; i++) y = sigad_mul(tape, sigad_tanh(tape, y), x);
    return sigad_backward(tape, y) != SIGAD_OK;
}

static int count_tape(double seconds)
{
    sigad_context *context;
    sigad_tape *tape;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    if (sigad_context_create(&options, &context)) return 1;
    int failed = sigad_tape_create(context, &tape) != SIGAD_OK;
    for (int i = 0; i < 3 && !failed; i++)
        failed = chain(tape); /* from then on it allocates nothing */
    failed = failed || print_cost("tape of 200 operations", chain, tape, seconds);
    sigad_context_destroy(context);
    return failed;
}

int main(int argc, char **argv)
{
    double seconds = 0;
    size_t shapes_wanted = sizeof shapes / sizeof *shapes;
    if (argc == 3 && !strcmp(argv[1], "--seconds")) {
        seconds = atof(argv[2]);
    } else if (argc == 2 && !strcmp(argv[1], "--quick")) {
        shapes_wanted = 2;
    } else if (argc > 1) {
        fprintf(stderr, "usage: %s [--seconds S | --quick]\n", argv[0]);
        return 2;
    }
    printf("case\tinstructions\tmicroseconds\n");
    int failed = count_tape(seconds);
    for (size_t i = 0; i < shapes_wanted; i++)
        for (int f32 = 0; f32 < 2; f32++)
            for (int backward = 0; backward < 2 && !failed; backward++)
                failed = count(&shapes[i], f32, backward, seconds);
    if (failed) fprintf(stderr, "a case failed\n");
    return failed;
}

/* Times dense operations that should run at the speed of memory.
 *
 *     dense [--f64] [--threads N] [--seconds S] [--only NAME] [--quick]
 *
 * One line for each operation, in columns between tabs: the medians of the microseconds of its
 * forward and of its backward on a tensor of ROWS x COLUMNS numbers, and the same in units of the
 * time to copy that tensor. Backward begins by writing the cotangent of the result. */
#include "timing.h"
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 2048, COLUMNS = 512, ENTRIES = ROWS * COLUMNS };

typedef struct {
    sigad_tensor x, other, row, labels, one;
} operands;

typedef struct {
    const char *name;
    sigad_tensor (*apply)(sigad_tape *tape, const operands *o);
} operation;

#define UNARY(X) \
    X(negate)    \
    X(exp)       \
    X(expm1)     \
    X(log) X(log1p) X(sqrt) X(sin) X(tan) X(tanh) X(sigmoid) X(relu) X(silu) X(gelu) X(softplus)
#define OTHERS(X)                                                              \
    X(add, sigad_add(t, o->x, o->other))                                       \
    X(mul, sigad_mul(t, o->x, o->other))                                       \
    X(div, sigad_div(t, o->x, o->other))                                       \
    X(maximum, sigad_maximum(t, o->x, o->other))                               \
    X(mul_row, sigad_mul(t, o->x, o->row))                                     \
    X(where, sigad_where(t, sigad_less(t, o->x, o->other), o->x, o->other))    \
    X(dropout, sigad_dropout(t, o->x, 0.5))                                    \
    X(sum, sigad_sum(t, o->x, SIGAD_ALL, 0))                                   \
    X(sum_rows, sigad_sum(t, o->x, 0, 0))                                      \
    X(sum_columns, sigad_sum(t, o->x, 1, 0))                                   \
    X(variance_rows, sigad_variance(t, o->x, 0, 0, 0))                         \
    X(variance_columns, sigad_variance(t, o->x, 1, 0, 0))                      \
    X(norm_columns, sigad_norm(t, o->x, 1, 0))                                 \
    X(dot, sigad_dot(t, o->x, o->other))                                       \
    X(max_rows, sigad_max(t, o->x, 0, 0))                                      \
    X(max_columns, sigad_max(t, o->x, 1, 0))                                   \
    X(logsumexp_rows, sigad_logsumexp(t, o->x, 0, 0))                          \
    X(logsumexp_columns, sigad_logsumexp(t, o->x, 1, 0))                       \
    X(cumsum_rows, sigad_cumsum(t, o->x, 0))                                   \
    X(cumsum_columns, sigad_cumsum(t, o->x, 1))                                \
    X(softmax_rows, sigad_softmax(t, o->x, 0))                                 \
    X(softmax_columns, sigad_softmax(t, o->x, 1))                              \
    X(log_softmax_columns, sigad_log_softmax(t, o->x, 1))                      \
    X(layer_norm, sigad_layer_norm(t, o->x, o->row, o->row, 1e-5))             \
    X(transpose, sigad_transpose(t, o->x, 0, 1))                               \
    X(flip_rows, sigad_flip(t, o->x, 0))                                       \
    X(flip_columns, sigad_flip(t, o->x, 1))                                    \
    X(slice_rows, sigad_slice(t, o->x, 0, 1, ROWS - 1))                        \
    X(slice_columns, sigad_slice(t, o->x, 1, 1, COLUMNS - 1))                  \
    X(pad_columns, sigad_pad(t, o->x, 1, 1, 1, 0.0))                           \
    X(concat_columns, sigad_concat(t, 2, (sigad_tensor[]){o->x, o->other}, 1)) \
    X(gather_rows, sigad_gather(t, o->x, o->labels, 0))                        \
    X(mse, sigad_mse(t, o->x, o->other))                                       \
    X(mae, sigad_mae(t, o->x, o->other))                                       \
    X(binary_cross_entropy, sigad_binary_cross_entropy(t, o->x, o->other))     \
    X(cross_entropy, sigad_cross_entropy(t, o->x, o->labels))

#define APPLY(name)                                                    \
    static sigad_tensor apply_##name(sigad_tape *t, const operands *o) \
    {                                                                  \
        return sigad_##name(t, o->x);                                  \
    }
UNARY(APPLY)
#undef APPLY
#define APPLY(name, ...)                                               \
    static sigad_tensor apply_##name(sigad_tape *t, const operands *o) \
    {                                                                  \
        return __VA_ARGS__;                                            \
    }
OTHERS(APPLY)
#undef APPLY

#define ROW(name, ...) {#name, apply_##name},
static const operation operations[] = {UNARY(ROW) OTHERS(ROW)};
#undef ROW

typedef struct {
    sigad_dtype dtype;
    int threads;
    double seconds;
    const char *only;
} settings;

typedef struct {
    const settings *settings;
    sigad_context *context;
    sigad_tape *tape;
    sigad_optimizer *sgd;
    sigad_tensor parameter;
    const operation *of;
    void *numbers, *copy;
    int64_t *labels;
} problem;

static size_t number_bytes(const settings *s)
{
    return s->dtype == SIGAD_F32 ? 4 : 8;
}

/* In 0.1 .. 0.9, where all of the operations are defined. */
static void *random_numbers(const settings *s)
{
    void *array = malloc(ENTRIES * number_bytes(s));
    for (int i = 0; array && i < ENTRIES; i++) {
        const double value = 0.1 + 0.8 * rand() / RAND_MAX;
        if (s->dtype == SIGAD_F32)
            ((float *)array)[i] = (float)value;
        else
            ((double *)array)[i] = value;
    }
    return array;
}

static int copy(void *user)
{
    const problem *p = user;
    memcpy(p->copy, p->numbers, ENTRIES * number_bytes(p->settings));
    return ((volatile char *)p->copy)[0] == 77;
}

static operands operands_of(problem *p)
{
    const sigad_dtype dtype = p->settings->dtype;
    sigad_tape *t = p->tape;
    sigad_tape_reset(t);
    return (operands){.x = p->parameter,
                      .other = sigad_input(t, dtype, SIGAD_SHAPE(ROWS, COLUMNS), p->numbers),
                      .row = sigad_input(t, dtype, SIGAD_SHAPE(COLUMNS), p->numbers),
                      .labels = sigad_input(t, SIGAD_I64, SIGAD_SHAPE(ROWS), p->labels),
                      .one = sigad_input(t, dtype, 0, NULL, p->numbers)};
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static sigad_status time_operation(problem *p, double copying)
{
    enum { MOST = 101, LEAST = 4, FIRST = 2 }; /* the first ones take memory */
    double times[2][MOST], end = bench_now() + p->settings->seconds;
    int count = 0;
    sigad_status status = SIGAD_OK;
    while (!status && count < MOST && (count < LEAST || bench_now() < end)) {
        operands o = operands_of(p);
        sigad_optimizer_zero(p->sgd);
        double start = bench_now();
        sigad_tensor y = p->of->apply(p->tape, &o);
        times[0][count] = bench_now() - start;
        start = bench_now();
        status = sigad_backward_with(p->tape, y, o.one);
        times[1][count++] = bench_now() - start;
    }
    double median[2];
    for (int k = 0; k < 2; k++) {
        qsort(times[k] + FIRST, (size_t)(count - FIRST), sizeof *times[k], ascending);
        median[k] = times[k][(FIRST + count - 1) / 2];
    }
    printf("%s\t%s\t%d\t%.1f\t%.1f\t%.2f\t%.2f\n", p->of->name,
           p->settings->dtype == SIGAD_F32 ? "f32" : "f64", p->settings->threads, 1e6 * median[0],
           1e6 * median[1], median[0] / copying, median[1] / copying);
    fflush(stdout);
    return status;
}

static sigad_status open(problem *p)
{
    const settings *s = p->settings;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = s->threads};
    p->numbers = random_numbers(s);
    p->copy = random_numbers(s);
    p->labels = malloc(ROWS * sizeof *p->labels);
    if (!p->numbers || !p->copy || !p->labels) return SIGAD_ENOMEM;
    for (int i = 0; i < ROWS; i++) p->labels[i] = rand() % COLUMNS;
    sigad_status status = sigad_context_create(&options, &p->context);
    if (status) return status;
    p->parameter = sigad_parameter(p->context, "x", s->dtype, SIGAD_SHAPE(ROWS, COLUMNS),
                                   SIGAD_INIT_UNIFORM(0.1, 0.9));
    sigad_sgd_create(p->context, NULL, &p->sgd);
    return sigad_tape_create(p->context, &p->tape);
}

static void close(problem *p)
{
    sigad_context_destroy(p->context);
    free(p->numbers);
    free(p->copy);
    free(p->labels);
}

static sigad_status run(const settings *s)
{
    problem p = {.settings = s};
    sigad_status status = open(&p);
    const double copying = bench_median(copy, &p, s->seconds);
    printf("operation\tdtype\tthreads\tforward\tbackward\tforward copies\tbackward copies\n");
    for (size_t i = 0; !status && i < sizeof operations / sizeof *operations; i++) {
        p.of = &operations[i];
        if (!s->only || !strcmp(s->only, p.of->name)) status = time_operation(&p, copying);
    }
    if (status) fprintf(stderr, "%s\n", p.context ? sigad_context_message(p.context) : "no memory");
    close(&p);
    return status;
}

static int read_options(int argc, char **argv, settings *s)
{
    *s = (settings){.dtype = SIGAD_F32, .threads = 1, .seconds = 0.05};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--quick"))
            s->seconds = 0;
        else if (!strcmp(argv[i], "--f64"))
            s->dtype = SIGAD_F64;
        else if (value && !strcmp(argv[i], "--threads"))
            s->threads = atoi(argv[++i]);
        else if (value && !strcmp(argv[i], "--seconds"))
            s->seconds = atof(argv[++i]);
        else if (value && !strcmp(argv[i], "--only"))
            s->only = argv[++i];
        else
            return 1;
    }
    return s->threads < 1;
}

int main(int argc, char **argv)
{
    settings s;
    if (read_options(argc, argv, &s)) {
        fprintf(stderr, "usage: %s [--f64] [--threads N] [--seconds S] [--only NAME] [--quick]\n",
                argv[0]);
        return 2;
    }
    return run(&s) != SIGAD_OK;
}

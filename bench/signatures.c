/* Times the signature operations on plain arrays: microseconds per item, and the share of the rate
 * at which this machine multiplies matrices.
 *
 *     signatures [--threads N] [--f32] [--seconds S]
 *
 * The floor is Horner's operation count (docs/kernels.md): below 1.0 there is something to win.
 * Times are the least of several rounds, since noise only adds. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    int64_t batch, length;
    int32_t dimension, degree;
} cell;
static const cell grid[] = {{32, 2000, 2, 2}, {32, 2000, 2, 3}, {32, 2000, 4, 3}, {32, 2000, 8, 3},
                            {512, 20, 3, 4},  {512, 10, 5, 3},  {1024, 8, 2, 5},  {256, 30, 12, 3},
                            {1, 30, 4, 4},    {1, 1000, 3, 5},  {64, 100, 2, 10}, {64, 100, 3, 6},
                            {32, 100, 5, 5},  {16, 100, 8, 4},  {8, 100, 8, 5},   {8, 100, 16, 4}};

typedef struct {
    int threads, single;
    double seconds; /* for each figure */
    double rate;    /* flops a second of a matrix product, one thread */
    const cell *cell;
    sigad_plan *plan;
    int64_t entries;
    void *path, *sig, *sig_bar, *path_bar;
} bench;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static sigad_status forward(const bench *b)
{
    const cell *c = b->cell;
    return b->single
               ? sigad_sig_f32(b->plan, c->batch, c->length, NULL, b->path, b->sig, b->threads)
               : sigad_sig_f64(b->plan, c->batch, c->length, NULL, b->path, b->sig, b->threads);
}

static sigad_status backward(const bench *b)
{
    const cell *c = b->cell;
    return b->single ? sigad_sig_backprop_f32(b->plan, c->batch, c->length, NULL, b->path,
                                              b->sig_bar, b->path_bar, b->threads)
                     : sigad_sig_backprop_f64(b->plan, c->batch, c->length, NULL, b->path,
                                              b->sig_bar, b->path_bar, b->threads);
}

/* Least seconds of a call; negative if it fails. */
static double least(const bench *b, sigad_status (*call)(const bench *b))
{
    double best = INFINITY, end = now() + b->seconds;
    do {
        double start = now();
        if (call(b)) return -1.0;
        best = fmin(best, now() - start);
    } while (now() < end);
    return best;
}

/* Multiply-adds for each increment: forward, and backward from path and cotangent alone. */
static double chain(double d, int n)
{
    double sum = 0;
    for (int i = 2; i <= n; i++) sum += (n - i + 1) * pow(d, i);
    return sum;
}

static double forward_flops(const cell *c)
{
    return 2.0 * (double)(c->length - 1) *
           (c->dimension * (c->degree - 1.0) + chain(c->dimension, c->degree));
}

static double backward_flops(const cell *c)
{
    double d = c->dimension, words = 0;
    for (int k = 2; k <= c->degree; k++) words += pow(d, k);
    double low = d * (c->degree - 2.0) + chain(d, c->degree - 1);
    return 2.0 * (double)(c->length - 1) * (3 * chain(d, c->degree) - words + low);
}

static double uniform(void)
{
    return (double)rand() / RAND_MAX - 0.5;
}

static void *fill(int single, int64_t n, double scale, int64_t walk)
{
    size_t bytes = single ? sizeof(float) : sizeof(double);
    void *array = calloc((size_t)n + 1, bytes);
    for (int64_t i = 0; array && i < n; i++) {
        if (single)
            ((float *)array)[i] = (float)(scale * uniform()) +
                                  (walk && i >= walk ? ((float *)array)[i - walk] : 0.0f);
        else
            ((double *)array)[i] =
                scale * uniform() + (walk && i >= walk ? ((double *)array)[i - walk] : 0.0);
    }
    return array;
}

/* What the linked BLAS makes of a product of two 512 x 512 matrices on one thread. */
static double product_rate(int single)
{
    enum { N = 512 };
    sigad_context *context = NULL;
    sigad_tape *tape = NULL;
    double best = INFINITY;
    sigad_dtype dtype = single ? SIGAD_F32 : SIGAD_F64;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    if (sigad_context_create(&options, &context)) return 0.0;
    sigad_tape_create(context, &tape);
    for (int i = 0; i < 20; i++) {
        sigad_tape_reset(tape);
        sigad_tensor a = sigad_uniform(tape, dtype, SIGAD_SHAPE(N, N), -1, 1);
        double start = now();
        sigad_matmul(tape, a, a);
        best = fmin(best, now() - start);
    }
    sigad_context_destroy(context);
    return 2.0 * N * N * N / best;
}

static int measure(bench *b, const cell *c)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = c->dimension, .degree = c->degree};
    int64_t points = c->batch * c->length * c->dimension;
    b->cell = c;
    b->plan = NULL;
    if (sigad_plan_create(&spec, &b->plan) || sigad_sig_length(&spec, &b->entries)) return 1;
    b->path = fill(b->single, points, 1.0 / sqrt((double)c->length), c->dimension);
    b->path_bar = fill(b->single, points, 1.0, 0);
    b->sig = fill(b->single, c->batch * b->entries, 1.0, 0);
    b->sig_bar = fill(b->single, c->batch * b->entries, 1.0, 0);
    double f = -1, g = -1;
    if (b->path && b->path_bar && b->sig && b->sig_bar) {
        f = least(b, forward) / (double)c->batch;
        g = least(b, backward) / (double)c->batch;
        printf("%6lld %7lld %3d %3d  %11.3f %6.2f  %11.3f %6.2f\n", (long long)c->batch,
               (long long)c->length, (int)c->dimension, (int)c->degree, 1e6 * f,
               forward_flops(c) / f / b->rate / b->threads, 1e6 * g,
               backward_flops(c) / g / b->rate / b->threads);
    }
    free(b->path);
    free(b->path_bar);
    free(b->sig);
    free(b->sig_bar);
    sigad_plan_destroy(b->plan);
    return f < 0 || g < 0;
}

int main(int argc, char **argv)
{
    bench b = {.threads = 1, .seconds = 0.2};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--f32"))
            b.single = 1;
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            b.threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            b.seconds = atof(argv[++i]);
        else {
            fprintf(stderr, "usage: %s [--threads N] [--f32] [--seconds S]\n", argv[0]);
            return 2;
        }
    }
    if (b.threads < 1) b.threads = 1;
    b.rate = product_rate(b.single);
    printf("%s, %s kernels, %d thread(s), matrix products at %.1f Gflop/s a thread\n",
           b.single ? "float32" : "float64", sigad_instruction_set(), b.threads, 1e-9 * b.rate);
    printf("%6s %7s %3s %3s  %11s %6s  %11s %6s\n", "batch", "length", "d", "N", "forward us",
           "share", "backward us", "share");
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i++)
        if (measure(&b, &grid[i])) return 1;
    return 0;
}

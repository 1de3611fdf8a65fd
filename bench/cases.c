#include "cases.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const bench_operation_name[BENCH_OPERATIONS] = {"sig", "log_sig", "sig_to_log_sig",
                                                            "logsig_to_sig"};

/* ---- arrays ------------------------------------------------------------------------------------
 */

double bench_uniform(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)(int64_t)(z ^ (z >> 31)) * 0x1p-63;
}

static void store(int f32, void *array, int64_t i, double value)
{
    if (f32)
        ((float *)array)[i] = (float)value;
    else
        ((double *)array)[i] = value;
}

static void *new_array(int f32, int64_t entries)
{
    return calloc((size_t)entries + 1, f32 ? sizeof(float) : sizeof(double));
}

static void *random_array(int f32, int64_t entries, uint64_t *state)
{
    void *array = new_array(f32, entries);
    for (int64_t i = 0; array && i < entries; i++) store(f32, array, i, bench_uniform(state));
    return array;
}

/* Random walks [batch, length, dimension] that end at a distance of about 1. */
static void *random_paths(const bench_case *c, uint64_t *state)
{
    int64_t d = c->spec.dimension;
    double step = 1.7 / sqrt((double)c->length), *at = calloc((size_t)d, sizeof *at);
    void *path = new_array(c->f32, c->batch * c->length * d);
    for (int64_t i = 0; path && at && i < c->batch * c->length; i++) {
        if (i % c->length == 0) memset(at, 0, (size_t)d * sizeof *at);
        for (int64_t k = 0; k < d; k++)
            store(c->f32, path, i * d + k, at[k] += step * bench_uniform(state));
    }
    free(at);
    return path;
}

static int64_t *random_lengths(const bench_case *c, uint64_t *state)
{
    int64_t *lengths = malloc((size_t)c->batch * sizeof *lengths);
    for (int64_t i = 0; lengths && i < c->batch; i++)
        lengths[i] =
            1 + (int64_t)((0.5 + 0.5 * bench_uniform(state)) * (double)(c->length - 1) + 0.5);
    return lengths;
}

/* ---- calls -------------------------------------------------------------------------------------
 */

#define CALL(name, ...)                                  \
    (c->f32 ? name##_f32(p->plan, c->batch, __VA_ARGS__) \
            : name##_f64(p->plan, c->batch, __VA_ARGS__))

/* y or x_bar from the arrays of the problem. */
static sigad_status run(const bench_problem *p, int operation, const void *x, void *y)
{
    const bench_case *c = &p->what;
    switch (operation) {
    case BENCH_SIG:
        return CALL(sigad_sig, c->length, p->lengths, x, y, c->threads);
    case BENCH_LOG_SIG:
        return CALL(sigad_log_sig, c->length, p->lengths, x, y, c->threads);
    case BENCH_SIG_TO_LOG_SIG:
        return CALL(sigad_sig_to_log_sig, x, y, c->threads);
    default:
        return CALL(sigad_logsig_to_sig, x, y, c->threads);
    }
}

static sigad_status run_backward(const bench_problem *p)
{
    const bench_case *c = &p->what;
    const void *x = p->x, *y_bar = p->y_bar;
    void *x_bar = p->x_bar;
    switch (c->operation) {
    case BENCH_SIG:
        return CALL(sigad_sig_backprop, c->length, p->lengths, x, y_bar, x_bar, c->threads);
    case BENCH_LOG_SIG:
        return CALL(sigad_log_sig_backprop, c->length, p->lengths, x, y_bar, x_bar, c->threads);
    case BENCH_SIG_TO_LOG_SIG:
        return CALL(sigad_sig_to_log_sig_backprop, x, y_bar, x_bar, c->threads);
    default:
        return CALL(sigad_logsig_to_sig_backprop, x, y_bar, x_bar, c->threads);
    }
}

int bench_call(void *problem)
{
    const bench_problem *p = problem;
    sigad_status status =
        p->what.backward ? run_backward(p) : run(p, p->what.operation, p->x, p->y);
    return status != SIGAD_OK;
}

/* The arguments of the operation: paths, or what paths have. */
static int make_x(bench_problem *p, uint64_t *state)
{
    const bench_case *c = &p->what;
    void *path = random_paths(c, state);
    if (!path) return 1;
    if (c->operation == BENCH_SIG || c->operation == BENCH_LOG_SIG) {
        p->x = path;
        return 0;
    }
    p->x = new_array(c->f32, c->batch * p->x_entries);
    int before = c->operation == BENCH_SIG_TO_LOG_SIG ? BENCH_SIG : BENCH_LOG_SIG;
    int failed = !p->x || run(p, before, path, p->x);
    free(path);
    return failed;
}

static int measure_entries(bench_problem *p)
{
    const bench_case *c = &p->what;
    int64_t sig, log_sig, path = c->length * c->spec.dimension;
    if (sigad_sig_length(&c->spec, &sig) || sigad_log_sig_length(&c->spec, &log_sig)) return 1;
    int from_path = c->operation == BENCH_SIG || c->operation == BENCH_LOG_SIG;
    int to_sig = c->operation == BENCH_SIG || c->operation == BENCH_LOGSIG_TO_SIG;
    p->x_entries = from_path ? path : to_sig ? log_sig : sig;
    p->y_entries = to_sig ? sig : log_sig;
    return 0;
}

int bench_open(bench_problem *p, const bench_case *what, const sigad_allocator *allocator)
{
    uint64_t state = 1;
    *p = (bench_problem){.what = *what};
    if (measure_entries(p) || sigad_plan_create_with(&what->spec, allocator, &p->plan)) return 1;
    if (what->mixed) p->lengths = random_lengths(what, &state);
    int good = !make_x(p, &state) && (!what->mixed || p->lengths);
    if (what->backward) {
        p->y_bar = random_array(what->f32, what->batch * p->y_entries, &state);
        p->x_bar = new_array(what->f32, what->batch * p->x_entries);
        good = good && p->y_bar && p->x_bar;
    } else {
        p->y = new_array(what->f32, what->batch * p->y_entries);
        good = good && p->y;
    }
    if (!good) bench_close(p);
    return !good;
}

void bench_close(bench_problem *p)
{
    sigad_plan_destroy(p->plan);
    free(p->lengths);
    free(p->x);
    free(p->y);
    free(p->y_bar);
    free(p->x_bar);
}

/* ---- memory ------------------------------------------------------------------------------------
 */

typedef struct {
    int64_t bytes, most;
} account;

/* malloc with room for the alignment; the block's own address stands before it. */
static void *count_bytes(void *user, void *pointer, size_t old_size, size_t new_size,
                         size_t alignment)
{
    account *a = user;
    void *fresh = NULL;
    if (new_size) {
        char *block = malloc(new_size + alignment + sizeof block);
        if (!block) return NULL;
        uintptr_t start = (uintptr_t)(block + sizeof block + alignment - 1);
        fresh = (void *)(start - start % alignment);
        memcpy((char *)fresh - sizeof block, &block, sizeof block);
        if (pointer) memcpy(fresh, pointer, old_size < new_size ? old_size : new_size);
        a->bytes += (int64_t)new_size;
    }
    if (pointer) {
        char *block;
        memcpy(&block, (char *)pointer - sizeof block, sizeof block);
        free(block);
        a->bytes -= (int64_t)old_size;
    }
    if (a->bytes > a->most) a->most = a->bytes;
    return fresh;
}

int64_t bench_workspace(const bench_case *what)
{
    account a = {0, 0};
    sigad_allocator allocator = {count_bytes, &a};
    bench_case single = *what;
    bench_problem p;
    single.threads = 1;
    if (bench_open(&p, &single, &allocator)) return -1;
    int64_t tables = a.bytes;
    a.most = tables;
    int failed = single.backward ? run_backward(&p) != SIGAD_OK
                                 : run(&p, single.operation, p.x, p.y) != SIGAD_OK;
    bench_close(&p);
    return failed ? -1 : a.most - tables;
}

/* ---- operation counts --------------------------------------------------------------------------
 */

int bench_letters(const sigad_sig_spec *spec)
{
    return spec->dimension * (spec->lead_lag ? 2 : 1) + spec->time_aug;
}

/* Multiply-adds of the chains of levels 2 .. n for one increment of d letters. */
static double chains(double d, int n)
{
    double sum = 0;
    for (int i = 2; i <= n; i++) sum += (n - i + 1) * pow(d, i);
    return sum;
}

static double sig_products(const bench_case *c)
{
    double d = bench_letters(&c->spec), words = 0;
    int n = c->spec.degree;
    double steps = (double)(c->spec.lead_lag ? 2 * c->length - 2 : c->length - 1);
    double forward = d * (n - 1) + chains(d, n);
    if (!c->backward) return steps * forward;
    for (int k = 2; k <= n; k++) words += pow(d, k);
    double low = n > 1 ? d * (n - 2) + chains(d, n - 1) : 0;
    return steps * (3 * chains(d, n) - words + low);
}

/* Words of length n that are Lyndon words: Witt's formula, by counting words of each period. */
static double lyndon_words(double d, int n)
{
    double primitive = pow(d, n);
    for (int k = 1; k < n; k++)
        if (n % k == 0) primitive -= k * lyndon_words(d, k);
    return primitive / n;
}

/* Horner's rule: a product with splits 1 .. m-1 at level m, truncated one level later each time.
 * Where Lyndon words come out, the top level is needed at those alone. */
static double series_products(const bench_case *c)
{
    double d = bench_letters(&c->spec), sum = 0;
    int n = c->spec.degree;
    for (int m = 2; m < n; m++) sum += (n - m + 1.0) * (m - 1) * pow(d, m);
    int everything = c->operation == BENCH_LOGSIG_TO_SIG || c->spec.method == SIGAD_EXPANDED;
    return sum + (n - 1) * (everything ? pow(d, n) : lyndon_words(d, n));
}

double bench_floor(const bench_case *c)
{
    if (c->operation == BENCH_SIG) return 2.0 * sig_products(c);
    if (c->backward) return 0.0;
    double path = c->operation == BENCH_LOG_SIG ? sig_products(c) : 0.0;
    return 2.0 * (path + series_products(c));
}

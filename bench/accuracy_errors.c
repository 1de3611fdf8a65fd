#define _GNU_SOURCE /* sysconf */
#include "accuracy.h"
#include "cases.h"
#include <math.h>
#include <pthread.h>
#include <sigad/sigad.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One batch. What is exact in the dtype is kept in doubles, results in long double; x to x_bar are
 * floats or doubles, for the library. */
typedef struct {
    const shape *shape;
    recursion recursion;
    int64_t points; /* numbers of a path */
    int64_t *lengths;
    double *path, *sig_bar;
    long double *exact_sig, *exact_path_bar, *sig, *path_bar; /* the latter of one source */
    void *x, *y, *y_bar, *x_bar;
} test;

/* ---- drawing ------------------------------------------------------------------------------------
 */

static int64_t draw_length(const shape *s, uint64_t *state)
{
    if (!s->mixed) return s->length;
    return 2 + (int64_t)((0.5 + 0.5 * bench_uniform(state)) * (double)(s->length - 2) + 0.5);
}

/* Rounds to the dtype, and stores for the library. */
static void store(int f32, int64_t count, double *numbers, void *array)
{
    for (int64_t i = 0; f32 && i < count; i++) numbers[i] = ((float *)array)[i] = (float)numbers[i];
    if (!f32) memcpy(array, numbers, (size_t)count * sizeof *numbers);
}

static void draw_batch(test *t, uint64_t state)
{
    const shape *s = t->shape;
    const recursion *r = &t->recursion;
    int64_t first = s->cotangent ? r->offset[s->cotangent] : 0;
    int64_t last = s->cotangent ? r->offset[s->cotangent + 1] : r->words;
    for (int64_t i = 0; i < s->batch; i++) {
        t->lengths[i] = draw_length(s, &state);
        draw_path(s, t->lengths[i], t->path + i * t->points, &state);
        for (int64_t j = first; j < last; j++) t->sig_bar[i * r->words + j] = bench_uniform(&state);
    }
    store(s->f32, s->batch * t->points, t->path, t->x);
    store(s->f32, s->batch * r->words, t->sig_bar, t->y_bar);
}

/* ---- computing ---------------------------------------------------------------------------------
 */

static int run_recursion(const test *t, recursion_run *run, int mirrored, long double *sig,
                         long double *path_bar)
{
    int failed = 0;
    for (int64_t i = 0; i < t->shape->batch; i++) {
        int64_t at = i * t->points, word = i * t->recursion.words;
        failed |= run(&t->recursion, mirrored, t->lengths[i], t->path + at, t->sig_bar + word,
                      sig + word, path_bar + at);
    }
    return failed;
}

static void read_back(int f32, int64_t count, const void *array, long double *numbers)
{
    for (int64_t i = 0; i < count; i++)
        numbers[i] = f32 ? ((const float *)array)[i] : ((const double *)array)[i];
}

static int run_kernel(const test *t, int kernel)
{
    const shape *s = t->shape;
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,     .dimension = s->dimension, .degree = s->degree,
                           .lead_lag = s->lead_lag, .time_aug = s->time_aug,   .kernel = kernel};
    sigad_plan *plan;
    if (sigad_plan_create(&spec, &plan)) return 1;
    const int64_t *lengths = s->mixed ? t->lengths : NULL;
    int failed = s->f32 ? sigad_sig_f32(plan, s->batch, s->length, lengths, t->x, t->y, 1) ||
                              sigad_sig_backprop_f32(plan, s->batch, s->length, lengths, t->x,
                                                     t->y_bar, t->x_bar, 1)
                        : sigad_sig_f64(plan, s->batch, s->length, lengths, t->x, t->y, 1) ||
                              sigad_sig_backprop_f64(plan, s->batch, s->length, lengths, t->x,
                                                     t->y_bar, t->x_bar, 1);
    sigad_plan_destroy(plan);
    read_back(s->f32, s->batch * t->recursion.words, t->y, t->sig);
    read_back(s->f32, s->batch * t->points, t->x_bar, t->path_bar);
    return failed;
}

/* ---- errors ------------------------------------------------------------------------------------
 */

static double error(int64_t count, const long double *found, const long double *exact)
{
    long double largest = 0, difference = 0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmaxl(largest, fabsl(exact[i]));
        difference = fmaxl(difference, fabsl(found[i] - exact[i]));
    }
    return largest > 0 ? (double)(difference / largest) : 0;
}

static void note(const test *t, int source, int64_t first, errors *e)
{
    const recursion *r = &t->recursion;
    for (int64_t i = 0; i < t->shape->batch; i++) {
        double *to = e->of[source][first + i];
        int64_t at = i * t->points, word = i * r->words;
        to[0] = error(t->points, t->path_bar + at, t->exact_path_bar + at);
        for (int k = 1; k <= r->degree; k++)
            to[k] =
                error(r->size[k], t->sig + word + r->offset[k], t->exact_sig + word + r->offset[k]);
    }
}

static int run_source(const test *t, int source)
{
    if (source < RECURSION) return run_kernel(t, source);
    memset(t->path_bar, 0, (size_t)(t->shape->batch * t->points) * sizeof *t->path_bar);
    return run_recursion(t, t->shape->f32 ? recursion_f32 : recursion_f64, source == MIRRORED,
                         t->sig, t->path_bar);
}

/* ---- batches -----------------------------------------------------------------------------------
 */

static void close_test(test *t)
{
    void *const all[] = {t->lengths,  t->path, t->sig_bar, t->exact_sig, t->exact_path_bar, t->sig,
                         t->path_bar, t->x,    t->y,       t->y_bar,     t->x_bar};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    recursion_close(&t->recursion);
}

static int open_test(test *t, const shape *s)
{
    *t = (test){.shape = s,
                .recursion = {.dimension = s->dimension,
                              .lead_lag = s->lead_lag,
                              .time_aug = s->time_aug,
                              .degree = s->degree},
                .points = s->length * s->dimension};
    int failed = recursion_open(&t->recursion);
    size_t words = (size_t)(s->batch * t->recursion.words), points = (size_t)(s->batch * t->points);
    failed |= !(t->lengths = calloc((size_t)s->batch, sizeof *t->lengths));
    failed |= !(t->path = calloc(points, sizeof *t->path));
    failed |= !(t->sig_bar = calloc(words, sizeof *t->sig_bar));
    failed |= !(t->exact_sig = calloc(words, sizeof *t->exact_sig));
    failed |= !(t->exact_path_bar = calloc(points, sizeof *t->exact_path_bar));
    failed |= !(t->sig = calloc(words, sizeof *t->sig));
    failed |= !(t->path_bar = calloc(points, sizeof *t->path_bar));
    failed |= !(t->x = calloc(points, sizeof(double)));
    failed |= !(t->y = calloc(words, sizeof(double)));
    failed |= !(t->y_bar = calloc(words, sizeof(double)));
    failed |= !(t->x_bar = calloc(points, sizeof(double)));
    return failed;
}

static int measure_batch(const shape *s, int64_t batch, int last, uint64_t seed, errors *e)
{
    test t;
    int failed = open_test(&t, s);
    if (!failed) {
        draw_batch(&t, seed + (uint64_t)batch * 7919);
        failed = run_recursion(&t, s->f32 ? recursion_f64 : recursion_long, 0, t.exact_sig,
                               t.exact_path_bar);
    }
    for (int source = 0; source < SOURCES && !failed; source++) {
        if (source > last && source < RECURSION) continue;
        failed = run_source(&t, source);
        if (!failed) note(&t, source, batch * s->batch, e);
    }
    close_test(&t);
    return failed;
}

/* What threads share: each takes the next batch until none is left. */
typedef struct {
    const shape *shape;
    int64_t batches;
    int last;
    uint64_t seed;
    errors *errors;
    atomic_llong next;
    atomic_int failed;
} job;

static void *measure_batches(void *shared)
{
    job *j = shared;
    for (long long i; (i = atomic_fetch_add(&j->next, 1)) < j->batches;)
        if (measure_batch(j->shape, i, j->last, j->seed, j->errors)) atomic_store(&j->failed, 1);
    return NULL;
}

int measure_errors(const shape *s, int64_t batches, int last, uint64_t seed, errors *e)
{
    enum { MOST_THREADS = 64 };
    pthread_t thread[MOST_THREADS];
    int failed = 0, started = 0, wanted = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    e->paths = batches * s->batch;
    for (int i = 0; i < SOURCES; i++)
        failed |= !(e->of[i] = calloc((size_t)e->paths, sizeof **e->of));
    if (failed) return 1;
    job j = {.shape = s, .batches = batches, .last = last, .seed = seed, .errors = e};
    while (started < wanted && started < MOST_THREADS && started + 1 < batches &&
           !pthread_create(&thread[started], NULL, measure_batches, &j))
        started++;
    measure_batches(&j);
    for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
    return atomic_load(&j.failed);
}

void free_errors(errors *e)
{
    for (int i = 0; i < SOURCES; i++) free(e->of[i]);
}

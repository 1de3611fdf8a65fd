/* Several contexts on several threads at once, for the thread sanitizer and for equal results. */
#include "support/hostile.h"
#include "support/memory.h"
#include "support/training.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 4, STEPS = 5 };

static char file[300];

typedef struct {
    double weights[TRAINING_WEIGHTS];
    sigad_status status;
} outcome;

static void *train(void *argument)
{
    outcome *o = argument;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 2, .seed = 3};
    training t = {.file = file};
    o->status = sigad_context_create(&options, &t.context);
    if (!o->status) o->status = training_make(&t);
    for (int i = 0; i < STEPS && !o->status; i++) o->status = training_step(&t);
    if (!o->status) training_weights(&t, o->weights);
    sigad_context_destroy(t.context);
    return NULL;
}

Test(threads, contexts_train_side_by_side_to_the_same_bits, .fini = hostile_remove)
{
    static outcome alone, together[THREADS];
    pthread_t thread[THREADS];
    snprintf(file, sizeof file, "%s", hostile_path("series.ts"));
    training_write_file(file);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, train, &together[i]), 0);
    train(&alone);
    for (int i = 0; i < THREADS; i++) cr_assert_eq(pthread_join(thread[i], NULL), 0);
    cr_expect_eq(alone.status, SIGAD_OK);
    for (int i = 0; i < THREADS; i++) {
        cr_expect_eq(together[i].status, SIGAD_OK);
        cr_expect_arr_eq(together[i].weights, alone.weights, sizeof alone.weights);
    }
}

/* ---- threads of one context ------------------------------------------------------------------ */

static int threads_of_process(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) cr_skip("there is no /proc/self/task");
    for (const struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void train_on(int32_t threads, double weights[TRAINING_WEIGHTS])
{
    test_memory memory = {0};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = threads,
                                     .allocator = test_memory_allocator(&memory)};
    training t = {.file = file};
    snprintf(file, sizeof file, "%s", hostile_path("series.ts"));
    training_write_file(file);
    cr_assert_eq(sigad_context_create(&options, &t.context), SIGAD_OK);
    cr_assert_eq(training_make(&t), SIGAD_OK);
    for (int i = 0; i < STEPS; i++) cr_assert_eq(training_step(&t), SIGAD_OK);
    training_weights(&t, weights);
    sigad_context_destroy(t.context);
    cr_expect_eq(memory.mistakes, 0, "the hook is called on the caller's thread only");
}

Test(threads, one_means_that_no_other_is_started, .fini = hostile_remove)
{
    double weights[TRAINING_WEIGHTS];
    int before = threads_of_process();
    train_on(1, weights);
    cr_expect_eq(threads_of_process(), before);
}

Test(threads, give_the_same_bits_in_any_number, .fini = hostile_remove)
{
    static const int32_t numbers[] = {1, 2, 3, 8};
    double weights[4][TRAINING_WEIGHTS];
    for (int i = 0; i < 4; i++) {
        train_on(numbers[i], weights[i]);
        cr_expect_arr_eq(weights[i], weights[0], sizeof weights[0], "%d threads", numbers[i]);
    }
}

/* A context made on one thread is used by another, one at a time. */
static void *use(void *argument)
{
    training *t = argument;
    training_step(t);
    return NULL;
}

Test(threads, a_context_moves_between_threads, .fini = hostile_remove)
{
    training t = {.file = file};
    pthread_t thread;
    snprintf(file, sizeof file, "%s", hostile_path("series.ts"));
    training_write_file(file);
    cr_assert_eq(sigad_context_create(NULL, &t.context), SIGAD_OK);
    cr_assert_eq(training_make(&t), SIGAD_OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(pthread_create(&thread, NULL, use, &t), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
    }
    cr_expect_eq(t.steps, 3);
    sigad_context_destroy(t.context);
}

/* ---- one plan for all ------------------------------------------------------------------------ */

typedef struct {
    const sigad_plan *plan;
    double sig[2 * 30], back[2 * 5 * 2];
    sigad_status status;
} signature;

static void *compute(void *argument)
{
    static const double path[2 * 5 * 2] = {0, 1, 1, 3, 2, 2, 5, 1, 3, 3,
                                           1, 0, 2, 2, 0, 3, 1, 1, 4, 2};
    signature *s = argument;
    int64_t length;
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 4, .method = 2};
    s->status = sigad_log_sig_length(&spec, &length);
    for (int i = 0; i < 20 && !s->status; i++) {
        s->status = sigad_log_sig_f64(s->plan, 2, 5, NULL, path, s->sig, 2);
        if (!s->status)
            s->status = sigad_log_sig_backprop_f64(s->plan, 2, 5, NULL, path, s->sig, s->back, 2);
    }
    return NULL;
}

Test(threads, share_a_plan)
{
    static signature alone, together[THREADS];
    pthread_t thread[THREADS];
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 4, .method = 2};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    for (int i = 0; i < THREADS; i++) {
        together[i].plan = plan;
        cr_assert_eq(pthread_create(&thread[i], NULL, compute, &together[i]), 0);
    }
    alone.plan = plan;
    compute(&alone);
    for (int i = 0; i < THREADS; i++) cr_assert_eq(pthread_join(thread[i], NULL), 0);
    cr_expect_eq(alone.status, SIGAD_OK);
    for (int i = 0; i < THREADS; i++) {
        cr_expect_eq(together[i].status, SIGAD_OK);
        cr_expect_arr_eq(together[i].sig, alone.sig, sizeof alone.sig);
        cr_expect_arr_eq(together[i].back, alone.back, sizeof alone.back);
    }
    sigad_plan_destroy(plan);
}

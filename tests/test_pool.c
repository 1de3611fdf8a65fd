/* Threads that wait for work. */
#include "core/parallel.h"
#include "core/pool.h"
#include "core/processors.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#    define FORKS 0 /* the thread sanitizer does not go along with threads after a fork */
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define FORKS 0
#    endif
#endif
#ifndef FORKS
#    define FORKS 1
#endif

#if defined(__SANITIZE_ADDRESS__)
#    define LIMITS 0 /* the address sanitizer cannot do without more memory either */
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define LIMITS 0
#    endif
#endif
#ifndef LIMITS
#    define LIMITS FORKS
#endif

enum { ITEMS = 50, THREADS = 4, CALLERS = 3, CALLS = 200 };

static void sleep_milliseconds(long count)
{
    nanosleep(&(struct timespec){count / 1000, count % 1000 * 1000000}, NULL);
}

/* ---- each item once, by workers that are alone with their number ----------------------------- */

typedef struct {
    atomic_int called[ITEMS], inside[THREADS], mistakes;
} visits;

static void visit(void *user, int64_t i, int worker)
{
    visits *v = user;
    if (worker < 0 || worker >= THREADS || atomic_fetch_add(&v->inside[worker], 1))
        atomic_fetch_add(&v->mistakes, 1);
    else
        atomic_fetch_add(&v->called[i], 1);
    if (worker >= 0 && worker < THREADS) atomic_fetch_sub(&v->inside[worker], 1);
}

static int mistakes_of_a_call(int threads)
{
    visits v = {0};
    sg_parallel(threads, ITEMS, visit, &v);
    for (int i = 0; i < ITEMS; i++) v.mistakes += v.called[i] != 1;
    return v.mistakes;
}

static void *call_often(void *mistakes)
{
    for (int i = 0; i < CALLS; i++) *(int *)mistakes += mistakes_of_a_call(2 + i % (THREADS - 1));
    return NULL;
}

Test(pool, serves_several_callers_at_once)
{
    int mistakes[CALLERS] = {0};
    pthread_t thread[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, call_often, &mistakes[i]), 0);
    for (int i = 0; i < CALLERS; i++) {
        cr_assert_eq(pthread_join(thread[i], NULL), 0);
        cr_expect_eq(mistakes[i], 0);
    }
}

static int threads_of_process(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks) cr_skip("there is no /proc/self/task");
    for (const struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

Test(pool, starts_no_more_threads_than_are_asked_for_at_once)
{
    int mistakes = mistakes_of_a_call(2), before = threads_of_process();
    call_often(&mistakes);
    cr_expect_eq(mistakes, 0);
    cr_expect_leq(threads_of_process(), before + THREADS - 2);
}

/* ---- at once ---------------------------------------------------------------------------------
 */

typedef struct {
    atomic_int came, left, by[THREADS];
} meeting;

/* Each waits until all are there, for ten seconds at most; worker 0 leaves first. */
static void meet(void *user, int worker)
{
    meeting *m = user;
    atomic_fetch_add(&m->by[worker], 1);
    atomic_fetch_add(&m->came, 1);
    for (int i = 0; atomic_load(&m->came) < THREADS && i < 10000; i++) sleep_milliseconds(1);
    if (worker) sleep_milliseconds(3);
    atomic_fetch_add(&m->left, 1);
}

Test(pool, runs_all_workers_at_once_whether_they_slept_or_not)
{
    for (long pause = 0; pause < 60; pause += 20) {
        meeting m = {0};
        sg_pool_run(THREADS, meet, &m);
        cr_expect_eq(m.came, THREADS, "after %ld ms: %d met", pause, m.came);
        cr_expect_eq(m.left, THREADS, "after %ld ms: %d had left", pause, m.left);
        for (int i = 0; i < THREADS; i++) cr_expect_eq(m.by[i], 1);
        sleep_milliseconds(pause);
    }
}

/* Worker 0 is done long before they wake. */
Test(pool, ends_a_call_whose_workers_are_still_asleep)
{
    for (int i = 0; i < 20; i++, sleep_milliseconds(2))
        cr_expect_eq(mistakes_of_a_call(THREADS), 0);
}

/* ---- phases ---------------------------------------------------------------------------------- */

typedef struct {
    atomic_int done, early[2];
    int called[2][ITEMS]; /* plain, and the counts relaxed, so that the thread sanitizer sees the
                             order */
} course;

static void first_phase(void *user, int64_t i, int worker)
{
    course *c = user;
    (void)worker;
    if (i == ITEMS - 1 || i == 0) sleep_milliseconds(1); /* while the others have nothing left */
    c->called[0][i]++;
    atomic_fetch_add_explicit(&c->done, 1, memory_order_relaxed);
}

static void second_phase(void *user, int64_t i, int worker)
{
    course *c = user;
    (void)worker;
    c->called[1][i]++;
    if (atomic_load_explicit(&c->done, memory_order_relaxed) < ITEMS ||
        c->called[0][ITEMS - 1 - i] != 1)
        atomic_fetch_add(&c->early[0], 1);
    atomic_fetch_add_explicit(&c->done, 1, memory_order_relaxed);
}

static void third_phase(void *user, int64_t i, int worker)
{
    course *c = user;
    (void)i, (void)worker;
    if (atomic_load_explicit(&c->done, memory_order_relaxed) < ITEMS + ITEMS / 2)
        atomic_fetch_add(&c->early[1], 1);
}

Test(pool, begins_a_phase_when_the_one_before_has_ended)
{
    const sg_phase phase[] = {{ITEMS, first_phase}, {ITEMS / 2, second_phase}, {1, third_phase}};
    for (int threads = 1; threads <= 5; threads++)
        for (int again = 0; again < 10; again++) {
            course c = {0};
            sg_parallel_phases(threads, 3, phase, &c);
            cr_expect_eq(c.early[0], 0);
            cr_expect_eq(c.early[1], 0);
            for (int i = 0; i < ITEMS; i++) {
                cr_expect_eq(c.called[0][i], 1);
                cr_expect_eq(c.called[1][i], i < ITEMS / 2);
            }
        }
}

/* No memory for their stacks. */
Test(pool, does_without_threads_that_cannot_be_had)
{
    struct rlimit before, none;
    int alone = threads_of_process();
    if (!LIMITS) cr_skip("a sanitizer needs memory of its own");
    cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
    none = before;
    none.rlim_cur = 1;
    cr_assert_eq(setrlimit(RLIMIT_AS, &none), 0);
    int mistakes = mistakes_of_a_call(THREADS);
    cr_assert_eq(setrlimit(RLIMIT_AS, &before), 0);
    cr_expect_eq(mistakes, 0);
    cr_expect_eq(threads_of_process(), alone);
    cr_expect_eq(mistakes_of_a_call(THREADS), 0);
    cr_expect_eq(threads_of_process(), alone + THREADS - 1);
}

/* ---- the process -----------------------------------------------------------------------------
 */

Test(pool, begins_anew_in_a_forked_process)
{
    if (!FORKS) cr_skip("no threads after a fork here");
    cr_expect_eq(mistakes_of_a_call(THREADS), 0);
    pid_t child = fork();
    cr_assert_neq(child, -1);
    if (!child) {
        meeting m = {0};
        sg_pool_run(THREADS, meet, &m);
        _exit(m.left == THREADS ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_expect_eq(mistakes_of_a_call(THREADS), 0);
}

Test(pool, heeds_the_environment)
{
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("OMP_WAIT_POLICY", "PASSIVE", 1);
    cr_expect_eq(sg_thread_count(-1), 1);
    cr_expect_eq(sg_thread_count(2), 2);
    cr_expect(sg_waits_passively());
    cr_expect_geq(sg_processors(), 1);
    cr_expect_eq(mistakes_of_a_call(THREADS), 0);
}

/* Threads that wait for work. */
#include "core/parallel.h"
#include "core/pool.h"
#include "core/processors.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
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

/* Each waits until all are there, for ten seconds at most. */
static void meet(void *user, int worker)
{
    atomic_int *here = user;
    atomic_fetch_add(here, 1);
    for (int i = 0; atomic_load(here) < THREADS && i < 10000; i++) sleep_milliseconds(1);
    (void)worker;
}

Test(pool, runs_all_workers_at_once_whether_they_slept_or_not)
{
    for (long pause = 0; pause < 60; pause += 20) {
        atomic_int here = 0;
        sg_pool_run(THREADS, meet, &here);
        cr_expect_eq(here, THREADS, "after %ld ms: %d met", pause, here);
        sleep_milliseconds(pause);
    }
}

/* Worker 0 is done long before they wake. */
Test(pool, ends_a_call_whose_workers_are_still_asleep)
{
    for (int i = 0; i < 20; i++, sleep_milliseconds(2))
        cr_expect_eq(mistakes_of_a_call(THREADS), 0);
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
        atomic_int here = 0;
        sg_pool_run(THREADS, meet, &here);
        _exit(here == THREADS ? 0 : 1);
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

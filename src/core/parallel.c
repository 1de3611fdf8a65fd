#include "core/parallel.h"
#include <omp.h>
#include <stdatomic.h>

/* Builds for sanitizers use POSIX threads: OpenMP's run-time library is not instrumented for races,
 * and its waiting threads can crash the search for leaks. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#    define POSIX_THREADS 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#        define POSIX_THREADS 1
#    endif
#endif

enum { MOST = 64 };

/* Asked for once: it is a system call, and takes a third of the time of a short path. */
static int processors(void)
{
    static atomic_int known;
    int found = atomic_load_explicit(&known, memory_order_relaxed);
    if (!found) {
        found = omp_get_num_procs();
        atomic_store_explicit(&known, found, memory_order_relaxed);
    }
    return found;
}

int sg_thread_count(int n_jobs)
{
    if (n_jobs > 0 && n_jobs <= MOST) return n_jobs;
    int all = processors(), limit = omp_get_max_threads();
    if (n_jobs > 0) return n_jobs < all ? n_jobs : all > MOST ? all : MOST;
    if (limit < all) all = limit;
    int64_t threads = (int64_t)all + 1 + n_jobs;
    return threads < 1 ? 1 : (int)threads;
}

#ifdef POSIX_THREADS
#    include <pthread.h>

typedef struct {
    atomic_llong next;
    int64_t count;
    void (*body)(void *, int64_t, int);
    void *user;
} job;
typedef struct {
    job *job;
    int worker;
} share;

static void *run(void *argument)
{
    share *s = argument;
    for (int64_t i; (i = atomic_fetch_add(&s->job->next, 1)) < s->job->count;)
        s->job->body(s->job->user, i, s->worker);
    return NULL;
}

static void several(int threads, int64_t count, void (*body)(void *, int64_t, int), void *user)
{
    pthread_t thread[MOST];
    share shares[MOST];
    job j = {.count = count, .body = body, .user = user};
    int started = 1;
    if (threads > MOST) threads = MOST;
    shares[0] = (share){&j, 0};
    for (; started < threads; started++) {
        shares[started] = (share){&j, started};
        if (pthread_create(&thread[started], NULL, run, &shares[started])) break;
    }
    run(&shares[0]);
    for (int i = 1; i < started; i++) pthread_join(thread[i], NULL);
}
#else
static void several(int threads, int64_t count, void (*body)(void *, int64_t, int), void *user)
{
#    pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t i = 0; i < count; i++) body(user, i, omp_get_thread_num());
}
#endif

void sg_parallel(int threads, int64_t count, void (*body)(void *user, int64_t index, int worker),
                 void *user)
{
    if (threads > count) threads = (int)count;
    if (threads > 1) {
        several(threads, count, body, user);
        return;
    }
    for (int64_t i = 0; i < count; i++) body(user, i, 0);
}

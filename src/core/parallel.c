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

/* Each worker has a queue of neighbouring items and then helps the others with theirs: a worker
 * that meets the same items again finds them in its core's cache. */
typedef struct {
    _Alignas(64) atomic_llong next;
    int64_t end;
} queue;

typedef struct {
    queue queue[MOST];
    int queues;
    void (*body)(void *, int64_t, int);
    void *user;
} job;

/* A worker looks before it takes from another's queue: most are empty by then, and to take would
 * move the queue to its core. */
static void work(job *j, int worker)
{
    for (int k = 0; k < j->queues; k++) {
        queue *q = &j->queue[(worker + k) % j->queues];
        if (k && atomic_load_explicit(&q->next, memory_order_relaxed) >= q->end) continue;
        for (int64_t i;
             (i = atomic_fetch_add_explicit(&q->next, 1, memory_order_relaxed)) < q->end;)
            j->body(j->user, i, worker);
    }
}

#ifdef POSIX_THREADS
#    include <pthread.h>

typedef struct {
    job *job;
    int worker;
} share;

static void *run(void *argument)
{
    share *s = argument;
    work(s->job, s->worker);
    return NULL;
}

static void on_threads(int threads, job *j)
{
    pthread_t thread[MOST];
    share shares[MOST];
    int started = 1;
    if (threads > MOST) threads = MOST;
    for (; started < threads; started++) {
        shares[started] = (share){j, started};
        if (pthread_create(&thread[started], NULL, run, &shares[started])) break;
    }
    work(j, 0);
    for (int i = 1; i < started; i++) pthread_join(thread[i], NULL);
}

static void all_on_threads(int threads, int jobs, job *j)
{
    for (int k = 0; k < jobs; k++) on_threads(threads, &j[k]);
}
#else
static void all_on_threads(int threads, int jobs, job *j)
{
#    pragma omp parallel num_threads(threads)
    for (int k = 0; k < jobs; k++) {
        work(&j[k], omp_get_thread_num());
        if (k + 1 < jobs) {
#    pragma omp barrier
        }
    }
}
#endif

static void fill(job *j, int threads, const sg_phase *phase, void *user)
{
    j->queues = threads < MOST ? threads : MOST;
    j->body = phase->body;
    j->user = user;
    for (int k = 0; k < j->queues; k++) {
        atomic_init(&j->queue[k].next, phase->count * k / j->queues);
        j->queue[k].end = phase->count * (k + 1) / j->queues;
    }
}

/* Queues are on the stack and few of them are used: they are not cleared. */
static void several(int threads, int phases, const sg_phase *phase, void *user)
{
    job j[SG_PHASES];
    for (int k = 0; k < phases; k++) fill(&j[k], threads, &phase[k], user);
    all_on_threads(threads, phases, j);
}

void sg_parallel_phases(int threads, int phases, const sg_phase *phase, void *user)
{
    int64_t most = 0;
    for (int k = 0; k < phases; k++)
        if (phase[k].count > most) most = phase[k].count;
    if (threads > most) threads = (int)most;
    if (threads > 1) {
        several(threads, phases, phase, user);
        return;
    }
    for (int k = 0; k < phases; k++)
        for (int64_t i = 0; i < phase[k].count; i++) phase[k].body(user, i, 0);
}

void sg_parallel(int threads, int64_t count, void (*body)(void *user, int64_t index, int worker),
                 void *user)
{
    sg_parallel_phases(threads, 1, &(sg_phase){count, body}, user);
}

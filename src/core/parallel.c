#include "core/parallel.h"
#include "core/pool.h"
#include "core/processors.h"
#include <stdatomic.h>
#include <stdbool.h>

enum { MOST = 64 };

int sg_thread_count(int n_jobs)
{
    if (n_jobs > 0 && n_jobs <= MOST) return n_jobs;
    int all = sg_processors();
    if (n_jobs > 0) return n_jobs < all ? n_jobs : all > MOST ? all : MOST;
    int64_t threads = (int64_t)sg_usual_threads() + 1 + n_jobs;
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
    _Alignas(64) int queues;
    bool last; /* of a call's jobs */
    int64_t count;
    void (*body)(void *, int64_t, int);
    void *user;
    _Alignas(64) atomic_llong done;
} job;

/* How many items this worker has done. It looks before it takes from another's queue: most are
 * empty by then, and to take would move the queue to its core. */
static int64_t work(job *j, int worker)
{
    int64_t done = 0;
    for (int k = 0; k < j->queues; k++) {
        queue *q = &j->queue[(worker + k) % j->queues];
        if (k && atomic_load_explicit(&q->next, memory_order_relaxed) >= q->end) continue;
        for (int64_t i; (i = atomic_fetch_add_explicit(&q->next, 1, memory_order_relaxed)) < q->end;
             done++)
            j->body(j->user, i, worker);
    }
    return done;
}

/* The jobs of a call, one after the other. A job has ended when all that was done of it comes to
 * all of its items: so nobody waits for a thread that has not begun. */
static void follow(void *user, int worker)
{
    job *j = user;
    __builtin_prefetch(&j->queue[worker < MOST ? worker : 0], 1); /* it comes from another core */
    for (;; j++) {
        int64_t done = work(j, worker);
        if (j->last) return;
        atomic_fetch_add_explicit(&j->done, done, memory_order_acq_rel);
        for (int turns = 0; atomic_load_explicit(&j->done, memory_order_acquire) < j->count;)
            sg_pool_wait(&turns);
    }
}

static void fill(job *j, int threads, const sg_phase *phase, void *user)
{
    j->queues = threads < MOST ? threads : MOST;
    j->count = phase->count;
    atomic_init(&j->done, 0);
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
    for (int k = 0; k < phases; k++) {
        fill(&j[k], threads, &phase[k], user);
        j[k].last = k + 1 == phases;
    }
    sg_pool_run(threads, follow, j);
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

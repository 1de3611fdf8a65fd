#include "core/pool.h"
#include "core/processors.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* ---- waiting ------------------------------------------------------------------------------------
 */

enum { WATCH = 20000, STAY = 1000 }; /* turns: until a thread sleeps, or lets others run */

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

void sg_pool_wait(int *turns)
{
    if (*turns == STAY) {
        sched_yield();
    } else {
        ++*turns;
        pause_briefly();
    }
}

/* ---- one thread ---------------------------------------------------------------------------------
 *
 * Whoever has taken a thread asks it to run something, and may take that back as long as it does
 * not run. */

enum { IDLE, ASKED, RUNS, ENDS };

typedef struct {
    _Alignas(64) atomic_int state;
    atomic_int asleep;
    int worker;
    void (*body)(void *user, int worker);
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; /* for falling asleep */
    pthread_cond_t asked;
} member;

static atomic_int started;

/* Threads that outnumber the processors would keep each other from working. */
static int turns_of_watch(void)
{
    int others = sg_processors() - 1;
    bool crowded = atomic_load_explicit(&started, memory_order_relaxed) > others;
    return crowded || sg_waits_passively() ? 0 : WATCH;
}

/* Begins what it is asked to do. What it was asked, or IDLE. */
static int begin(member *m)
{
    int state = ASKED;
    atomic_compare_exchange_strong(&m->state, &state, RUNS);
    return state;
}

static int wait_to_be_asked(member *m)
{
    int state;
    for (int i = turns_of_watch(); i > 0; i--) {
        if ((state = begin(m)) != IDLE) return state;
        pause_briefly();
    }
    pthread_mutex_lock(&m->lock);
    atomic_exchange(&m->asleep, 1);
    while ((state = begin(m)) == IDLE) pthread_cond_wait(&m->asked, &m->lock);
    atomic_store(&m->asleep, 0);
    pthread_mutex_unlock(&m->lock);
    return state;
}

static void *serve(void *argument)
{
    member *m = argument;
    while (wait_to_be_asked(m) != ENDS) {
        m->body(m->user, m->worker);
        atomic_store_explicit(&m->state, IDLE, memory_order_release);
    }
    return NULL;
}

/* After it was asked. Either it sees that before it sleeps, or it is seen to sleep: of the two
 * exchanges, the later one sees what came before the other. */
static void wake(member *m)
{
    if (!atomic_fetch_or(&m->asleep, 0)) return;
    pthread_mutex_lock(&m->lock);
    pthread_cond_signal(&m->asked);
    pthread_mutex_unlock(&m->lock);
}

/* Returns when it does not run what it was asked to, and will not. */
static void finish(member *m)
{
    int state = atomic_load_explicit(&m->state, memory_order_relaxed), turns = 0;
    if (state == ASKED && atomic_compare_exchange_strong(&m->state, &state, IDLE)) return;
    while (atomic_load_explicit(&m->state, memory_order_acquire) != IDLE) sg_pool_wait(&turns);
}

/* Signals are for the program's own threads. */
static bool start(member *m)
{
    sigset_t all, before;
    memset(m, 0, sizeof *m);
    if (pthread_mutex_init(&m->lock, NULL) || pthread_cond_init(&m->asked, NULL)) return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&m->thread, NULL, serve, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

/* ---- all of them --------------------------------------------------------------------------------
 */

enum { BITS = 64, WORDS = 4, MOST = BITS * WORDS };

static member members[MOST];
static _Alignas(64) atomic_ullong idle[WORDS]; /* a bit for each thread that may be taken */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

/* A process that was forked has none of its parent's threads. */
static void forget(void)
{
    for (int w = 0; w < WORDS; w++) atomic_store(&idle[w], 0);
    atomic_store(&started, 0);
    pthread_mutex_init(&starting, NULL);
}

/* A new one, taken, or NULL. */
static member *add(void)
{
    static bool watches_forks;
    member *fresh = NULL;
    pthread_mutex_lock(&starting);
    int count = atomic_load_explicit(&started, memory_order_relaxed);
    if (!watches_forks) watches_forks = !pthread_atfork(NULL, NULL, forget);
    if (count < MOST && watches_forks && start(&members[count])) {
        fresh = &members[count];
        atomic_store_explicit(&started, count + 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&starting);
    return fresh;
}

/* The first that is idle: so a worker of some number is the same thread again, as a rule, and finds
 * in its caches what it had before. */
static member *take(void)
{
    for (int w = 0; w < WORDS; w++) {
        unsigned long long bits = atomic_load_explicit(&idle[w], memory_order_relaxed);
        while (bits) {
            int first = __builtin_ctzll(bits);
            if (atomic_compare_exchange_weak(&idle[w], &bits, bits & (bits - 1)))
                return &members[w * BITS + first];
        }
    }
    return NULL;
}

static void give_back(member *m)
{
    int64_t index = m - members;
    atomic_fetch_or(&idle[index / BITS], 1ULL << index % BITS);
}

void sg_pool_run(int threads, void (*body)(void *user, int worker), void *user)
{
    member *taken[MOST];
    int count = 0;
    while (count < threads - 1 && count < MOST) {
        member *m = take();
        if (!m) m = add();
        if (!m) break;
        taken[count++] = m;
        m->worker = count;
        m->body = body;
        m->user = user;
        atomic_store_explicit(&m->state, ASKED, memory_order_release);
    }
    for (int i = 0; i < count; i++) wake(taken[i]);
    body(user, 0);
    for (int i = 0; i < count; i++) {
        finish(taken[i]);
        give_back(taken[i]);
    }
}

/* No thread may be in the library when it is unloaded. */
static __attribute__((destructor)) void end(void)
{
    pthread_mutex_lock(&starting);
    atomic_store(&started, MOST);
    pthread_mutex_unlock(&starting);
    for (member *m; (m = take());) {
        atomic_store(&m->state, ENDS);
        wake(m);
        pthread_join(m->thread, NULL);
    }
}

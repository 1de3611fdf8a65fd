// Threads as threads of the host, so that the thread sanitizer sees which of a kernel's accesses
// nothing orders. Only what orders accesses on a device may do so here: barriers do, within their
// block; shuffles are built of relaxed atomics, in which that sanitizer sees no order, and two
// sides run every second block each.
#include "emulation.h"
#include <atomic>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

__thread emulated_index threadIdx, blockIdx;
emulated_index blockDim, gridDim;

namespace
{
enum { SIDES = 2 };

// Where the threads of a warp wait for each other without being ordered by it (but for what the
// processor orders: on x86-64, enough for the slots).
struct meeting {
    std::atomic<unsigned> arrived;

    void wait(unsigned members)
    {
        const unsigned mine = arrived.fetch_add(1, std::memory_order_relaxed);
        const unsigned all = (mine / members + 1) * members;
        while (arrived.load(std::memory_order_relaxed) - all > ~0u / 2) sched_yield();
    }
};

// The threads that run every second block.
struct side {
    pthread_barrier_t barrier;
    meeting warp[EMULATED_MOST_THREADS / EMULATED_WARP];
    std::atomic<uint64_t> slot[EMULATED_MOST_THREADS]; // what a thread hands out in a shuffle
    void *shared;
};

struct launched {
    size_t shared_bytes;
    void (*body)(void *);
    void *user;
    side sides[SIDES];
};

struct member {
    launched *launch;
    unsigned number; // of the thread, and then of the side
    pthread_t thread;
};

__thread side *my_side;

// The thread of the host with this number is another thread of each block, so that blocks are not
// ordered by who ran them.
void run_block(launched *l, side *s, unsigned block, unsigned number)
{
    blockIdx.x = block;
    threadIdx.x = (number + block) % blockDim.x;
    if (number == 0) memset(s->shared, 0xff, l->shared_bytes);
    pthread_barrier_wait(&s->barrier);
    l->body(l->user);
    pthread_barrier_wait(&s->barrier);
}

void *run_member(void *user)
{
    const member *m = static_cast<member *>(user);
    const unsigned of_side = m->number / blockDim.x;
    my_side = &m->launch->sides[of_side];
    for (unsigned b = of_side; b < gridDim.x; b += SIDES)
        run_block(m->launch, my_side, b, m->number % blockDim.x);
    return NULL;
}

void open_side(side *s, unsigned threads, size_t shared)
{
    pthread_barrier_init(&s->barrier, NULL, threads);
    s->shared = malloc(shared ? shared : 1);
}

void close_side(side *s)
{
    free(s->shared);
    pthread_barrier_destroy(&s->barrier);
}

// A thread that cannot be started would leave the others waiting at their first barrier.
void start(member *m)
{
    if (pthread_create(&m->thread, NULL, run_member, m)) abort();
}
} // namespace

void *emulated_shared()
{
    return my_side->shared;
}

void emulated_barrier(const char *, int)
{
    pthread_barrier_wait(&my_side->barrier);
}

void emulated_shuffle(void *value, size_t bytes, unsigned away)
{
    const unsigned me = threadIdx.x, from = me + away;
    meeting *warp = &my_side->warp[me / EMULATED_WARP];
    uint64_t bits = 0;
    memcpy(&bits, value, bytes);
    my_side->slot[me].store(bits, std::memory_order_relaxed);
    warp->wait(EMULATED_WARP);
    if (from / EMULATED_WARP == me / EMULATED_WARP)
        bits = my_side->slot[from].load(std::memory_order_relaxed);
    memcpy(value, &bits, bytes);
    warp->wait(EMULATED_WARP);
}

// A barrier that some threads never come to would not end.
const char *emulation_fault(void)
{
    return NULL;
}

int emulated_run(int64_t blocks, int threads, size_t shared, void (*body)(void *), void *user)
{
    blockDim.x = static_cast<unsigned>(threads);
    gridDim.x = static_cast<unsigned>(blocks);
    const unsigned all = blockDim.x * (blocks < SIDES ? 1 : SIDES);
    launched *l = static_cast<launched *>(calloc(1, sizeof *l));
    member *members = static_cast<member *>(calloc(all, sizeof *members));
    l->shared_bytes = shared;
    l->body = body;
    l->user = user;
    for (side &s : l->sides) open_side(&s, blockDim.x, shared);
    for (unsigned i = 0; i < all; i++) {
        members[i].launch = l;
        members[i].number = i;
        start(&members[i]);
    }
    for (unsigned i = 0; i < all; i++) pthread_join(members[i].thread, NULL);
    for (side &s : l->sides) close_side(&s);
    free(members);
    free(l);
    return 0;
}

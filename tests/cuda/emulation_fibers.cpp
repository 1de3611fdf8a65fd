// Threads as fibers, one at a time, in whichever order a test asks for. A thread that ends hands
// its stack to the next one, so that kernels without barriers switch once a warp.
#include "emulation.h"
#include "switch_stack.h"
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#    define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define ADDRESS_SANITIZER 1
#    endif
#endif
#ifdef ADDRESS_SANITIZER
#    include <sanitizer/common_interface_defs.h>
#endif

__thread emulated_index threadIdx, blockIdx;
emulated_index blockDim, gridDim;

namespace
{
enum { STACK = 128 << 10, MOST_BARRIERS = 64, NAME = 100, TEXT = 200 };
enum fiber_state { READY, AT_BARRIER, AT_SHUFFLE, DONE };

struct fiber {
    waiting_stack waits;
    char *stack, *runs_on; // its own, and the one that it was handed
    fiber_state state;
    bool started;
    int site;        // of the barrier that it waits at
    double slot;     // what it hands out in a shuffle
    void *sanitizer; // the sanitizer's notes
};

struct barrier_site {
    const char *file;
    int line;
    bool met; // since the last look
    char name[NAME];
};

fiber fibers[EMULATED_MOST_THREADS];
waiting_stack scheduler;
void *scheduler_notes;
const void *scheduler_stack;
size_t scheduler_stack_bytes;
int current, threads_of_block;
void *shared_memory;
void (*body_of_launch)(void *);
void *user_of_launch;
barrier_site sites[MOST_BARRIERS];
int site_count;
char fault_text[TEXT];
bool faulty;

// ---- switching ----------------------------------------------------------------------------------

void before_switch(void **notes, const void *stack, size_t bytes)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(notes, stack, bytes);
#else
    (void)notes, (void)stack, (void)bytes;
#endif
}

void after_switch(void *notes, const void **stack, size_t *bytes)
{
#ifdef ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(notes, stack, bytes);
#else
    (void)notes, (void)stack, (void)bytes;
#endif
}

void leave(fiber_state state)
{
    fiber *me = &fibers[current];
    me->state = state;
    before_switch(state == DONE ? NULL : &me->sanitizer, scheduler_stack, scheduler_stack_bytes);
    switch_stack(&me->waits, &scheduler);
    after_switch(me->sanitizer, NULL, NULL);
}

void fiber_main();

void start(fiber *f)
{
    if (!f->stack) f->stack = static_cast<char *>(malloc(STACK));
    f->runs_on = f->stack;
    f->started = true;
    prepare_stack(&f->waits, f->stack, STACK, fiber_main);
}

void enter(int thread)
{
    fiber *f = &fibers[thread];
    if (!f->started) start(f);
    current = thread;
    threadIdx.x = static_cast<unsigned>(thread);
    before_switch(&scheduler_notes, f->runs_on, STACK);
    switch_stack(&scheduler, &f->waits);
    after_switch(scheduler_notes, NULL, NULL);
}

// ---- a block
// --------------------------------------------------------------------------------------

void fail(const char *what, int thread)
{
    faulty = true;
    const int site = fibers[thread].site;
    snprintf(fault_text, sizeof fault_text, "block %u: %s (thread %d at %s)", blockIdx.x, what,
             thread, fibers[thread].state == AT_BARRIER ? sites[site].name : "a shuffle");
}

// Member `turn` of n in the order of the schedule.
int in_turn(int turn, int n)
{
    if (emulated.schedule == EMULATION_DOWNWARDS) return n - 1 - turn;
    if (emulated.schedule == EMULATION_UPWARDS) return turn;
    int step = 7; // a prime, so that every one has its turn where it does not divide n
    while (n % step == 0) step += 2;
    return (turn * step + 3) % n;
}

// Whose turn it is in the warp that runs.
struct {
    int first, count, turn;

    int thread() const
    {
        return first + in_turn(turn, count);
    }
} sweep;

bool run_ready(int first, int count)
{
    bool ran = false;
    sweep = {first, count, 0};
    for (; sweep.turn < count; sweep.turn++) {
        if (fibers[sweep.thread()].state != READY) continue;
        enter(sweep.thread());
        ran = true;
    }
    return ran;
}

// Makes the next thread of the warp the one that runs, if it is to begin.
bool begin_next()
{
    char *const stack = fibers[current].runs_on;
    while (++sweep.turn < sweep.count) {
        fiber *next = &fibers[sweep.thread()];
        if (next->state != READY) continue;
        if (next->started) break;
        next->started = true;
        next->runs_on = stack;
        current = sweep.thread();
        threadIdx.x = static_cast<unsigned>(current);
        return true;
    }
    sweep.turn--;
    return false;
}

void fiber_main()
{
    after_switch(NULL, &scheduler_stack, &scheduler_stack_bytes);
    do {
        body_of_launch(user_of_launch);
        fibers[current].state = DONE;
    } while (begin_next());
    leave(DONE);
}

// A warp whose threads have all come to a shuffle goes on.
bool release_warp(int first, int count)
{
    for (int t = first; t < first + count; t++)
        if (fibers[t].state != AT_SHUFFLE) return false;
    for (int t = first; t < first + count; t++) fibers[t].state = READY;
    return true;
}

// One warp after the other, each as far as it can go.
void run_warps()
{
    const int warps = threads_of_block / EMULATED_WARP;
    for (int turn = 0; turn < warps; turn++) {
        const int first = in_turn(turn, warps) * EMULATED_WARP;
        while (run_ready(first, EMULATED_WARP) || release_warp(first, EMULATED_WARP)) {
        }
    }
}

// All threads wait at one barrier, or have ended; anything else is a fault. True: go on.
bool release_block()
{
    int waiting = -1, ended = 0;
    for (int t = 0; t < threads_of_block; t++) {
        if (fibers[t].state == DONE) {
            ended++;
        } else if (fibers[t].state == AT_SHUFFLE) {
            fail("a shuffle that part of the warp has not come to", t);
            return false;
        } else {
            if (waiting >= 0 && fibers[t].site != fibers[waiting].site) {
                fail("threads wait at different barriers", t);
                return false;
            }
            waiting = t;
        }
    }
    if (waiting < 0) return false;
    if (ended) {
        fail("a barrier that some threads never come to", waiting);
        return false;
    }
    for (int t = 0; t < threads_of_block; t++) fibers[t].state = READY;
    return true;
}

void run_block()
{
    for (int t = 0; t < threads_of_block; t++) {
        fibers[t].state = READY;
        fibers[t].started = false;
    }
    do run_warps();
    while (release_block());
}

int site_of(const char *file, int line)
{
    for (int i = 0; i < site_count; i++)
        if (sites[i].line == line && !strcmp(sites[i].file, file)) return i;
    if (site_count == MOST_BARRIERS) abort(); // make the table longer
    barrier_site *s = &sites[site_count];
    s->file = file;
    s->line = line;
    const char *name = strrchr(file, '/');
    snprintf(s->name, sizeof s->name, "%s:%d", name ? name + 1 : file, line);
    return site_count++;
}
} // namespace

void *emulated_shared()
{
    return shared_memory;
}

void emulated_barrier(const char *file, int line)
{
    const int site = site_of(file, line);
    sites[site].met = true;
    if (site == emulated.skipped_barrier) return;
    fibers[current].site = site;
    leave(AT_BARRIER);
}

void emulated_shuffle(void *value, size_t bytes, unsigned away)
{
    const unsigned me = static_cast<unsigned>(current), from = me + away;
    memcpy(&fibers[me].slot, value, bytes);
    leave(AT_SHUFFLE);
    if (from / EMULATED_WARP == me / EMULATED_WARP && from < blockDim.x)
        memcpy(value, &fibers[from].slot, bytes);
    leave(AT_SHUFFLE);
}

int emulated_run(int64_t blocks, int threads, size_t shared, void (*body)(void *), void *user)
{
    body_of_launch = body;
    user_of_launch = user;
    threads_of_block = threads;
    blockDim.x = static_cast<unsigned>(threads);
    gridDim.x = static_cast<unsigned>(blocks);
    shared_memory = malloc(shared ? shared : 1);
    faulty = false;
    for (unsigned b = 0; b < gridDim.x && !faulty; b++) {
        blockIdx.x = b;
        memset(shared_memory, 0xff, shared);
        run_block();
    }
    free(shared_memory);
    return faulty ? EMULATED_LAUNCH_FAILURE : 0;
}

// ---- what the tests ask
// -----------------------------------------------------------------------------

int emulation_barriers(void)
{
    return site_count;
}

const char *emulation_barrier(int number)
{
    return sites[number].name;
}

int emulation_met(int number)
{
    const bool met = sites[number].met;
    sites[number].met = false;
    return met;
}

const char *emulation_fault(void)
{
    static char text[TEXT];
    memcpy(text, fault_text, sizeof text);
    fault_text[0] = 0;
    return text[0] ? text : NULL;
}

#define _GNU_SOURCE /* sched_getaffinity */
#include "core/processors.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

static int ask_processors(void)
{
#ifdef __linux__
    cpu_set_t usable;
    if (!sched_getaffinity(0, sizeof usable, &usable)) return CPU_COUNT(&usable);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : (int)online;
}

static int ask_usual_threads(void)
{
    const char *text = getenv("OMP_NUM_THREADS");
    int wanted = text ? atoi(text) : 0, all = sg_processors();
    return wanted > 0 && wanted < all ? wanted : all;
}

static int ask_passively(void)
{
    const char *policy = getenv("OMP_WAIT_POLICY");
    return policy && !strcasecmp(policy, "passive");
}

/* One more than the answer; 0: nobody has asked. */
static int once(atomic_int *known, int (*ask)(void))
{
    int found = atomic_load_explicit(known, memory_order_relaxed);
    if (!found) {
        found = ask() + 1;
        atomic_store_explicit(known, found, memory_order_relaxed);
    }
    return found - 1;
}

int sg_processors(void)
{
    static atomic_int known;
    return once(&known, ask_processors);
}

int sg_usual_threads(void)
{
    static atomic_int known;
    return once(&known, ask_usual_threads);
}

bool sg_waits_passively(void)
{
    static atomic_int known;
    return once(&known, ask_passively);
}

/* Cheap time stamps for the listing of a graph. */
#ifndef SG_CLOCK_H
#define SG_CLOCK_H
#include <stdint.h>
#include <time.h>

static inline uint64_t sg_nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A counter of the processor; its rate is found by comparing it with sg_nanoseconds over a while.
 */
static inline uint64_t sg_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return sg_nanoseconds();
#endif
}
#endif

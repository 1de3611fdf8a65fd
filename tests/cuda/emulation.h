// A small CUDA for the host, by which launch.cuh compiles kernels without nvcc: each thread of a
// block is a fiber that runs until it meets a barrier or a shuffle, or, for the thread sanitizer, a
// thread of the host. Shared memory is poisoned with NaN before every block. Of the fibers,
// barriers that only some threads reach, or that none can leave, are faults: the launch fails.
#pragma once
#include "emulation_control.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SG_DEVICE                  inline
#define SG_BOTH                    inline
#define SG_KERNEL(most)            static void
#define SG_KERNEL_OF(most, blocks) static void
#define SG_UNROLL(times)
#define SG_SHARED(T, name) T *const name = static_cast<T *>(emulated_shared())

struct emulated_index {
    unsigned x;
};
extern __thread emulated_index threadIdx, blockIdx;
extern emulated_index blockDim, gridDim;

enum { EMULATED_MOST_THREADS = 1024, EMULATED_WARP = 32, EMULATED_MOST_SHARED = 96 << 10 };
enum { EMULATED_LAUNCH_FAILURE = 719 }; // as CUDA numbers its errors

void *emulated_shared();
void emulated_barrier(const char *file, int line);
// Hands `value` out and gets that of the thread `away` lanes on, if that is in the same warp.
void emulated_shuffle(void *value, size_t bytes, unsigned away);
// Is it the turn of the event of that number from now on? -1: of none.
inline bool counts_down(int *number)
{
    return *number >= 0 && (*number)-- == 0;
}
// Runs a grid, now. Returns the runtime's error.
int emulated_run(int64_t blocks, int threads, size_t shared, void (*body)(void *), void *user);

// A launch: as emulated_queue, if a device would take it.
int emulated_launch(int64_t blocks, int threads, size_t shared, void *stream, void (*body)(void *),
                    const void *user, size_t user_bytes);

// Work on a stream: body(user), with the device's memory open to it, on a copy of user's bytes; now
// or, if work is deferred, when the host waits. Returns the runtime's error.
int emulated_queue(void *stream, int (*body)(void *), const void *user, size_t user_bytes);

#define __syncthreads() emulated_barrier(__FILE__, __LINE__)

template <class T> inline T __shfl_down_sync(unsigned, T value, int away)
{
    emulated_shuffle(&value, sizeof value, static_cast<unsigned>(away));
    return value;
}

template <class Body> void emulated_body(void *body)
{
    (*static_cast<Body *>(body))();
}

template <class T> struct exactly {
    using type = T;
};

template <class... Parameters>
static int launch(void (*kernel)(Parameters...), int64_t blocks, int threads, size_t shared,
                  void *stream, typename exactly<Parameters>::type... arguments)
{
    auto body = [=] { kernel(arguments...); };
    return emulated_launch(blocks, threads, shared, stream, emulated_body<decltype(body)>, &body,
                           sizeof body);
}

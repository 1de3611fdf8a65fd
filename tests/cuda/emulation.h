// A small CUDA for the host, by which launch.cuh compiles kernels without nvcc: each thread of a
// block is a fiber that runs until it meets a barrier or a shuffle, or, for the thread sanitizer, a
// thread of the host. Shared memory is poisoned with NaN before every block. Of the fibers,
// barriers that only some threads reach, or that none can leave, are faults: the launch fails.
#pragma once
#include "emulation_control.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SG_DEVICE       inline
#define SG_BOTH         inline
#define SG_KERNEL(most) static void
#define SG_UNROLL(times)
#define SG_SHARED(T, name) T *const name = static_cast<T *>(emulated_shared())

struct emulated_index {
    unsigned x;
};
extern __thread emulated_index threadIdx, blockIdx;
extern emulated_index blockDim, gridDim;

enum { EMULATED_MOST_THREADS = 1024, EMULATED_WARP = 32, EMULATED_MOST_SHARED = 96 << 10 };
enum { EMULATED_LAUNCH_FAILURE = 719 }; // as CUDA numbers its errors
// The error with which a device answers such a launch; 0: it goes on.
int emulation_refuses(int64_t blocks, int threads, size_t shared);

void *emulated_shared();
void emulated_barrier(const char *file, int line);
// Hands `value` out and gets that of the thread `away` lanes on, if that is in the same warp.
void emulated_shuffle(void *value, size_t bytes, unsigned away);
int emulated_launch(int64_t blocks, int threads, size_t shared, void (*body)(void *), void *user);

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
static int launch(void (*kernel)(Parameters...), int64_t blocks, int threads, size_t shared, void *,
                  typename exactly<Parameters>::type... arguments)
{
    auto body = [=] { kernel(arguments...); };
    return emulated_launch(blocks, threads, shared, emulated_body<decltype(body)>, &body);
}

// The emulated device but for how it runs threads: emulation_fibers.cpp, emulation_threads.cpp.
#include "emulation.h"
#include "ops/cuda/kernels.h"
#include <stdlib.h>

emulation emulated = {4, EMULATION_UPWARDS, -1, 0, -1, 0};
static int device_blocks;

int emulation_refuses(int64_t blocks, int threads, size_t shared)
{
    enum { INVALID_CONFIGURATION = 9 };
    if (emulated.failing_launch >= 0 && emulated.failing_launch-- == 0)
        return EMULATED_LAUNCH_FAILURE;
    if (blocks < 1 || blocks > INT32_MAX || threads < 1 || threads > EMULATED_MOST_THREADS ||
        threads % EMULATED_WARP || shared > EMULATED_MOST_SHARED)
        return INVALID_CONFIGURATION;
    return 0;
}

int emulation_blocks(void)
{
    return device_blocks;
}

// ---- in place of device.cu
// --------------------------------------------------------------------------

static int properties_of_emulation(sg_cuda_properties *found)
{
    if (emulated.no_device) return 100;
    found->device = 0;
    found->multiprocessors = emulated.multiprocessors;
    found->shared_bytes = EMULATED_MOST_SHARED;
    return 0;
}

static void *upload(const void *bytes, size_t count)
{
    void *block = emulated.failing_upload ? NULL : malloc(count);
    if (!block) return NULL;
    memcpy(block, bytes, count);
    device_blocks++;
    return block;
}

static void release(int32_t, void *block)
{
    device_blocks--;
    free(block);
}

extern "C" const sg_cuda_driver *sg_cuda_driver_of_build(void)
{
    static const sg_cuda_driver driver = {&sg_cuda_kernels_f32, &sg_cuda_kernels_f64,
                                          properties_of_emulation, upload, release};
    return &driver;
}

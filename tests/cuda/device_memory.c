/* Memory of the emulated device. Each block ends with its pages, so that what is read past it is a
 * fault. */
#include "device_memory.h"
#include "ops/cuda/runtime.h"
#include <time.h>

void *device_take(size_t bytes)
{
    void *block = NULL;
    sg_cuda_runtime_of_build.take(&block, bytes ? bytes : 1, NULL);
    return block;
}

void device_release(void *block)
{
    if (block) sg_cuda_runtime_of_build.release(block, NULL);
}

int device_put(void *to, const void *from, size_t bytes)
{
    return bytes ? sg_cuda_runtime_of_build.copy(to, from, bytes, SG_CUDA_TO_DEVICE, NULL) : 0;
}

int device_get(void *to, const void *from, size_t bytes)
{
    return bytes ? sg_cuda_runtime_of_build.copy(to, from, bytes, SG_CUDA_TO_HOST, NULL) : 0;
}

const char *device_name(void)
{
    return "emulation";
}

void *device_take_pinned(size_t bytes)
{
    void *block = NULL;
    sg_cuda_runtime_of_build.take_pinned(&block, bytes);
    return block;
}

void device_release_pinned(void *block)
{
    if (block) sg_cuda_runtime_of_build.release_pinned(block);
}

double device_products(int scalar_bytes)
{
    (void)scalar_bytes;
    return 0;
}

double device_seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

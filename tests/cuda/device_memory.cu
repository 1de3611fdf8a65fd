// Memory of a real device.
#include "device_memory.h"
#include <cuda_runtime.h>
#include <stdio.h>
#include <time.h>

void *device_take(size_t bytes)
{
    void *block = nullptr;
    if (cudaMalloc(&block, bytes ? bytes : 1)) return nullptr;
    cudaMemset(block, 0xff, bytes);
    return block;
}

void device_release(void *block)
{
    cudaFree(block);
}

int device_put(void *to, const void *from, size_t bytes)
{
    return static_cast<int>(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
}

int device_get(void *to, const void *from, size_t bytes)
{
    return static_cast<int>(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
}

const char *device_name(void)
{
    static char text[400];
    int device = 0, driver = 0, runtime = 0;
    cudaDeviceProp found;
    if (cudaGetDevice(&device) || cudaGetDeviceProperties(&found, device)) return "none";
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    snprintf(text, sizeof text, "%s, compute capability %d.%d, driver %d, runtime %d", found.name,
             found.major, found.minor, driver, runtime);
    return text;
}

void *device_take_pinned(size_t bytes)
{
    void *block = nullptr;
    return cudaMallocHost(&block, bytes) ? nullptr : block;
}

void device_release_pinned(void *block)
{
    cudaFreeHost(block);
}

// Lanes of a multiprocessor, by the programming guide's table of throughputs, at the peak clock.
double device_products(int scalar_bytes)
{
    int device = 0, kilohertz = 0;
    cudaDeviceProp found;
    if (cudaGetDevice(&device) || cudaGetDeviceProperties(&found, device) ||
        cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, device))
        return 0;
    const bool data_center = (found.major == 8 && found.minor == 0) || found.major == 9;
    if (!data_center) return 0;
    const int lanes = (found.major == 9 ? 128 : 64) / (scalar_bytes == 8 ? 2 : 1);
    return 1e3 * kilohertz * lanes * found.multiProcessorCount;
}

double device_seconds(void)
{
    timespec now;
    cudaDeviceSynchronize();
    timespec_get(&now, TIME_UTC);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

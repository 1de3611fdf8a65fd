// What the host side asks of the CUDA runtime.
#include "ops/cuda/dense/blas.h"
#include "ops/cuda/driver.h"
#include "ops/kernels.h"
#include <cuda_runtime.h>

static int properties_of_current(sg_cuda_properties *found)
{
    int device = 0, count = 0, shared = 0;
    cudaError_t error = cudaGetDevice(&device);
    if (!error) error = cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
    if (!error)
        error = cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (error) {
        cudaGetLastError(); // it has been reported
        return static_cast<int>(error);
    }
    found->device = device;
    found->multiprocessors = count;
    found->shared_bytes = static_cast<size_t>(shared);
    return 0;
}

static void *upload(const void *bytes, size_t count)
{
    void *block = nullptr;
    if (cudaMalloc(&block, count)) {
        cudaGetLastError();
        return nullptr;
    }
    if (cudaMemcpy(block, bytes, count, cudaMemcpyHostToDevice)) {
        cudaGetLastError();
        cudaFree(block);
        return nullptr;
    }
    return block;
}

static void release(int32_t device, void *block)
{
    int current = 0;
    if (cudaGetDevice(&current)) return;
    if (current != device) cudaSetDevice(device);
    cudaFree(block);
    if (current != device) cudaSetDevice(current);
}

extern "C" const sg_cuda_driver *sg_cuda_driver_of_build(void)
{
    static const sg_cuda_driver driver = SG_CUDA_DRIVER(properties_of_current, upload, release,
                                                        sg_cuda_blas_open, sg_cuda_blas_close);
    return &driver;
}

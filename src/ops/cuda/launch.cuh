// The only place that knows whether kernels run on a device or, in the tests, on fibers of the
// host: how a kernel is launched, and how it names its shared memory. All blocks are
// one-dimensional.
#pragma once
#include "ops/cuda/kernels.h"

#ifdef __CUDACC__
#    define SG_DEVICE                  __device__ __forceinline__
#    define SG_BOTH                    __host__ __device__ __forceinline__
#    define SG_KERNEL(most)            static __global__ void __launch_bounds__(most)
#    define SG_KERNEL_OF(most, blocks) static __global__ void __launch_bounds__(most, blocks)
#    define SG_PRAGMA(text)            _Pragma(#    text)
#    define SG_UNROLL(times)           SG_PRAGMA(unroll times)
#    define SG_SHARED(T, name)                                           \
        extern __shared__ __align__(16) unsigned char sg_shared_bytes[]; \
        T *const name = reinterpret_cast<T *>(sg_shared_bytes)

template <class T> struct exactly {
    using type = T;
};

// The arguments have the types of the kernel's parameters, since they are handed on by address.
template <class... Parameters>
static int launch(void (*kernel)(Parameters...), int64_t blocks, int threads, size_t shared,
                  void *stream, typename exactly<Parameters>::type... arguments)
{
    enum { WITHOUT_ASKING = 48 << 10 };
    if (shared > WITHOUT_ASKING) {
        cudaError_t error = cudaFuncSetAttribute(
            kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
        if (error != cudaSuccess) return static_cast<int>(error);
    }
    void *addresses[] = {static_cast<void *>(&arguments)...};
    const cudaError_t error = cudaLaunchKernel(
        reinterpret_cast<const void *>(kernel), dim3(static_cast<unsigned>(blocks)),
        dim3(static_cast<unsigned>(threads)), addresses, shared, static_cast<cudaStream_t>(stream));
    if (error != cudaSuccess) cudaGetLastError(); // it is reported here and not again
    return static_cast<int>(error);
}
#else
#    include "emulation.h"
#endif

constexpr int WARP = 32;

constexpr int64_t MOST_BLOCKS = 1 << 16;

// Blocks of 256 threads for one thread an entry, each taking several if there are many.
inline int64_t blocks_for(int64_t entries)
{
    const int64_t blocks = (entries + 255) / 256;
    return blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS;
}

SG_DEVICE int thread_index()
{
    return static_cast<int>(threadIdx.x);
}
SG_DEVICE int block_threads()
{
    return static_cast<int>(blockDim.x);
}
SG_DEVICE int64_t block_index()
{
    return blockIdx.x;
}
SG_DEVICE int64_t grid_blocks()
{
    return gridDim.x;
}

// The real type that a scalar is made of, for what has no derivative.
template <class T> struct plain {
    using type = T;
};

// v of the thread `away` lanes on.
SG_DEVICE float from_lane(float v, int away)
{
    return __shfl_down_sync(0xffffffffu, v, away);
}
SG_DEVICE double from_lane(double v, int away)
{
    return __shfl_down_sync(0xffffffffu, v, away);
}

// The sum of v over `lanes` adjacent threads, a power of two up to a warp, in a fixed order; the
// first of them has it. Whole warps call it together.
template <class T> SG_DEVICE T lane_sum(T v, int lanes)
{
    for (int h = lanes / 2; h > 0; h /= 2) v += from_lane(v, h);
    return v;
}

// The table of runtime.h on a real device.
#include "ops/cuda/runtime.h"
#include <cuda_runtime.h>
#include <string.h>

// The runtime keeps the last error for whoever asks next; here it is reported at once.
static int reported(cudaError_t error)
{
    if (error != cudaSuccess) cudaGetLastError();
    return static_cast<int>(error);
}

static cudaStream_t stream_of(void *stream)
{
    return static_cast<cudaStream_t>(stream);
}

static cudaEvent_t event_of(void *event)
{
    return static_cast<cudaEvent_t>(event);
}

static int count_devices(int32_t *count)
{
    int found = 0;
    const int error = reported(cudaGetDeviceCount(&found));
    *count = found;
    return error;
}

static int get_device(int32_t *device)
{
    int found = 0;
    const int error = reported(cudaGetDevice(&found));
    *device = found;
    return error;
}

static int set_device(int32_t device)
{
    return reported(cudaSetDevice(device));
}

static int create_stream(void **stream)
{
    cudaStream_t made = nullptr;
    const int error = reported(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    *stream = made;
    return error;
}

static int destroy_stream(void *stream)
{
    return reported(cudaStreamDestroy(stream_of(stream)));
}

static int wait_for_stream(void *stream)
{
    return reported(cudaStreamSynchronize(stream_of(stream)));
}

static int create_event(void **event)
{
    cudaEvent_t made = nullptr;
    const int error = reported(cudaEventCreateWithFlags(&made, cudaEventDisableTiming));
    *event = made;
    return error;
}

static int destroy_event(void *event)
{
    return reported(cudaEventDestroy(event_of(event)));
}

static int record_event(void *event, void *stream)
{
    return reported(cudaEventRecord(event_of(event), stream_of(stream)));
}

static int wait_for_event(void *event)
{
    return reported(cudaEventSynchronize(event_of(event)));
}

static int take(void **block, size_t bytes, void *stream)
{
    *block = nullptr;
    return reported(cudaMallocAsync(block, bytes, stream_of(stream)));
}

static int release(void *block, void *stream)
{
    return reported(cudaFreeAsync(block, stream_of(stream)));
}

static int copy(void *to, const void *from, size_t bytes, int direction, void *stream)
{
    const cudaMemcpyKind kind = direction == SG_CUDA_TO_DEVICE ? cudaMemcpyHostToDevice
                                : direction == SG_CUDA_TO_HOST ? cudaMemcpyDeviceToHost
                                                               : cudaMemcpyDeviceToDevice;
    return reported(cudaMemcpyAsync(to, from, bytes, kind, stream_of(stream)));
}

static int clear(void *block, size_t bytes, void *stream)
{
    return reported(cudaMemsetAsync(block, 0, bytes, stream_of(stream)));
}

static int begin_capture(void *stream)
{
    return reported(cudaStreamBeginCapture(stream_of(stream), cudaStreamCaptureModeThreadLocal));
}

static int end_capture(void *stream, void **graph)
{
    cudaGraph_t captured = nullptr;
    cudaGraphExec_t made = nullptr;
    cudaError_t error = cudaStreamEndCapture(stream_of(stream), &captured);
    if (error == cudaSuccess) error = cudaGraphInstantiate(&made, captured, 0);
    if (captured) cudaGraphDestroy(captured);
    *graph = made;
    return reported(error);
}

static int launch_graph(void *graph, void *stream)
{
    return reported(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_of(stream)));
}

static int destroy_graph(void *graph)
{
    return reported(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)));
}

static int take_pinned(void **block, size_t bytes)
{
    *block = nullptr;
    const int error = reported(cudaHostAlloc(block, bytes, cudaHostAllocPortable));
    if (!error) memset(*block, 0, bytes);
    return error;
}

static int release_pinned(void *block)
{
    return reported(cudaFreeHost(block));
}

static int look_at(const void *address)
{
    cudaPointerAttributes found;
    int device = 0;
    const int error = reported(cudaPointerGetAttributes(&found, address));
    if (error == cudaErrorInvalidValue) return SG_CUDA_OF_HOST;
    if (error || reported(cudaGetDevice(&device))) return SG_CUDA_UNKNOWN;
    if (found.type == cudaMemoryTypeUnregistered) return SG_CUDA_OF_HOST;
    if (found.type == cudaMemoryTypeDevice && found.device != device) return SG_CUDA_OF_ANOTHER;
    return found.devicePointer == address ? SG_CUDA_REACHED : SG_CUDA_OF_HOST;
}

static const char *error_text(int error)
{
    return cudaGetErrorString(static_cast<cudaError_t>(error));
}

const sg_cuda_runtime sg_cuda_runtime_of_build = {
    count_devices, get_device,     set_device,    create_stream,  destroy_stream, wait_for_stream,
    create_event,  destroy_event,  record_event,  wait_for_event, take,           release,
    copy,          clear,          begin_capture, end_capture,    launch_graph,   destroy_graph,
    take_pinned,   release_pinned, look_at,       error_text};

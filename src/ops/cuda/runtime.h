/* What contexts ask of the CUDA runtime, as one table, so that the tests can put an emulation in
 * its place. All functions mean the calling thread's current device, and return 0 or the runtime's
 * error, which they take back from the runtime: it is reported once. */
#ifndef SG_CUDA_RUNTIME_H
#define SG_CUDA_RUNTIME_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum { SG_CUDA_TO_DEVICE, SG_CUDA_TO_HOST, SG_CUDA_INSIDE };

/* The current device reads and writes its own memory, managed memory, and pinned memory of the
 * host; not other memory of the host nor, whatever access was enabled, memory of another device. */
enum { SG_CUDA_REACHED, SG_CUDA_OF_HOST, SG_CUDA_OF_ANOTHER, SG_CUDA_UNKNOWN /* an error */ };

/* cudaErrorMemoryAllocation: the one error that callers tell from others. */
enum { SG_CUDA_NO_MEMORY = 2 };

typedef struct {
    int (*count_devices)(int32_t *count);
    int (*get_device)(int32_t *device);
    int (*set_device)(int32_t device);

    int (*create_stream)(void **stream);
    int (*destroy_stream)(void *stream);
    int (*wait_for_stream)(void *stream); /* also reports errors of work queued before */

    int (*create_event)(void **event);
    int (*destroy_event)(void *event);
    int (*record_event)(void *event, void *stream);
    int (*wait_for_event)(void *event); /* the host waits; at once where none was recorded */

    /* Ordered with the work on the stream. */
    int (*take)(void **block, size_t bytes, void *stream);
    int (*release)(void *block, void *stream);
    int (*copy)(void *to, const void *from, size_t bytes, int direction, void *stream);
    int (*clear)(void *block, size_t bytes, void *stream); /* to zero bytes */

    /* What is queued on the stream in between is kept instead, as one graph. */
    int (*begin_capture)(void *stream);
    int (*end_capture)(void *stream, void **graph);
    int (*launch_graph)(void *graph, void *stream);
    int (*destroy_graph)(void *graph);

    /* Memory of the host that devices reach, too; cleared. */
    int (*take_pinned)(void **block, size_t bytes);
    int (*release_pinned)(void *block);

    /* SG_CUDA_REACHED or what else; during a capture, too. */
    int (*look_at)(const void *address);
    const char *(*error_text)(int error); /* static */
} sg_cuda_runtime;

extern const sg_cuda_runtime sg_cuda_runtime_of_build;

#ifdef __cplusplus
}
#endif
#endif

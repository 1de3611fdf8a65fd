/* The memory that a context computes in: the host's, or a CUDA device's, reached through a stream.
 * Everything that a tape or an optimizer does to the bytes of tensors is asked for here or of a
 * kernel, so that the rest of the engine is the same for both.
 *
 * Work on a device is queued; only sg_device_get and sg_device_wait wait for it. Functions that
 * return bool set the context's error when they return false. */
#ifndef SG_DEVICE_H
#define SG_DEVICE_H
#include "core/error.h"
#include "core/memory.h"
#include "ops/cuda/dense/blas.h"
#include "ops/cuda/kernels.h"
#include "sigad/op.h"
#include <stdbool.h>

typedef struct {
    const sg_cuda_driver *driver; /* NULL: the host */
    int32_t index;
    bool owns_stream;
    void *stream;           /* that of the context's place */
    sigad_allocator hook;   /* the caller's, for device memory; function NULL: the runtime's pool */
    sigad_allocator memory; /* what memory is taken through: the hook or the pool */
    sg_cuda_properties properties;
    sg_cuda_blas blas;
    void *blas_scratch; /* SG_CUDA_BLAS_SCRATCH bytes, or NULL */
    void *capture;      /* a sigad_cuda_graph that queued work goes to; NULL: it runs */
} sg_device;

/* Finds the device that the options ask for. On failure the error is set, and nothing is held. */
bool sg_device_open(sigad_context *context, const sigad_context_options *options);
void sg_device_close(sigad_context *context);
/* Waits for all work, before what it uses goes; nothing is reported. */
void sg_device_finish(sigad_context *context);

static inline bool sg_device_is_host(const sg_device *device)
{
    return !device->driver;
}

/* Makes the context's device the thread's current one, for whoever calls kernels, and the other one
 * current again. */
int32_t sg_device_make_current(const sg_device *device); /* not of the host */
static inline int32_t sg_device_enter(const sg_device *device)
{
    return sg_device_is_host(device) ? 0 : sg_device_make_current(device);
}
static inline void sg_device_leave(const sg_device *device, int32_t before)
{
    if (!sg_device_is_host(device) && before != device->index)
        device->driver->runtime->set_device(before);
}

/* A block of its own, for what outlives a step; NULL if memory is short, which is not noted. */
void *sg_device_take(sigad_context *context, size_t bytes);
void sg_device_release(sigad_context *context, void *block, size_t bytes);

bool sg_device_clear(sigad_context *context, const char *caller, void *block, size_t bytes);
bool sg_device_move(sigad_context *context, const char *caller, void *to, const void *from,
                    size_t bytes);
/* From the host: the bytes must stay until the copy has run. */
bool sg_device_put(sigad_context *context, const char *caller, void *to, const void *from,
                   size_t bytes);
/* To the host: waits. */
bool sg_device_get(sigad_context *context, const char *caller, void *to, const void *from,
                   size_t bytes);
bool sg_device_wait(sigad_context *context, const char *caller);

/* False with the error set while work is captured: nothing may wait, copy from the host or take
 * memory then. */
bool sg_device_may_wait(sigad_context *context, const char *caller);
/* Ends a capture, if one is under way; *graph is the runtime's, or NULL. */
void sg_device_end_capture(sigad_context *context, void **graph, int *error);
void sg_device_abandon_capture(sigad_context *context);

/* Notes what the runtime reported (0: nothing); true if it was nothing. */
bool sg_device_check(sigad_context *context, const char *caller, int error);
/* The same of kernels that were called through the context's place. */
bool sg_device_ran(sigad_context *context, const char *caller);
const char *sg_device_error_text(const sg_device *device, int error);
#endif

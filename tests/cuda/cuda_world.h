/* The world of tests/support on the emulated device. */
#ifndef CUDA_WORLD_H
#define CUDA_WORLD_H
#include "ops/cuda/runtime.h"
#include "support/world.h"
#include <sigad/sigad.h>

typedef world cuda_world;

/* Memory of the device through a context's hook. */
typedef struct {
    int64_t blocks, calls;
    int failing;  /* the block of that number from now on; -1: none */
    bool strange; /* something was asked that base.h does not promise */
} device_hook;
sigad_allocator device_hook_allocator(device_hook *h);

void cuda_world_open(cuda_world *w);
void cuda_world_open_with(cuda_world *w, sigad_allocator device_allocator);
/* As world_close; nothing may be left on the device. */
void cuda_world_close(cuda_world *w);
#endif

/* The world of tests/support on the emulated device. */
#ifndef CUDA_WORLD_H
#define CUDA_WORLD_H
#include "ops/cuda/runtime.h"
#include "support/world.h"
#include <sigad/sigad.h>

typedef world cuda_world;

void cuda_world_open(cuda_world *w);
/* As world_close; nothing may be left on the device. */
void cuda_world_close(cuda_world *w);
#endif

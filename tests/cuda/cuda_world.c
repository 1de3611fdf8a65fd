#include "cuda_world.h"
#include "emulation_control.h"
#include <criterion/criterion.h>

void cuda_world_open(cuda_world *w)
{
    *w = (cuda_world){{0}, NULL, NULL};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = SIGAD_CUDA, .threads = 1,
                                     .seed = 7, .allocator = test_memory_allocator(&w->memory)};
    cr_assert_eq(sigad_context_create(&options, &w->context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(w->context, &w->tape), SIGAD_OK);
}

void cuda_world_close(cuda_world *w)
{
    world_close(w);
    cr_expect_eq(emulation_blocks(), 0, "%d blocks of device memory are left", emulation_blocks());
    cr_expect_eq(emulation_streams(), 0, "%d streams are left", emulation_streams());
}

#include "cuda_world.h"
#include "emulation_control.h"
#include <criterion/criterion.h>

static void *hook(void *user, void *pointer, size_t old_size, size_t new_size, size_t alignment)
{
    device_hook *h = user;
    void *block = NULL;
    h->calls++;
    if ((pointer && new_size) || alignment != 256 || (!pointer && old_size)) h->strange = true;
    if (pointer) {
        h->blocks--;
        sg_cuda_runtime_of_build.release(pointer, NULL);
    } else if (h->failing != 0 && !sg_cuda_runtime_of_build.take(&block, new_size, NULL)) {
        h->blocks++;
    }
    if (!pointer && h->failing >= 0) h->failing--;
    return block;
}

sigad_allocator device_hook_allocator(device_hook *h)
{
    return (sigad_allocator){hook, h};
}

void cuda_world_open(cuda_world *w)
{
    cuda_world_open_with(w, (sigad_allocator){0});
}

void cuda_world_open_with(cuda_world *w, sigad_allocator device_allocator)
{
    *w = (cuda_world){{0}, NULL, NULL};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT,
                                     .device = SIGAD_CUDA,
                                     .threads = 1,
                                     .seed = 7,
                                     .allocator = test_memory_allocator(&w->memory),
                                     .device_allocator = device_allocator};
    cr_assert_eq(sigad_context_create(&options, &w->context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(w->context, &w->tape), SIGAD_OK);
}

void cuda_world_close(cuda_world *w)
{
    world_close(w);
    cr_expect_eq(emulation_blocks(), 0, "%d blocks of device memory are left", emulation_blocks());
    cr_expect_eq(emulation_streams(), 0, "%d streams are left", emulation_streams());
}

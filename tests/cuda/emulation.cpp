// The emulated device but for how it runs threads: emulation_fibers.cpp, emulation_threads.cpp.
#include "emulation.h"
#include <stdlib.h>

namespace
{
// For programs that do not choose one: EMULATION_SCHEDULE, a number.
int schedule_of_environment()
{
    const char *number = getenv("EMULATION_SCHEDULE");
    return number ? atoi(number) % EMULATION_SCHEDULES : EMULATION_UPWARDS;
}
} // namespace

emulation emulated = {4, schedule_of_environment(), -1, 0, -1, -1, 0, 0, -1, -1, 0, 1, 0, 0, 0, 0,
                      0};

namespace
{
struct grid {
    int64_t blocks;
    int threads;
    size_t shared;
    void (*body)(void *);
    bool loses_device;
};

// The error with which a device answers such a launch; 0: it goes on.
int refuses(int64_t blocks, int threads, size_t shared)
{
    enum { INVALID_CONFIGURATION = 9 };
    if (emulated.lost || counts_down(&emulated.failing_launch)) return EMULATED_LAUNCH_FAILURE;
    if (blocks < 1 || blocks > INT32_MAX || threads < 1 || threads > EMULATED_MOST_THREADS ||
        threads % EMULATED_WARP || shared > EMULATED_MOST_SHARED)
        return INVALID_CONFIGURATION;
    return 0;
}

// What a launch queues: the grid, and behind it the kernel's arguments.
int run_grid(void *queued)
{
    grid *g = static_cast<grid *>(queued);
    if (g->loses_device) emulated.lost = 1;
    if (emulated.lost) return EMULATED_LAUNCH_FAILURE;
    return emulated_run(g->blocks, g->threads, g->shared, g->body, g + 1);
}
} // namespace

int emulated_launch(int64_t blocks, int threads, size_t shared, void *stream, void (*body)(void *),
                    const void *user, size_t user_bytes)
{
    emulated.launches++;
    const int refused = refuses(blocks, threads, shared);
    if (refused) return refused;
    const size_t bytes = sizeof(grid) + user_bytes;
    grid *queued = static_cast<grid *>(malloc(bytes));
    *queued = {blocks, threads, shared, body, counts_down(&emulated.losing_launch)};
    memcpy(static_cast<void *>(queued + 1), user, user_bytes);
    const int error = emulated_queue(stream, run_grid, queued, bytes);
    free(queued);
    return error;
}

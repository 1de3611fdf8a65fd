#include "ops/cpu/ranges.h"
#include "core/parallel.h"

enum { RANGE_ENTRIES = 16384 }; /* what is worth a thread's while */

typedef struct {
    int64_t count, per_range;
    sg_range_body body;
    void *user;
} job;

static void run(void *user, int64_t index, int worker)
{
    const job *j = user;
    int64_t first = index * j->per_range, left = j->count - first;
    (void)worker;
    j->body(j->user, first, left < j->per_range ? left : j->per_range);
}

void sg_ranges(int threads, int64_t count, int64_t item_entries, sg_range_body body, void *user)
{
    int64_t per_range = RANGE_ENTRIES / (item_entries > 1 ? item_entries : 1);
    if (!per_range) per_range = 1;
    job j = {count, per_range, body, user};
    sg_parallel(threads, (count + per_range - 1) / per_range, run, &j);
}

#include "ops/cpu/parallel_rows.h"
#include "core/parallel.h"

typedef struct {
    int64_t rows, rows_per_block;
    void (*body)(void *user, int64_t first, int64_t last);
    void *user;
} job;

static void run_block(void *user, int64_t block, int worker)
{
    const job *j = user;
    int64_t first = block * j->rows_per_block, left = j->rows - first;
    (void)worker;
    j->body(j->user, first, first + (left < j->rows_per_block ? left : j->rows_per_block));
}

void sg_parallel_rows(int threads, int64_t rows, int64_t entries,
                      void (*body)(void *user, int64_t first, int64_t last), void *user)
{
    int64_t each = entries > 0 && entries < SG_BLOCK ? SG_BLOCK / entries : 1;
    job j = {rows, each, body, user};
    sg_parallel(threads, (rows + each - 1) / each, run_block, &j);
}

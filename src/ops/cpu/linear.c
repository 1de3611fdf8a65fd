#include "ops/cpu/linear.h"
#include "ops/cpu/ranges.h"
#include <string.h>

typedef struct {
    int64_t columns;
    const void *row;
    void *y;
} job;

#define SG_KERNELS "ops/cpu/linear.inc"
#include "ops/cpu/both_reals.h"

void sg_cpu_set_rows(sg_place *place, int32_t dtype, int64_t rows, int64_t columns, const void *row,
                     void *y)
{
    job j = {columns, row, y};
    sg_ranges(place->threads, rows, columns, SG_BY_DTYPE(dtype, set_rows), &j);
}

void sg_cpu_add_to_rows(sg_place *place, int32_t dtype, int64_t rows, int64_t columns,
                        const void *row, void *y)
{
    job j = {columns, row, y};
    sg_ranges(place->threads, rows, columns, SG_BY_DTYPE(dtype, add_to_rows), &j);
}

/* One row for all rows of a matrix. */
#ifndef SG_CPU_LINEAR_H
#define SG_CPU_LINEAR_H
#include "ops/place.h"
#include "sigad/op.h"

/* y[i, :] = row, and y[i, :] += row, for y [rows, columns]. */
void sg_cpu_set_rows(sg_place *place, int32_t dtype, int64_t rows, int64_t columns, const void *row,
                     void *y);
void sg_cpu_add_to_rows(sg_place *place, int32_t dtype, int64_t rows, int64_t columns,
                        const void *row, void *y);
#endif

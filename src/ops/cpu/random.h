/* CPU kernels that draw at random: entry i of a result depends on the key and i alone. */
#ifndef SG_CPU_RANDOM_H
#define SG_CPU_RANDOM_H
#include "ops/place.h"
#include <stdbool.h>
#include <stdint.h>

void sg_cpu_uniform(sg_place *place, uint64_t key, double low, double high, int64_t n,
                    int32_t dtype, void *y);
void sg_cpu_normal(sg_place *place, uint64_t key, int64_t n, int32_t dtype, void *y);
/* y = x / (1 - rate), or 0 with probability `rate`; y += with `add`. The same key drops the same
 * entries. */
void sg_cpu_dropout(sg_place *place, const uint64_t *key, double rate, int64_t n, int32_t dtype,
                    const void *x, void *y, bool add);
#endif

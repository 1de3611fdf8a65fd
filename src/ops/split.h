/* An array seen from one axis, or from all of them as one: [outer, n, inner]. */
#ifndef SG_SPLIT_H
#define SG_SPLIT_H
#include <stdint.h>

typedef struct {
    int64_t outer, n, inner;
} sg_split;
#endif

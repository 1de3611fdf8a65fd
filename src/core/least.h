/* The lesser of two counts. */
#ifndef SG_LEAST_H
#define SG_LEAST_H
#include <stdint.h>

static inline int64_t sg_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
#endif

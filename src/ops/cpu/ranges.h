/* A long loop in ranges of equal length, for several threads. */
#ifndef SG_CPU_RANGES_H
#define SG_CPU_RANGES_H
#include <stdint.h>

typedef void (*sg_range_body)(void *user, int64_t first, int64_t count);

/* Calls body for ranges that make up 0 .. count-1. An item is about as much work as `item_entries`
 * entries of an array, which decides, with the count, on the length of the ranges. */
void sg_ranges(int threads, int64_t count, int64_t item_entries, sg_range_body body, void *user);
#endif

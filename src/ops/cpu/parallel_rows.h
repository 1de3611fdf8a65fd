/* Work on many alike rows, cut into blocks that are worth a thread. */
#ifndef SG_CPU_PARALLEL_ROWS_H
#define SG_CPU_PARALLEL_ROWS_H
#include <stdint.h>

/* Entries of a block: what is worth a thread's while. */
enum { SG_BLOCK = 32768 };

/* Calls body for ranges first .. last - 1 that make up 0 .. rows - 1. A range has SG_BLOCK entries
 * or a little fewer, but at least one row; a row has `entries`. With one entry each, ranges begin
 * at multiples of SG_BLOCK. */
void sg_parallel_rows(int threads, int64_t rows, int64_t entries,
                      void (*body)(void *user, int64_t first, int64_t last), void *user);
#endif

/* An allocator hook for tests: fails the allocation that the test chooses, and counts what is in
 * use. */
#ifndef FAILING_ALLOCATOR_H
#define FAILING_ALLOCATOR_H
#include <sigad/sigad.h>
#include <stdbool.h>

typedef struct {
    int64_t fail_at;      /* which allocation from now on fails, counted from 1; 0: none does */
    bool for_ever;        /* all after it fail, too */
    int64_t made, failed; /* allocations tried, and those of them that failed */
    int64_t live;         /* bytes in use */
} failing_allocator;

sigad_allocator failing_allocator_hook(failing_allocator *allocator);
/* Counts from 1 again. */
void failing_allocator_arm(failing_allocator *allocator, int64_t fail_at, bool for_ever);
#endif

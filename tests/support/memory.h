/* An allocator hook that counts, checks what comes back, fails on demand and finds leaks. */
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H
#include <sigad/base.h>
#include <stdbool.h>

typedef struct {
    size_t calls;         /* of the hook, for any purpose */
    size_t requests;      /* for memory: new or larger blocks */
    size_t fail_at;       /* this request fails (the first is 1); 0: none */
    bool for_ever;        /* so do all that follow it */
    size_t failed;        /* requests that failed on demand */
    size_t blocks, bytes; /* in use */
    size_t mistakes;      /* a size or alignment that is not the block's, or no power of two, or a
                             call on another thread than the first one */
    const char *thread;
} test_memory;

sigad_allocator test_memory_allocator(test_memory *memory);
#endif

/* Bytes that grow, from the caller's allocator. A cleared struct with the allocator set is an empty
 * buffer. */
#ifndef SG_BUFFER_H
#define SG_BUFFER_H
#include "core/memory.h"

typedef struct {
    const sigad_allocator *allocator;
    unsigned char *bytes; /* 64-byte aligned; NULL while capacity is 0 */
    size_t count, capacity;
} sg_buffer;

/* Room for `more` bytes behind the `count` that are there; false when memory is short, and nothing
 * has changed then. */
bool sg_buffer_reserve(sg_buffer *buffer, size_t more);
bool sg_buffer_append(sg_buffer *buffer, const void *bytes, size_t count);
void sg_buffer_destroy(sg_buffer *buffer);
#endif

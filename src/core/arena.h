/* A bump allocator for one step: blocks are aligned (to 64 bytes, on a device to 256), freed all at
 * once, and the memory is kept for the next step. A step that needed several chunks makes the next
 * reset merge them, so that a repeated step allocates nothing from the third time on.
 *
 * The memory may be a device's, which the host cannot touch: then the headers of chunks come from
 * an allocator of their own. */
#ifndef SG_ARENA_H
#define SG_ARENA_H
#include "core/memory.h"

typedef struct sg_chunk {
    struct sg_chunk *next;
    char *bytes; /* behind this header, or on the device */
    size_t capacity, used;
} sg_chunk;
typedef struct {
    const sigad_allocator *allocator;
    const sigad_allocator *headers; /* of a device's chunks; NULL: in front of the bytes */
    sg_chunk *first, *current;      /* list in order of use; chunks after `current` are empty */
    size_t peak;                    /* most bytes in use since the last reset */
    bool exact; /* chunks are as small as they can be, so that tests can fail every block */
} sg_arena;

typedef struct {
    sg_chunk *chunk;
    size_t used;
} sg_arena_mark;

void sg_arena_init(sg_arena *arena, const sigad_allocator *allocator);
void sg_arena_init_device(sg_arena *arena, const sigad_allocator *device_memory,
                          const sigad_allocator *host_memory);
void sg_arena_destroy(sg_arena *arena);
/* NULL on failure; a block of 0 bytes is a valid pointer to nothing. */
void *sg_arena_take(sg_arena *arena, size_t bytes);
/* Not of a device's memory. */
void *sg_arena_take_zeroed(sg_arena *arena, size_t bytes);
void sg_arena_reset(sg_arena *arena);
/* Rewinding gives back all that was taken after the mark. */
static inline sg_arena_mark sg_arena_position(const sg_arena *arena)
{
    return (sg_arena_mark){arena->current, arena->current ? arena->current->used : 0};
}
void sg_arena_rewind(sg_arena *arena, sg_arena_mark mark);
#endif

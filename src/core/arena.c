#include "core/arena.h"
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#    define SG_ASAN 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define SG_ASAN 1
#    endif
#endif
#ifdef SG_ASAN
#    include <sanitizer/asan_interface.h>
#    define FORBID(pointer, bytes) ASAN_POISON_MEMORY_REGION(pointer, bytes)
#    define ALLOW(pointer, bytes)  ASAN_UNPOISON_MEMORY_REGION(pointer, bytes)
enum { GAP = SG_ALIGNMENT }; /* a forbidden strip after each block */
#else
#    define FORBID(pointer, bytes) ((void)(pointer), (void)(bytes))
#    define ALLOW(pointer, bytes)  ((void)(pointer), (void)(bytes))
enum { GAP = 0 };
#endif

enum { HEADER = SG_ALIGNMENT, SMALLEST = 1 << 16 };
_Static_assert(sizeof(sg_chunk) <= HEADER, "the blocks behind the header must stay aligned");

/* The sanitizer's notes are about memory of the host alone. */
static void forbid(const sg_arena *arena, char *bytes, size_t count)
{
    if (!arena->headers) FORBID(bytes, count);
}

static void allow(const sg_arena *arena, char *bytes, size_t count)
{
    if (!arena->headers) ALLOW(bytes, count);
}

static void chunk_destroy(const sg_arena *arena, sg_chunk *chunk)
{
    allow(arena, chunk->bytes, chunk->capacity);
    if (!arena->headers) {
        sg_release(arena->allocator, chunk, chunk->capacity + HEADER);
        return;
    }
    if (chunk->bytes)
        arena->allocator->function(arena->allocator->user, chunk->bytes, chunk->capacity, 0,
                                   SG_DEVICE_ALIGNMENT);
    sg_release(arena->headers, chunk, sizeof *chunk);
}

static sg_chunk *chunk_create_on_device(const sg_arena *arena, size_t capacity)
{
    sg_chunk *chunk = sg_allocate(arena->headers, sizeof *chunk);
    if (!chunk) return NULL;
    *chunk = (sg_chunk){.capacity = capacity};
    chunk->bytes =
        arena->allocator->function(arena->allocator->user, NULL, 0, capacity, SG_DEVICE_ALIGNMENT);
    if (chunk->bytes) return chunk;
    chunk_destroy(arena, chunk);
    return NULL;
}

static sg_chunk *chunk_create(const sg_arena *arena, size_t capacity)
{
    if (capacity > SIZE_MAX - HEADER) return NULL;
    if (arena->headers) return chunk_create_on_device(arena, capacity);
    sg_chunk *chunk = sg_allocate(arena->allocator, capacity + HEADER);
    if (!chunk) return NULL;
    *chunk = (sg_chunk){.bytes = (char *)chunk + HEADER, .capacity = capacity};
    forbid(arena, chunk->bytes, capacity);
    return chunk;
}

void sg_arena_init(sg_arena *arena, const sigad_allocator *allocator)
{
    *arena = (sg_arena){.allocator = allocator};
}

void sg_arena_init_device(sg_arena *arena, const sigad_allocator *device_memory,
                          const sigad_allocator *host_memory)
{
    *arena = (sg_arena){.allocator = device_memory, .headers = host_memory};
}

void sg_arena_destroy(sg_arena *arena)
{
    for (sg_chunk *chunk = arena->first, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_destroy(arena, chunk);
    }
    arena->first = arena->current = NULL;
}

static size_t total(const sg_arena *arena, int of_capacity)
{
    size_t sum = 0;
    for (const sg_chunk *chunk = arena->first; chunk; chunk = chunk->next)
        sum += of_capacity ? chunk->capacity : chunk->used;
    return sum;
}

/* The next chunk of the list with room for `bytes`, else a new one of at least all that the arena
 * holds. */
static sg_chunk *chunk_with_room(sg_arena *arena, size_t bytes)
{
    sg_chunk **link = arena->current ? &arena->current->next : &arena->first;
    for (; *link; link = &(*link)->next)
        if ((*link)->capacity >= bytes) break;
    if (!*link) {
        size_t capacity = arena->exact ? 0 : total(arena, 1);
        if (capacity < SMALLEST && !arena->exact) capacity = SMALLEST;
        if (capacity < bytes) capacity = bytes;
        *link = chunk_create(arena, capacity);
    }
    return *link;
}

static void *take_from(const sg_arena *arena, sg_chunk *chunk, size_t bytes, size_t rounded)
{
    char *block = chunk->bytes + chunk->used;
    chunk->used += rounded;
    allow(arena, block, bytes);
    return block;
}

static __attribute__((noinline)) void *take_from_next(sg_arena *arena, size_t bytes, size_t rounded)
{
    const size_t least = rounded ? rounded : SG_ALIGNMENT;
    sg_chunk *chunk = bytes <= SIZE_MAX / 2 ? chunk_with_room(arena, least) : NULL;
    if (!chunk) return NULL;
    arena->current = chunk;
    return take_from(arena, chunk, bytes, rounded);
}

void *sg_arena_take(sg_arena *arena, size_t bytes)
{
    const size_t alignment = arena->headers ? SG_DEVICE_ALIGNMENT : SG_ALIGNMENT;
    const size_t rounded = (bytes + GAP + alignment - 1) & ~(alignment - 1); /* no division */
    sg_chunk *chunk = arena->current;
    if (!chunk || bytes > SIZE_MAX / 2 || chunk->capacity - chunk->used < rounded)
        return take_from_next(arena, bytes, rounded);
    return take_from(arena, chunk, bytes, rounded);
}

void *sg_arena_take_zeroed(sg_arena *arena, size_t bytes)
{
    void *block = sg_arena_take(arena, bytes);
    if (block && bytes) memset(block, 0, bytes);
    return block;
}

void sg_arena_rewind(sg_arena *arena, sg_arena_mark mark)
{
    size_t now = total(arena, 0);
    if (now > arena->peak) arena->peak = now;
    for (sg_chunk *chunk = mark.chunk ? mark.chunk->next : arena->first; chunk;
         chunk = chunk->next) {
        chunk->used = 0;
        forbid(arena, chunk->bytes, chunk->capacity);
    }
    arena->current = mark.chunk;
    if (mark.chunk) {
        mark.chunk->used = mark.used;
        forbid(arena, mark.chunk->bytes + mark.used, mark.chunk->capacity - mark.used);
    }
}

void sg_arena_reset(sg_arena *arena)
{
    sg_arena_rewind(arena, (sg_arena_mark){NULL, 0});
    size_t need = arena->peak;
    arena->peak = 0;
    if (!arena->first || !arena->first->next || need <= arena->first->capacity) return;
    size_t capacity = total(arena, 1);
    sg_arena_destroy(arena);
    arena->first = chunk_create(arena, capacity); /* on failure the next step tries again */
}

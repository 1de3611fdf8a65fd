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

static char *bytes_of(sg_chunk *chunk)
{
    return (char *)chunk + HEADER;
}

static sg_chunk *chunk_create(const sigad_allocator *allocator, size_t capacity)
{
    sg_chunk *chunk =
        capacity <= SIZE_MAX - HEADER ? sg_allocate(allocator, capacity + HEADER) : NULL;
    if (!chunk) return NULL;
    *chunk = (sg_chunk){.capacity = capacity};
    FORBID(bytes_of(chunk), capacity);
    return chunk;
}

static void chunk_destroy(const sigad_allocator *allocator, sg_chunk *chunk)
{
    ALLOW(bytes_of(chunk), chunk->capacity);
    sg_release(allocator, chunk, chunk->capacity + HEADER);
}

void sg_arena_init(sg_arena *arena, const sigad_allocator *allocator)
{
    *arena = (sg_arena){.allocator = allocator};
}

void sg_arena_destroy(sg_arena *arena)
{
    for (sg_chunk *chunk = arena->first, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_destroy(arena->allocator, chunk);
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
        *link = chunk_create(arena->allocator, capacity);
    }
    return *link;
}

void *sg_arena_take(sg_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) return NULL;
    size_t rounded = (bytes + GAP + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
    sg_chunk *chunk = arena->current;
    if (!chunk || chunk->capacity - chunk->used < rounded) {
        chunk = chunk_with_room(arena, rounded ? rounded : SG_ALIGNMENT);
        if (!chunk) return NULL;
        arena->current = chunk;
    }
    char *block = bytes_of(chunk) + chunk->used;
    chunk->used += rounded;
    ALLOW(block, bytes);
    return block;
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
        FORBID(bytes_of(chunk), chunk->capacity);
    }
    arena->current = mark.chunk;
    if (mark.chunk) {
        mark.chunk->used = mark.used;
        FORBID(bytes_of(mark.chunk) + mark.used, mark.chunk->capacity - mark.used);
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
    arena->first =
        chunk_create(arena->allocator, capacity); /* on failure the next step tries again */
}

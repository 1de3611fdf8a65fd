#include "support/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Stands in front of each block, in as many bytes as its alignment. */
typedef struct {
    size_t size, alignment, check;
} header;

enum { FRESH = 0xA5, RELEASED = 0x5A };
static const size_t largest = (size_t)1 << 40; /* asking the C library for more ends some runs */

static header *header_of(void *pointer, size_t alignment)
{
    return (header *)(void *)((char *)pointer - alignment);
}

static bool matches(const header *h, size_t size, size_t alignment)
{
    return h->size == size && h->alignment == alignment && h->check == ~(size ^ alignment);
}

static void *take(test_memory *memory, size_t size, size_t alignment)
{
    void *block;
    memory->requests++;
    if (memory->fail_at && (memory->for_ever ? memory->requests >= memory->fail_at
                                             : memory->requests == memory->fail_at)) {
        memory->failed++;
        return NULL;
    }
    if (size > largest || posix_memalign(&block, alignment, alignment + size)) return NULL;
    char *pointer = (char *)block + alignment;
    *(header *)block = (header){size, alignment, ~(size ^ alignment)};
    memset(pointer, FRESH, size);
    memory->blocks++;
    memory->bytes += size;
    return pointer;
}

static void give_back(test_memory *memory, void *pointer, size_t size, size_t alignment)
{
    header *h = header_of(pointer, alignment);
    memset(pointer, RELEASED, size);
    memory->blocks--;
    memory->bytes -= size;
    free(h);
}

static void *hook(void *user, void *pointer, size_t old_size, size_t new_size, size_t alignment)
{
    static _Thread_local char here;
    test_memory *memory = user;
    memory->calls++;
    if (!memory->thread) memory->thread = &here;
    if (memory->thread != &here || alignment < sizeof(header) || alignment > 4096 ||
        alignment & (alignment - 1) || (!pointer && !new_size) ||
        (pointer && !matches(header_of(pointer, alignment), old_size, alignment))) {
        memory->mistakes++;
        return NULL;
    }
    void *fresh = new_size ? take(memory, new_size, alignment) : NULL;
    if (fresh && pointer) memcpy(fresh, pointer, old_size < new_size ? old_size : new_size);
    if (pointer && (fresh || !new_size)) give_back(memory, pointer, old_size, alignment);
    return fresh;
}

sigad_allocator test_memory_allocator(test_memory *memory)
{
    return (sigad_allocator){hook, memory};
}

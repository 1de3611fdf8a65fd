#include "core/memory.h"
#include <stdlib.h>
#include <string.h>

static void *default_function(void *user, void *pointer, size_t old_size, size_t new_size,
                              size_t alignment)
{
    (void)user;
    void *fresh = NULL;
    if (new_size) {
        if (alignment < sizeof(void *)) alignment = sizeof(void *);
        if (posix_memalign(&fresh, alignment, new_size)) return NULL;
        if (pointer) memcpy(fresh, pointer, old_size < new_size ? old_size : new_size);
    }
    free(pointer);
    return fresh;
}

sigad_allocator sg_allocator_or_default(sigad_allocator allocator)
{
    if (!allocator.function) allocator = (sigad_allocator){default_function, NULL};
    return allocator;
}

void *sg_allocate(const sigad_allocator *allocator, size_t bytes)
{
    return allocator->function(allocator->user, NULL, 0, bytes, SG_ALIGNMENT);
}

void *sg_reallocate(const sigad_allocator *allocator, void *block, size_t old_bytes,
                    size_t new_bytes)
{
    return allocator->function(allocator->user, block, old_bytes, new_bytes, SG_ALIGNMENT);
}

void sg_release(const sigad_allocator *allocator, void *block, size_t bytes)
{
    if (block) allocator->function(allocator->user, block, bytes, 0, SG_ALIGNMENT);
}

bool sg_grow(const sigad_allocator *allocator, void **items, size_t count, size_t *capacity,
             size_t item_bytes)
{
    if (count < *capacity) return true;
    size_t wanted = *capacity ? *capacity * 2 : 16, bytes;
    if (wanted < *capacity || __builtin_mul_overflow(wanted, item_bytes, &bytes)) return false;
    void *grown = sg_reallocate(allocator, *items, *capacity * item_bytes, bytes);
    if (!grown) return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

char *sg_copy_text(const sigad_allocator *allocator, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = sg_allocate(allocator, bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

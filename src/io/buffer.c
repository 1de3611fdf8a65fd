#include "io/buffer.h"
#include <string.h>

enum { SMALLEST = 256 };

bool sg_buffer_reserve(sg_buffer *buffer, size_t more)
{
    if (more <= buffer->capacity - buffer->count) return true;
    size_t wanted;
    if (__builtin_add_overflow(buffer->count, more, &wanted) || wanted > PTRDIFF_MAX) return false;
    size_t doubled = buffer->capacity * 2;
    if (wanted < doubled) wanted = doubled;
    if (wanted < SMALLEST) wanted = SMALLEST;
    void *grown = sg_reallocate(buffer->allocator, buffer->bytes, buffer->capacity, wanted);
    if (!grown) return false;
    buffer->bytes = grown;
    buffer->capacity = wanted;
    return true;
}

bool sg_buffer_append(sg_buffer *buffer, const void *bytes, size_t count)
{
    if (!count) return true;
    if (!sg_buffer_reserve(buffer, count)) return false;
    memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count += count;
    return true;
}

void sg_buffer_destroy(sg_buffer *buffer)
{
    sg_release(buffer->allocator, buffer->bytes, buffer->capacity);
    *buffer = (sg_buffer){.allocator = buffer->allocator};
}

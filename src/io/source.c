#include "io/source.h"
#include <stdio.h>
#include <string.h>

enum { REASON_BYTES = 512 }; /* leaves room for the path in a message */

static sigad_status refuse(const sg_source *source, sigad_status status, size_t offset,
                           const char *format, va_list values)
{
    char reason[REASON_BYTES];
    vsnprintf(reason, sizeof reason, format, values);
    return sg_fail(source->error, status, "%.400s: byte %zu: %s", source->path,
                   source->base + offset, reason);
}

sigad_status sg_malformed(const sg_source *source, size_t offset, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    sigad_status status = refuse(source, SIGAD_EFORMAT, offset, format, values);
    va_end(values);
    return status;
}

sigad_status sg_refuse(const sg_source *source, sigad_status status, size_t offset,
                       const char *format, ...)
{
    va_list values;
    va_start(values, format);
    status = refuse(source, status, offset, format, values);
    va_end(values);
    return status;
}

sigad_status sg_source_no_memory(const sg_source *source, const char *what, size_t bytes)
{
    return sg_fail(source->error, SIGAD_ENOMEM, "%.400s: no memory for %s (%zu bytes)",
                   source->path, what, bytes);
}

uint64_t sg_little_endian(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

const char *sg_quote(const void *text, size_t count, char buffer[SG_QUOTE_BYTES])
{
    const size_t shown = 32;
    size_t n = count < shown ? count : shown;
    memcpy(buffer, text, n);
    for (size_t i = 0; i < n; i++)
        if (buffer[i] < ' ' || buffer[i] > '~') buffer[i] = '.';
    strcpy(buffer + n, count > shown ? "..." : "");
    return buffer;
}

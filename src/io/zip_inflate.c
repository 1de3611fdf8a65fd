#include "io/zip.h"
#include <limits.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

/* Deflate makes at most 258 bytes of 2 bits, about 1032 of one byte; more is a lie about the size.
 */
enum { LARGEST_RATIO = 1032 };

/* The library's memory comes from ours, which wants the size back. */
static void *allocate(void *user, unsigned items, unsigned size)
{
    const size_t bytes = (size_t)items * size + SG_ALIGNMENT;
    unsigned char *block = sg_allocate(user, bytes);
    if (!block) return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + SG_ALIGNMENT;
}

static void release(void *user, void *pointer)
{
    unsigned char *block = (unsigned char *)pointer - SG_ALIGNMENT;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    sg_release(user, block, bytes);
}

static unsigned portion(size_t bytes)
{
    return bytes < UINT_MAX ? (unsigned)bytes : UINT_MAX;
}

/* Z_STREAM_END if the stream ends exactly where both sizes say. */
static int inflate_all(z_stream *stream, const unsigned char *from, size_t packed,
                       unsigned char *to, size_t bytes)
{
    int answer = Z_OK;
    unsigned char none = 0;
    stream->next_in = from;
    stream->next_out = bytes ? to : &none;
    while (answer == Z_OK) {
        size_t in = packed - (size_t)(stream->next_in - from);
        size_t out = bytes ? bytes - (size_t)(stream->next_out - to) : 0;
        stream->avail_in = portion(in);
        stream->avail_out = portion(out);
        answer = inflate(stream, Z_NO_FLUSH);
    }
    bool all_taken = stream->next_in == from + packed;
    bool all_made = stream->next_out == (bytes ? to + bytes : &none);
    return answer == Z_STREAM_END && !(all_taken && all_made) ? Z_DATA_ERROR : answer;
}

sigad_status sg_zip_inflate(const sg_source *archive, size_t at, size_t packed, size_t bytes,
                            sg_buffer *out)
{
    z_stream stream = {.zalloc = allocate, .zfree = release, .opaque = (void *)archive->allocator};
    if (bytes / LARGEST_RATIO > packed)
        return sg_malformed(archive, at, "%zu bytes cannot be packed into %zu", bytes, packed);
    if (!sg_buffer_reserve(out, bytes)) return sg_source_no_memory(archive, "a member", bytes);
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) /* raw: no header of zlib's own */
        return sg_source_no_memory(archive, "unpacking", bytes);
    int answer = inflate_all(&stream, archive->bytes + at, packed, out->bytes, bytes);
    inflateEnd(&stream);
    if (answer == Z_MEM_ERROR) return sg_source_no_memory(archive, "unpacking", bytes);
    if (answer != Z_STREAM_END)
        return sg_malformed(archive, at, "the packed bytes do not unpack to %zu", bytes);
    out->count += bytes;
    return SIGAD_OK;
}

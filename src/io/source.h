/* Bytes that nobody vouches for, and how a reader refuses them: what the parsers of all formats
 * share. */
#ifndef SG_SOURCE_H
#define SG_SOURCE_H
#include "core/error.h"
#include "core/memory.h"

typedef struct {
    sg_error *error;
    const sigad_allocator *allocator;
    const char *path; /* what messages call the bytes */
    const unsigned char *bytes;
    size_t count;
    size_t base; /* of bytes[0] in the file, for messages: not 0 inside an archive */
} sg_source;

/* SIGAD_EFORMAT, or another status, with "PATH: byte OFFSET: " in front; the offset counts from
 * bytes[0]. */
sigad_status sg_malformed(const sg_source *source, size_t offset, const char *format, ...)
    SIGAD_PRINTF(3, 4);
sigad_status sg_refuse(const sg_source *source, sigad_status status, size_t offset,
                       const char *format, ...) SIGAD_PRINTF(4, 5);
sigad_status sg_source_no_memory(const sg_source *source, const char *what, size_t bytes);

/* Little-endian numbers at any address; the caller has checked that the bytes are there. */
uint64_t sg_little_endian(const unsigned char *bytes, int count);

/* At most 32 characters of a text for use in a message, with dots for what does not print. */
enum { SG_QUOTE_BYTES = 40 };
const char *sg_quote(const void *text, size_t count, char buffer[SG_QUOTE_BYTES]);

/* Array bytes are copied between files and memory as they are. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#    error "the files of sigad are little endian: a big-endian machine needs a swap in src/io"
#endif
#endif

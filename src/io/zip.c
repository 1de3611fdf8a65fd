#include "io/zip.h"
#include <inttypes.h>
#include <stdio.h>
#include <zlib.h>

enum { LOCAL_BYTES = 30, ENCRYPTED = 1, STORED = 0, DEFLATED = 8 };

/* Where the member's bytes begin: behind a second record, of which only the lengths are used. */
static sigad_status find_bytes(const sg_source *archive, const sg_zip_entry *entry, size_t *at)
{
    if (entry->local > entry->at || entry->at - entry->local < LOCAL_BYTES ||
        sg_little_endian(archive->bytes + entry->local, 4) != 0x04034b50)
        return sg_malformed(archive, entry->at, "the record leads to no member at byte %" PRIu64,
                            entry->local);
    const unsigned char *record = archive->bytes + entry->local;
    uint64_t begin = entry->local + LOCAL_BYTES + sg_little_endian(record + 26, 2) +
                     sg_little_endian(record + 28, 2);
    if (begin > entry->at || entry->packed > entry->at - begin)
        return sg_malformed(archive, (size_t)entry->local, "the member runs into the directory");
    *at = (size_t)begin;
    return SIGAD_OK;
}

static sigad_status unpack(const sg_source *archive, const sg_zip_entry *entry,
                           sg_zip_member *member)
{
    size_t at = 0;
    sigad_status status = find_bytes(archive, entry, &at);
    if (status) return status;
    if (entry->flags & ENCRYPTED)
        return sg_refuse(archive, SIGAD_ENOTSUP, entry->at, "the member is encrypted");
    if (entry->method == STORED) {
        if (entry->bytes != entry->packed)
            return sg_malformed(archive, entry->at, "a stored member of two sizes");
        member->source.bytes = archive->bytes + at;
        member->source.base = archive->base + at;
    } else if (entry->method == DEFLATED) {
        status = sg_zip_inflate(archive, at, (size_t)entry->packed, (size_t)entry->bytes,
                                &member->unpacked);
        if (status) return status;
        member->source.bytes = member->unpacked.bytes;
    } else {
        return sg_refuse(archive, SIGAD_ENOTSUP, entry->at,
                         "packed with method %d; stored and deflated members can be read",
                         entry->method);
    }
    member->source.count = (size_t)entry->bytes;
    if (crc32_z(0, member->source.bytes, member->source.count) != entry->crc)
        return sg_malformed(archive, at, "the member's bytes do not have the CRC of the directory");
    return SIGAD_OK;
}

sigad_status sg_zip_open(const sg_source *archive, const char *name, sg_zip_member *member)
{
    sg_zip_entry entry;
    sigad_status status = sg_zip_find(archive, name, &entry);
    *member = (sg_zip_member){.unpacked = {.allocator = archive->allocator}};
    member->source = (sg_source){.error = archive->error, .allocator = archive->allocator};
    snprintf(member->path, sizeof member->path, "%.300s (%.200s)", archive->path, name);
    if (!status) status = unpack(archive, &entry, member);
    if (status) sg_zip_close(member);
    member->source.path = member->path;
    return status;
}

void sg_zip_close(sg_zip_member *member)
{
    sg_buffer_destroy(&member->unpacked);
    member->source.bytes = NULL;
    member->source.count = 0;
}

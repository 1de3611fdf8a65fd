#include "io/zip.h"
#include <string.h>

/* Sizes of the fixed parts of the records, sections 4.3.7 to 4.3.16 of the specification. */
enum { CENTRAL_BYTES = 46, END_BYTES = 22, END64_BYTES = 56, LOCATOR_BYTES = 20, EXTRA64 = 1 };
static const uint32_t whole32 = 0xFFFFFFFFu; /* "see the 64-bit field" */

typedef struct {
    uint64_t entries, bytes, offset;
    size_t end; /* where the directory must end */
} directory;

static uint64_t field(const sg_source *archive, size_t at, int bytes)
{
    return sg_little_endian(archive->bytes + at, bytes);
}

static bool has_signature(const sg_source *archive, size_t at, const char *two)
{
    const unsigned char *bytes = archive->bytes + at;
    return bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == two[0] && bytes[3] == two[1];
}

/* The end record is the last thing in the file but for a comment, whose length it states. */
static bool find_end(const sg_source *archive, size_t *at)
{
    const size_t longest = END_BYTES + 65535;
    if (archive->count < END_BYTES) return false;
    size_t lowest = archive->count > longest ? archive->count - longest : 0;
    for (*at = archive->count - END_BYTES;; --*at) {
        if (has_signature(archive, *at, "\5\6") &&
            *at + END_BYTES + field(archive, *at + 20, 2) == archive->count)
            return true;
        if (*at == lowest) return false;
    }
}

static sigad_status find_end64(const sg_source *archive, size_t end, directory *d)
{
    if (end < LOCATOR_BYTES || !has_signature(archive, end - LOCATOR_BYTES, "\6\7"))
        return sg_malformed(archive, end, "the locator of the 64-bit end record is missing");
    uint64_t at = field(archive, end - LOCATOR_BYTES + 8, 8);
    if (at > end - LOCATOR_BYTES || end - LOCATOR_BYTES - at < END64_BYTES ||
        !has_signature(archive, (size_t)at, "\6\6"))
        return sg_malformed(archive, end - LOCATOR_BYTES, "the 64-bit end record is not there");
    d->entries = field(archive, (size_t)at + 32, 8);
    d->bytes = field(archive, (size_t)at + 40, 8);
    d->offset = field(archive, (size_t)at + 48, 8);
    d->end = (size_t)at;
    return SIGAD_OK;
}

static sigad_status find_directory(const sg_source *archive, directory *d)
{
    size_t end;
    if (!find_end(archive, &end))
        return sg_malformed(archive, archive->count, "not a ZIP archive: no end record");
    d->entries = field(archive, end + 10, 2);
    d->bytes = field(archive, end + 12, 4);
    d->offset = field(archive, end + 16, 4);
    d->end = end;
    if (d->entries == 0xFFFF || d->bytes == whole32 || d->offset == whole32) {
        sigad_status status = find_end64(archive, end, d);
        if (status) return status;
    }
    if (d->offset > d->end || d->end - d->offset != d->bytes)
        return sg_malformed(archive, end, "the directory must stand right before its end record");
    return SIGAD_OK;
}

/* The 64-bit values of those fields that have no room in the record, in this order (section 4.5.3).
 */
static bool read_extra64(const sg_source *archive, size_t at, size_t end, sg_zip_entry *entry)
{
    uint64_t *const wide[] = {&entry->bytes, &entry->packed, &entry->local};
    for (; end - at >= 4; at += 4 + (size_t)field(archive, at + 2, 2)) {
        size_t stop = at + 4 + (size_t)field(archive, at + 2, 2);
        if (stop > end) return false;
        if (field(archive, at, 2) != EXTRA64) continue;
        size_t from = at + 4;
        for (int i = 0; i < 3; i++) {
            if (*wide[i] != whole32) continue;
            if (stop - from < 8) return false;
            *wide[i] = field(archive, from, 8);
            from += 8;
        }
    }
    return true;
}

/* One record, which is moved behind. */
static sigad_status read_entry(const sg_source *archive, size_t *at, size_t end,
                               sg_zip_entry *entry)
{
    if (end - *at < CENTRAL_BYTES || !has_signature(archive, *at, "\1\2"))
        return sg_malformed(archive, *at, "expected a record of the directory");
    *entry = (sg_zip_entry){.at = *at,
                            .flags = (int)field(archive, *at + 8, 2),
                            .method = (int)field(archive, *at + 10, 2),
                            .crc = (uint32_t)field(archive, *at + 16, 4),
                            .packed = field(archive, *at + 20, 4),
                            .bytes = field(archive, *at + 24, 4),
                            .name = (const char *)archive->bytes + *at + CENTRAL_BYTES,
                            .name_length = (size_t)field(archive, *at + 28, 2),
                            .local = field(archive, *at + 42, 4)};
    size_t extra = *at + CENTRAL_BYTES + entry->name_length;
    size_t comment = extra + (size_t)field(archive, *at + 30, 2);
    size_t next = comment + (size_t)field(archive, *at + 32, 2);
    if (next > end) return sg_malformed(archive, *at, "a record leaves the directory");
    if (!read_extra64(archive, extra, comment, entry))
        return sg_malformed(archive, extra, "the extra fields of a record are malformed");
    *at = next;
    return SIGAD_OK;
}

/* Adds ", 'NAME'" to a list for a message, as long as there is room. */
static void list_name(char *list, size_t room, const sg_zip_entry *entry)
{
    char quote[SG_QUOTE_BYTES];
    size_t used = strlen(list);
    sg_quote(entry->name, entry->name_length, quote);
    if (used + strlen(quote) + 5 > room) return;
    strcat(strcat(strcat(list, used ? ", '" : "'"), quote), "'");
}

sigad_status sg_zip_find(const sg_source *archive, const char *name, sg_zip_entry *entry)
{
    directory d = {0};
    char names[256] = "";
    bool found = false;
    sigad_status status = find_directory(archive, &d);
    size_t at = (size_t)d.offset;
    for (uint64_t i = 0; !status && i < d.entries; i++) {
        sg_zip_entry next;
        status = read_entry(archive, &at, d.end, &next);
        if (status) break;
        list_name(names, sizeof names, &next);
        if (next.name_length != strlen(name) || memcmp(next.name, name, next.name_length)) continue;
        if (found) return sg_malformed(archive, next.at, "'%.60s' stands there twice", name);
        found = true;
        *entry = next;
    }
    if (status) return status;
    if (at != d.end) return sg_malformed(archive, at, "the directory should end here");
    if (found) return SIGAD_OK;
    return sg_fail(archive->error, SIGAD_EINVAL, "%.400s: there is no '%.60s', only %s",
                   archive->path, name, *names ? names : "nothing at all");
}

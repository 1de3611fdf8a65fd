/* ZIP archives as numpy.savez and numpy.savez_compressed write them: stored and deflated members,
 * zip64 (PKWARE, ".ZIP File Format Specification", version 6.3). */
#ifndef SG_ZIP_H
#define SG_ZIP_H
#include "io/buffer.h"
#include "io/source.h"

typedef struct {
    sg_source source; /* the member's bytes: in the archive or, unpacked, in `unpacked` */
    sg_buffer unpacked;
    char path[512]; /* "ARCHIVE (MEMBER)" */
} sg_zip_member;

/* Finds a member by name, unpacks it and checks its CRC: SIGAD_EFORMAT with the byte, SIGAD_ENOTSUP
   for other methods, SIGAD_EINVAL if there is no such member. Refers to the archive's bytes; empty
   after a failure. */
sigad_status sg_zip_open(const sg_source *archive, const char *name, sg_zip_member *member);
void sg_zip_close(sg_zip_member *member);

/* ---- between the parts ---- */

typedef struct {
    size_t at; /* its record in the central directory */
    const char *name;
    size_t name_length;
    int flags, method;
    uint32_t crc;
    uint64_t packed, bytes, local;
} sg_zip_entry;

/* Looks a name up in the central directory, whose records are all checked. */
sigad_status sg_zip_find(const sg_source *archive, const char *name, sg_zip_entry *entry);
/* Inflates `packed` bytes of the archive at `at` into exactly `bytes` more of `out`. */
sigad_status sg_zip_inflate(const sg_source *archive, size_t at, size_t packed, size_t bytes,
                            sg_buffer *out);
#endif

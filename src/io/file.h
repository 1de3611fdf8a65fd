/* Whole files: read into memory, and replaced in one piece. */
#ifndef SG_FILE_H
#define SG_FILE_H
#include "core/error.h"
#include "io/buffer.h"

/* Reads all of `path` into `file`, whose allocator is set; a zero byte stands behind the last one
   and is not counted. What is not a regular file (a pipe) may give up to 256 MiB. The bytes are a
   copy and not a mapping: another process may cut the file short at any time, and a mapping would
   then kill us. SIGAD_EIO, SIGAD_ENOMEM; the buffer is empty after a failure. */
sigad_status sg_file_read(sg_error *error, const char *path, sg_buffer *file);

typedef struct {
    const void *data;
    size_t bytes;
} sg_piece;

/* Makes `path` the concatenation of the pieces, or leaves it as it was: writes to a new file beside
   it, syncs, renames, syncs the directory. A symbolic link is followed, an old file's permissions
   are kept. What is there and is not a regular file (a pipe, a device) is written to directly.
   SIGAD_EIO with the path and the reason; the new file is removed then. */
sigad_status sg_file_write(sg_error *error, const char *path, const sg_piece *pieces, size_t count);

/* SIGAD_EIO: "cannot read 'PATH': REASON" for an errno. */
sigad_status sg_file_fail(sg_error *error, const char *verb, const char *path, int reason);
#endif

/* What readers and writers of files are tested with: memory that runs out on demand, files in a
 * place of their own, and bytes that are bent in every way. */
#ifndef HOSTILE_H
#define HOSTILE_H
#include "core/error.h"
#include "io/source.h"

/* The path of a file in a fresh directory of this test; the last one named is valid until the next
 * call. */
const char *hostile_path(const char *name);
void hostile_remove(void); /* the directory and what is in it */
void hostile_write(const char *path, const void *bytes, size_t count);
/* The whole file in a block of malloc, with a zero byte behind it. */
unsigned char *hostile_read(const char *path, size_t *count);
int hostile_files(void); /* in the directory */
/* From now on files end at `bytes`: the limit of a process acts like a disk that gets full in the
 * middle of a write. 0: the disk is empty again, as the process itself may need it at its end. */
void hostile_fill_disk(size_t bytes);

/* A reader under test: must answer SIGAD_OK, or fail and leave nothing behind. */
typedef sigad_status (*hostile_reader)(const sg_source *source);

/* Reads the bytes through `reader`, from a block that ends where they end (a zero byte follows
 * them); returns the status. The message goes to `message` if not NULL. */
sigad_status hostile_try(hostile_reader reader, const void *bytes, size_t count,
                         char message[SG_MESSAGE_BYTES]);
/* All truncations, all single bytes changed to several values, `mutations` random combinations of
   flips, copies, cuts and insertions. Nothing may crash or leak, and a refusal must be one for the
   bytes. Returns how many readings succeeded. */
int hostile_bend(hostile_reader reader, const void *bytes, size_t count, int mutations);
/* Fails each allocation in turn, once and for ever: SIGAD_ENOMEM, nothing left behind. */
void hostile_starve(hostile_reader reader, const void *bytes, size_t count);
#endif

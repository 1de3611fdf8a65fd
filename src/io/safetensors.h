/* safetensors: 8 bytes of header length, a JSON object {"NAME": {"dtype", "shape",
 * "data_offsets"}}, and the arrays, which tile the rest of the file without gaps
 * (https://github.com/huggingface/safetensors, "Format"). F32, F64 and I64 are read and written. */
#ifndef SG_SAFETENSORS_H
#define SG_SAFETENSORS_H
#include "io/source.h"
#include "sigad/op.h"

#define SG_SAFETENSORS_METADATA "__metadata__" /* an entry of strings, not a tensor */

typedef struct {
    const char *name;
    sigad_array array; /* of a file: data points into its bytes, aligned to nothing */
    size_t entry;      /* of a file: which one of the header */
} sg_safetensor;

typedef struct {
    const sigad_allocator *allocator;
    sg_safetensor *items; /* by name */
    size_t count, capacity;
    struct json_t *header; /* holds the names */
} sg_safetensors;

/* Checks everything that a reader relies on. The result refers to the source's bytes and is empty
   after a failure: SIGAD_EFORMAT with the byte, SIGAD_ENOTSUP for other dtypes and ranks of the
   format, SIGAD_ENOMEM. */
sigad_status sg_safetensors_parse(const sg_source *source, sg_safetensors *file);
const sg_safetensor *sg_safetensors_find(const sg_safetensors *file,
                                         const char *name); /* or NULL */
void sg_safetensors_destroy(sg_safetensors *file);

/* Names must be UTF-8 (SIGAD_EINVAL) and differ. The same arrays give the same bytes: those of
   8-byte elements come first, so that all are aligned, otherwise the order is kept. */
sigad_status sg_safetensors_write(sg_error *error, const sigad_allocator *allocator,
                                  const char *path, const sg_safetensor *items, size_t count);
#endif

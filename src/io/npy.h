/* NumPy's .npy: "\x93NUMPY", a version, the length of a header, a Python dictionary in text, and
 * the elements (numpy.lib.format, versions 1.0, 2.0 and 3.0). */
#ifndef SG_NPY_H
#define SG_NPY_H
#include "io/source.h"
#include "sigad/op.h"

typedef struct sg_npy_type sg_npy_type;

typedef struct {
    sigad_array array;       /* as it will be in memory; data NULL */
    const sg_npy_type *type; /* of the elements in the file */
    bool fortran_order;      /* the first axis runs fastest in the file */
    const unsigned char *elements;
} sg_npy;

/* Checks the header and that exactly the elements follow it: SIGAD_EFORMAT with the byte,
 * SIGAD_ENOTSUP for other element types. The result refers to the source's bytes. */
sigad_status sg_npy_parse(const sg_source *source, sg_npy *npy);
/* Puts the elements into `out`, in row-major order and of npy->array.dtype. */
void sg_npy_copy(const sg_npy *npy, void *out);

/* The header, of version 1.0, that stands before the bytes of `array`. */
enum { SG_NPY_HEADER_BYTES = 320 };
size_t sg_npy_header(const sigad_array *array, unsigned char header[SG_NPY_HEADER_BYTES]);
#endif

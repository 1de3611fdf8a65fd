#include "io/npy.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FRAME_BYTES = 10, ALIGNMENT = 64 /* NumPy's, so that the elements can be mapped */ };

size_t sg_npy_header(const sigad_array *array, unsigned char header[SG_NPY_HEADER_BYTES])
{
    char text[SG_NPY_HEADER_BYTES - FRAME_BYTES];
    const char *descr = array->dtype == SIGAD_F32   ? "<f4"
                        : array->dtype == SIGAD_F64 ? "<f8"
                                                    : "<i8";
    int n =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < array->rank; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, i ? ", %" PRId64 : "%" PRId64,
                      array->shape[i]);
    n += snprintf(text + n, sizeof text - (size_t)n, array->rank == 1 ? ",), }" : "), }");
    size_t length = (size_t)n + 1;
    length += (ALIGNMENT - (FRAME_BYTES + length) % ALIGNMENT) % ALIGNMENT;
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (unsigned char)(length & 0xFF);
    header[9] = (unsigned char)(length >> 8);
    memset(header + FRAME_BYTES, ' ', length - 1);
    memcpy(header + FRAME_BYTES, text, (size_t)n);
    header[FRAME_BYTES + length - 1] = '\n';
    return FRAME_BYTES + length;
}

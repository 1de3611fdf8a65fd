/* Where a context's work is done: the kernels of its device and what they need of it. */
#ifndef SG_PLACE_H
#define SG_PLACE_H
#include "sigad/base.h"

/* The operation that asks something of a kernel, for a message about its data. */
typedef struct {
    const char *operation;
    int64_t node;        /* position on its tape */
    const void *tape;    /* NULL: of none */
    uint32_t generation; /* of the node */
} sg_origin;

/* What a kernel found wrong with numbers that the host cannot look at while work is queued. The
 * first finding stays until it is reported. */
enum { SG_FOUND_NOTHING, SG_FOUND_INDEX, SG_FOUND_NO_INTEGER, SG_FOUND_NO_NORM };
typedef struct {
    int64_t kind; /* SG_FOUND_.. */
    sg_origin origin;
    int64_t entry;       /* of the tensor in question */
    int64_t index, size; /* SG_FOUND_INDEX: it must be 0 .. size - 1 */
    double value; /* SG_FOUND_NO_INTEGER: it has no int64 value; SG_FOUND_NO_NORM: the norm */
} sg_finding;

typedef struct {
    const struct sg_kernels *kernels;
    int32_t device;  /* SIGAD_CPU or SIGAD_CUDA */
    int32_t threads; /* CPU */
    /* CUDA: */
    void *stream;
    void *blas;          /* a handle of cuBLAS, or NULL (ops/cuda/dense/gemm.cu) */
    sg_finding *finding; /* where kernels and the host reach it */
    double *scratch;     /* SG_PLACE_SCRATCH numbers on the device, for the optimizers */
    int error;           /* of the first launch that failed, by the runtime's number; 0: none did */
} sg_place;
enum { SG_PLACE_SCRATCH = 512 };
#endif

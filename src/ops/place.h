/* Where a context's work is done: the kernels of its device and what they need of it. */
#ifndef SG_PLACE_H
#define SG_PLACE_H
#include "sigad/base.h"

/* The operation that asks something of a kernel, for a message about its data. */
typedef struct {
    const char *operation;
    int64_t node; /* position on its tape */
} sg_origin;

/* What a kernel found wrong with numbers that the host cannot look at while work is queued. The
 * first finding since the last report stays. It lies on the device. */
typedef struct {
    const char *operation; /* NULL: nothing is wrong */
    int64_t node;
    int64_t entry; /* of the tensor in question */
    int64_t index; /* which must be 0 .. size - 1 */
    int64_t size;  /* 0: no index, but `value`, which has no int64 value */
    double value;
} sg_finding;

typedef struct {
    const struct sg_kernels *kernels;
    int32_t device;  /* SIGAD_CPU or SIGAD_CUDA */
    int32_t threads; /* CPU */
    /* CUDA: */
    void *stream;
    void *blas;          /* of ops/cuda/dense/gemm */
    sg_finding *finding; /* on the device */
    int error;           /* of the first launch that failed, by the runtime's number; 0: none did */
} sg_place;
#endif

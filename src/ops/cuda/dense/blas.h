/* cuBLAS, found at run time, so that a library for several devices does not depend on it. */
#ifndef SG_CUDA_BLAS_H
#define SG_CUDA_BLAS_H
#include "ops/kernels.h"
#ifdef __cplusplus
extern "C" {
#endif

/* A handle, for one stream of the device that was current when it was opened. */
typedef struct sg_cuda_blas {
    void *library, *handle;
    void (*product[2])(void); /* of float, of double */
    /* Queues the product and returns 0, or an error as the runtime numbers them. */
    int (*gemm)(const struct sg_cuda_blas *blas, const sg_gemm_plan *plan, const void *a,
                const void *b, void *c);
} sg_cuda_blas;

/* Scratch on the device for cuBLAS: with its own, which it takes when it likes, results may depend
 * on other streams (cuBLAS documentation, "Results Reproducibility"). As much as it advises for
 * compute capability 9.0. */
enum { SG_CUDA_BLAS_SCRATCH = 32 << 20 };

/* False with the reason, if there is no cuBLAS or it does not start: products are then done by a
 * kernel of our own. */
bool sg_cuda_blas_open(sg_cuda_blas *blas, void *stream, void *scratch, const char **reason);
void sg_cuda_blas_close(sg_cuda_blas *blas);

#ifdef __cplusplus
}
#endif
#endif

/* A plan's tables on a device. */
#ifndef SG_CUDA_TABLES_H
#define SG_CUDA_TABLES_H
#include "algebra/plan.h"
#include "ops/cuda/kernels.h"
#include "ops/cuda/remembered.h"

typedef struct {
    sg_plan_copy head;
    const sg_cuda_driver *driver;
    void *block; /* on the device; NULL: method 0 has no tables */
    sg_cuda_remembered *remembered;
    int64_t count;
    const int32_t *place;          /* [count] of the Lyndon words in a tensor */
    sg_cuda_matrix expand;         /* coordinates to tensor */
    sg_cuda_matrix expand_bar;     /* its transpose */
    sg_cuda_solve to_brackets;     /* coefficients at Lyndon words to those of the brackets */
    sg_cuda_solve to_brackets_bar; /* its transpose */
} sg_cuda_tables;

/* Those for a device, NULL if they have not been made. */
const sg_cuda_tables *sg_cuda_tables_find(const sigad_plan *plan, int32_t device);

/* Makes them for the current device, which is `device`, and hangs them on the plan; waits.
 * SIGAD_ERANGE where a tensor has more words than 31 bits, SIGAD_ENOMEM. */
sigad_status sg_cuda_tables_make(const sigad_plan *plan, const sg_cuda_driver *driver,
                                 int32_t device);
#endif

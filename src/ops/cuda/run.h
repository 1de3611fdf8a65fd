/* The signature operations as sequences of kernels. */
#ifndef SG_CUDA_RUN_H
#define SG_CUDA_RUN_H
#include "ops/cuda/layout.h"
#include "ops/cuda/tables.h"

enum { SG_CUDA_SIG, SG_CUDA_LOG_SIG, SG_CUDA_SIG_TO_LOG_SIG, SG_CUDA_LOGSIG_TO_SIG };

typedef struct {
    const sigad_plan *plan;
    const sg_cuda_tables *tables; /* counting workspace is only faster with them */
    sg_cuda_properties device;
    int operation; /* SG_CUDA_... */
    bool backward;
    int32_t scalar_bytes;
    int64_t batch, length;
    const int64_t *lengths;
    const void *x, *y_bar; /* y_bar: backward only */
    void *out;             /* overwritten */
} sg_cuda_call;

/* Entries of an item of x and of y. */
int64_t sg_cuda_x_entries(const sg_cuda_call *call);
int64_t sg_cuda_y_entries(const sg_cuda_call *call);

/* Bytes of workspace. SIGAD_ERANGE: more than any memory, or more words than a kernel counts. */
sigad_status sg_cuda_work_bytes(const sg_cuda_call *call, int64_t *bytes);

/* Queues the kernels. `work` holds the bytes above, 256-byte aligned. SIGAD_ECUDA if one cannot be
 * launched. */
sigad_status sg_cuda_run(const sg_cuda_call *call, const sg_cuda_kernels *kernels, void *work,
                         void *stream);
#endif

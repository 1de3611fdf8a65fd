/* Launch plans that were found lately, for calls of the same shape: a search takes longer than a
 * launch. They hang on a plan's copy for a device, so nothing is global, and a plan still serves
 * any number of threads: who finds the few entries in use by another thread searches anew. */
#ifndef SG_CUDA_REMEMBERED_H
#define SG_CUDA_REMEMBERED_H
#include "ops/cuda/layout.h"
#include <stdatomic.h>

enum { SG_CUDA_REMEMBERED = 8 };
typedef struct {
    atomic_int busy;
    int next; /* the entry that goes first */
    struct {
        bool filled;
        sg_cuda_shape shape;
        int64_t chunks;
        int32_t multiprocessors;
        sg_cuda_layout layout;
    } entry[SG_CUDA_REMEMBERED];
} sg_cuda_remembered;

/* As sg_cuda_lay_out or, with the chunks of another layout (else NULL), as sg_cuda_lay_out_chunks.
 * `remembered` may be NULL. */
bool sg_cuda_lay_out_again(sg_cuda_remembered *remembered, const sg_cuda_shape *shape,
                           const sg_cuda_properties *device, const sg_cuda_layout *like,
                           sg_cuda_layout *layout);
#endif

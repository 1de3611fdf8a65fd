/* How a signature's kernels are laid over a device, chosen from the shape and the device alone. */
#ifndef SG_CUDA_LAYOUT_H
#define SG_CUDA_LAYOUT_H
#include "ops/cuda/kernels.h"
#include <stdbool.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t batch, steps; /* steps of the longest path there may be */
    int32_t letters, degree;
    int32_t scalar_bytes;
    bool backward;
} sg_cuda_shape;

/* letters is 2 or more: one letter has a kernel of its own. False: level `degree` has more words
 * than 31 bits can count, so more than a kernel's threads.
 *
 * Words. A thread owns a suffix and the words of the top `levels` levels that end in it. For up to
 * 5 letters and degrees 2 to 8 it has all words of two levels or of as many as its registers hold,
 * whichever sg_cuda_cycles says is faster: more levels are less work, but fewer threads. For more
 * letters and degrees 2 to 5 it has two levels, in tiles of tile_q by tile_k letters: 8 by 8 (8 by
 * 4 in float64). Else it has one level, SG_CUDA_TILE letters at a time. Small paths share a block;
 * a path of more threads than a block has is cut into slices. In the backward, `parts` slices run
 * side by side, each with a z_bar of its own, and the others follow them.
 *
 * Time. Where paths are too few to keep the device busy, time is cut. A block of threads may walk
 * through pieces of a chunk side by side and join them itself (pieces.cuh): a thread has two or
 * more levels, and the block one chunk. And there may be chunks of at least SG_CUDA_LEAST_CHUNK
 * steps, a power of two of them, whose signatures are joined by Chen products in kernels of their
 * own. Both numbers are those for which sg_cuda_cycles is least. A block brings `block_steps`
 * increments at a time into shared memory; the backward keeps its state as often.
 *
 * Blocks. As many as the device can hold at once, several times over; each takes more than one task
 * if there are more tasks, so that workspace does not grow with the batch. */
bool sg_cuda_lay_out(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                     sg_cuda_layout *layout);

/* The same with the number of chunks given (fewer, if some would be empty): for the chunks' own
 * signatures in the backward. */
bool sg_cuda_lay_out_chunks(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                            int64_t chunks, sg_cuda_layout *layout);

enum { SG_CUDA_LEAST_CHUNK = 32 };
/* How many of them one thread multiplies, one after the other, before the products are multiplied
 * in the same way: in as many rounds as are done soonest, all about as long. */
int64_t sg_cuda_run_of(int64_t chunks);

/* A model of the time of a call, in cycles of the busiest multiprocessor: steps times instructions
 * of its warps, more where few warps run side by side; the joining of pieces; then the rounds of
 * joining chunks, each a launch and a run of products, and the bytes of the chunks' tensors. */
double sg_cuda_cycles(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                      const sg_cuda_layout *layout);

#ifdef __cplusplus
}
#endif
#endif

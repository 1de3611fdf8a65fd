/* Signatures of few or long paths: each path's time is cut into chunks that take lanes as if they
 * were paths, and the chunks' signatures are joined by a tree of Chen products (docs/kernels.md).
 */
#ifndef SG_SIGNATURE_CHUNKS_H
#define SG_SIGNATURE_CHUNKS_H
#include "ops/signature_route.h"

/* Scratch of one group's tensors (of all groups, where pieces go to different threads), and of one
 * thread. */
int64_t sg_signature_chunks_store_bytes(const sg_signature_batch *batch, int what,
                                        const sg_signature_layout *layout);
int64_t sg_signature_chunks_area_bytes(const sg_signature_batch *batch, int what,
                                       const sg_signature_layout *layout);
void sg_signature_run_chunks(sg_signature_job *job);
#endif

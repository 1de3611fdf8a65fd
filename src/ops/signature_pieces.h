/* Runs of the kernels over chunks of time: which points of which paths a run takes, one chunk in
 * each lane. For signature_chunks.c, which joins what comes out. */
#ifndef SG_SIGNATURE_PIECES_H
#define SG_SIGNATURE_PIECES_H
#include "ops/signature_place.h"

/* The `number`th run of a group, forward: its chunks' tensors go to the leaves of the trees. */
void sg_chunk_run_piece(const sg_chunk_place *place, int64_t number);
/* The same backward, from the cotangents of these leaves to those of the points. */
void sg_chunk_pull_piece(const sg_chunk_place *place, int64_t number);
#endif

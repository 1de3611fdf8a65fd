/* How parameters start. */
#ifndef SG_INIT_H
#define SG_INIT_H
#include "graph/context.h"

/* Fills value->data, which has room for the described floating array. What is drawn depends on the
 * context's seed, the name, the start and the shape only; float32 entries are the rounded float64
 * ones. On failure the error is set, and the bytes mean nothing. */
sigad_status sg_initialise(sigad_context *context, const char *name, sigad_init init,
                           sigad_array *value);
#endif

/* A data set: series of different lengths in one block of memory, never written after it was made.
 */
#ifndef SG_DATASET_H
#define SG_DATASET_H
#include "graph/context.h"
#include "sigad/io.h"

struct sigad_dataset {
    sg_owned owned;
    sigad_context *context;
    size_t bytes; /* of the block, which begins with this struct */
    int32_t dtype;
    int64_t count, channels, longest, classes;
    int64_t *starts;       /* [count + 1]: series i has the points starts[i] .. starts[i + 1] */
    int64_t *labels;       /* [count]; NULL if there are no classes */
    const char **names;    /* [classes] */
    unsigned char *values; /* [points, channels] */
};
#endif

/* Work that is captured into a CUDA graph, as seen by those whose work it is. */
#ifndef SG_CAPTURE_H
#define SG_CAPTURE_H
#include "graph/tape.h"

/* What a graph needs done on the host at each launch, for work that is not the same every time. */
typedef struct sg_captured {
    struct sg_captured *next;
    size_t bytes; /* of the block that this begins */
    /* Before a launch, in the order of capture. False with the error set: nothing was changed. */
    bool (*prepare)(sigad_context *context, struct sg_captured *captured, const char *caller);
    /* The launch that this was prepared for did not come. */
    void (*undo)(struct sg_captured *captured);
} sg_captured;

/* During a capture. The block is the graph's from now on. */
void sg_capture_keep(sigad_context *context, sg_captured *captured);
/* Device memory that lives as long as the graph; NULL with the error set if there is no more. */
void *sg_capture_room(sigad_context *context, const char *caller, size_t bytes);
/* No sweep reached the parameter's gradient in this capture yet, and nobody has forgotten it. */
bool sg_capture_inherits(const sigad_context *context, size_t parameter);
/* False with the error set: it is another tape that is being captured. */
bool sg_capture_is_of(sigad_tape *tape, const char *caller);
static inline bool sg_tape_may_compute(sigad_tape *tape, const char *caller)
{
    return !tape->context->device.capture || sg_capture_is_of(tape, caller);
}
#endif

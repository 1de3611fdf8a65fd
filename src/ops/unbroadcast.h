/* Adding to the derivative of an operand that was broadcast: what a term of the full shape gives is
 * summed over the axes that the operand lacks. */
#ifndef SG_UNBROADCAST_H
#define SG_UNBROADCAST_H
#include "sigad/op.h"
#include <stdbool.h>

/* Workspace bytes for adding a term of y's shape to an operand of x's shape; 0 where they have as
 * many entries. */
size_t sg_unbroadcast_workspace(const sigad_array *y, const sigad_array *x);

/* Adds to x, or overwrites it if it is fresh, in the call's workspace if need be; `term` does the
 * same with its entries, of the shape of call->y, to `out`. */
typedef void (*sg_term)(const void *user, void *out, bool fresh);
void sg_add_unbroadcast(const sigad_op_call *call, const sigad_array *x, sg_term term,
                        const void *user, bool fresh);
/* The same for a term that stands in memory. */
void sg_add_unbroadcast_array(const sigad_op_call *call, const sigad_array *x, const void *term,
                              bool fresh);
#endif

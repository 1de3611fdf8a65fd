/* One call of a function of an operation: what apply.c and frame.c share. */
#ifndef SG_CALL_H
#define SG_CALL_H
#include "graph/tape.h"

enum { SG_INFER = -1 }; /* besides SIGAD_FWD .. */

/* Field by field: compilers clear a struct of this size by an instruction that takes as long as
 * many an operation. */
static inline void sg_call_begin(sg_call *call, sigad_tape *tape)
{
    sigad_op_call *c = &call->call;
    c->size = sizeof *c;
    c->n = 0;
    c->attributes = NULL;
    c->attribute_bytes = c->saved_bytes = 0;
    c->x = c->y_cotangent = c->x_cotangent = c->x_tangent = c->y_tangent = NULL;
    c->x_cotangent_tangent = NULL;
    c->y = NULL;
    for (int i = 0; i < 4; i++) c->workspace_bytes[i] = 0;
    c->saved = c->workspace = NULL;
    c->stream = tape->context->place.stream;
    c->device = tape->context->place.device;
    c->threads = tape->context->place.threads;
    call->tape = tape;
    call->fresh = 0;
}

static inline void sg_call_name(sg_call *call, const sigad_op *op, const char *label,
                                size_t position)
{
    call->name = op->name;
    call->label = label;
    call->position = position;
}

/* Makes sure that a failure has a message, and a failed launch counts as one. */
void sg_call_report(sg_call *call, sigad_status status, int which);
sigad_status sg_call_on_device(sg_call *call, sigad_op_function function);

/* Calls, and makes sure that a message counts as a failure, too. */
static inline bool sg_call_run(sg_call *call, sigad_op_function function, int which)
{
    const sigad_context *context = call->tape->context;
    const sigad_status status = sg_device_is_host(&context->device)
                                    ? function(&call->call)
                                    : sg_call_on_device(call, function);
    if (!status && !context->error.status && !context->place.error) return true;
    sg_call_report(call, status, which);
    return false;
}

#endif

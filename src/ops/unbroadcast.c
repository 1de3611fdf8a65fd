#include "ops/unbroadcast.h"
#include "ops/shape.h"

static size_t term_bytes(const sigad_array *y)
{
    return (sg_array_bytes(y) + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
}

size_t sg_unbroadcast_workspace(const sigad_array *y, const sigad_array *x)
{
    sg_sum sum;
    if (x->elements == y->elements) return 0;
    sg_sum_plan_unbroadcast(&sum, y, x);
    return term_bytes(y) + sg_sum_workspace(&sum, y->dtype);
}

void sg_add_unbroadcast_array(const sigad_op_call *call, const sigad_array *x, const void *term,
                              bool fresh)
{
    sg_sum sum;
    sg_sum_plan_unbroadcast(&sum, call->y, x);
    SG_RUN(call, sum, &sum, x->dtype, term, 1.0, x->data, !fresh,
           (char *)call->workspace + term_bytes(call->y));
}

void sg_add_unbroadcast(const sigad_op_call *call, const sigad_array *x, sg_term term,
                        const void *user, bool fresh)
{
    if (x->elements == call->y->elements) {
        term(user, x->data, fresh);
        return;
    }
    term(user, call->workspace, true);
    sg_add_unbroadcast_array(call, x, call->workspace, fresh);
}

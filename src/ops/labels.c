#include "ops/labels.h"
#include "ops/mean_loss.h"

enum { SCORES, LABELS };

sg_scores sg_scores_of(const sigad_op_call *call)
{
    const sigad_array *x = &call->x[SCORES];
    return (sg_scores){sg_product(x->rank - 1, x->shape), x->shape[x->rank - 1]};
}

sigad_status sg_infer_label_loss(sigad_op_call *call)
{
    const sigad_array *x = &call->x[SCORES], *labels = &call->x[LABELS];
    char x_text[SG_SHAPE_TEXT], labels_text[SG_SHAPE_TEXT];
    sigad_status status = sg_need_floats(call, 1);
    if (!status) status = sg_need_dtype(call, LABELS, SIGAD_I64);
    if (status) return status;
    sg_shape_text(x, x_text);
    sg_shape_text(labels, labels_text);
    bool fits = x->rank == labels->rank + 1;
    for (int i = 0; fits && i < labels->rank; i++) fits = x->shape[i] == labels->shape[i];
    if (!fits)
        return sigad_op_fail(
            call, SIGAD_ESHAPE,
            "%s and labels %s: labels need the shape of the other without its last axis, the classes",
            x_text, labels_text);
    if (!x->elements)
        return sigad_op_fail(call, SIGAD_ESHAPE, "%s has no elements to take the mean of", x_text);
    call->workspace_bytes[SIGAD_FWD] = call->workspace_bytes[SIGAD_JVP] =
        sg_mean_loss_workspace(call, sg_scores_of(call).rows);
    return sg_infer_as(call, x->dtype, 0, NULL);
}

sigad_status sg_check_labels(const sigad_op_call *call)
{
    sg_scores s = sg_scores_of(call);
    const int64_t *labels = call->x[LABELS].data;
    int64_t bad = SG_RUN(call, check_index, sg_call_origin(call), s.rows, s.classes, labels);
    if (bad < 0) return SIGAD_OK;
    return sigad_op_fail(call, SIGAD_ERANGE, "label %lld at position %lld must be 0 .. %lld",
                         (long long)labels[bad], (long long)bad, (long long)s.classes - 1);
}

/* Losses of scores [..., classes] and labels SIGAD_I64 [...]: what cross_entropy and nll_loss
 * share. */
#ifndef SG_LABELS_H
#define SG_LABELS_H
#include "ops/shape.h"

/* x[0] as rows of scores. */
typedef struct {
    int64_t rows, classes;
} sg_scores;
sg_scores sg_scores_of(const sigad_op_call *call);
/* The shape rule; the output is one element. */
sigad_status sg_infer_label_loss(sigad_op_call *call);
/* SIGAD_ERANGE for the first label that is not 0 .. classes - 1. */
sigad_status sg_check_labels(const sigad_op_call *call);
#endif

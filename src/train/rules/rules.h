/* The rules of the optimizers: what each keeps, and its loop, compiled for each instruction set.
 * The loops are plain arithmetic, so each set gives the same bits. */
#ifndef SG_RULES_H
#define SG_RULES_H
#include "core/cpu.h"
#include "train/optimizer.h"

typedef struct {
    sigad_optimizer base;
    double beta1, beta2, epsilon;
} sg_adam;

typedef struct {
    sigad_optimizer base;
    double smoothing, epsilon, momentum;
} sg_rmsprop;

typedef struct {
    sigad_optimizer base;
    double momentum;
    bool nesterov;
} sg_sgd;

/* By rule, for float and double. */
typedef void (*sg_update_loop)(const sg_update *update);
typedef sg_update_loop sg_update_loops[SG_RULE_COUNT][2];

/* By instruction set; one that the library was not built for has those of the next lower one. */
extern const sg_update_loops *const sg_updates[SG_ISAS];
#endif

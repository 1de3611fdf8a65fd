/* The rules of the optimizers: what each keeps, and its loop, compiled for each instruction set.
 * The loops are plain arithmetic, so each set gives the same bits. */
#ifndef SG_RULES_H
#define SG_RULES_H
#include "core/cpu.h"
#include "ops/place.h"
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

enum { SG_RECORD = 10, SG_POSTED = 40 };

/* What a step asks of a place. Arrays are in its memory, sums and factors, too. */
typedef struct sg_rule_kernels {
    /* *sum += the squares of the gradient's entries, cut to -clip_value .. clip_value. False if the
     * host sees that it is not finite. */
    bool (*add_squares)(sg_place *place, int32_t dtype, const sg_update *update, double *sum);
    /* A sum of squares becomes the factor that brings the norm down to `most`: 1 if it is lower.
     * Where the host has not looked and it is not finite, that is noted, and the factor is NaN. */
    void (*clip)(sg_place *place, sg_origin origin, double most, double *sum);
    /* One update of a whole parameter; with the factor NaN nothing changes. */
    void (*update)(sg_place *place, int rule, int32_t dtype, const sg_update *update);

    /* For what is captured (NULL where nothing can be). On the host: what an update's kernels find
     * in its record of SG_RECORD numbers. A record of zeros says: no update this time. */
    void (*record)(int rule, int32_t dtype, const sg_update *update, double *record);
    /* Up to SG_POSTED records, to where the kernels read them. */
    void (*post)(sg_place *place, int64_t count, const double *record, double *to);
} sg_rule_kernels;
extern const sg_rule_kernels sg_cpu_rules, sg_cuda_rules;

/* The loops of the processor, by rule, for float and double. */
typedef void (*sg_update_loop)(const sg_update *update);
typedef sg_update_loop sg_update_loops[SG_RULE_COUNT][2];

/* By instruction set; one that the library was not built for has those of the next lower one. */
extern const sg_update_loops *const sg_updates[SG_ISAS];
#endif

/* What all optimizers share: which parameters they train, state, clipping, groups. A rule (SGD,
 * Adam, RMSprop) adds its options and one kernel. */
#ifndef SG_OPTIMIZER_H
#define SG_OPTIMIZER_H
#include "graph/context.h"
#include "sigad/train.h"
#include "train/option.h"

enum { SG_SLOTS = 3 };

/* A stretch of one parameter that a rule brings up to date. Arrays have the parameter's dtype. */
typedef struct {
    const sigad_optimizer *optimizer;
    double lr, weight_decay; /* as the parameter's group says; no decay where rank is below 2 */
    double clip_value;       /* gradient entries are cut to -clip_value .. clip_value, */
    const double *clip;      /* and then multiplied by this; NULL: 1 */
    const double *record;    /* not NULL: the kernels find the numbers there (rules.h) */
    int64_t updates;         /* of this parameter, with this one */
    int64_t count;
    void *value;
    const void *gradient;
    void *slot[SG_SLOTS]; /* NULL where the optimizer does not use it */
} sg_update;

enum { SG_RULE_ADAM, SG_RULE_RMSPROP, SG_RULE_SGD, SG_RULE_COUNT };
typedef struct {
    const char *name;
    const char *slot_name[SG_SLOTS]; /* for checkpoints: "adam.m/fc1.weight" */
    int kind;                        /* SG_RULE_.. */
} sg_rule;

/* What an optimizer keeps of one parameter; the names stand behind it in the same block. */
typedef struct {
    size_t bytes;      /* of the block */
    sigad_array shape; /* of each slot; no data */
    int64_t updates;
    void *slots; /* a block of all slots, on the context's device; NULL if none is in use */
    size_t slot_bytes;
    void *slot[SG_SLOTS];
    const char *name[SG_SLOTS + 1]; /* of the slots, and of `updates` */
} sg_state;

typedef struct {
    char *prefix;
    double lr_factor, clip_value;
    double weight_decay; /* negative: the optimizer's */
} sg_group;

struct sigad_optimizer {
    sg_owned owned;
    sigad_context *context;
    const sg_rule *rule;
    size_t bytes; /* of the rule's own struct, whose first member this is */
    char *prefix; /* "" for all */
    double lr, weight_decay, clip_norm;
    bool uses[SG_SLOTS];
    sg_state **states; /* by parameter index; NULL until it is needed */
    size_t state_count;
    sg_group *groups;
    size_t group_count, group_capacity;
};

/* The parameter has a name that the optimizer trains. */
bool sg_optimizer_covers(const sigad_optimizer *optimizer, const sg_parameter *parameter);
/* The state of a parameter, made if it is not there; NULL with the error set. */
sg_state *sg_optimizer_state(sigad_optimizer *optimizer, size_t parameter);
/* The settings of the group a parameter belongs to. */
sg_group sg_optimizer_group(const sigad_optimizer *optimizer, const sg_parameter *parameter);
void sg_optimizer_release_groups(sigad_optimizer *optimizer);

/* ---- for rules ------------------------------------------------------------------------------- */

/* The beginning of each create function: copies the options into `known`, of `bytes`. */
sigad_status sg_optimizer_begin(sigad_context *context, const char *options_name, const void *given,
                                void *known, size_t bytes, sigad_optimizer **result);

/* What every rule lets the user choose. */
typedef struct {
    const char *prefix;
    double lr, weight_decay, clip_norm;
} sg_common_options;

/* A rule's struct of `bytes`, cleared, with its common part filled and owned by the context; NULL
 * with the error set. */
void *sg_optimizer_create(sigad_context *context, const sg_rule *rule, size_t bytes,
                          const sg_common_options *options);

/* ---- for checkpoints ------------------------------------------------------------------------- */

/* Makes state for every parameter that the optimizer covers, frozen or not: so a load has somewhere
 * to write, and a save has the same names whenever it happens. A fresh state acts like none. */
sigad_status sg_optimizer_state_prepare(sigad_optimizer *optimizer);
size_t sg_optimizer_state_count(const sigad_optimizer *optimizer);
/* The array's data is the live state; name and data are good until the optimizer is destroyed. */
void sg_optimizer_state_at(sigad_optimizer *optimizer, size_t index, const char **name,
                           sigad_array *array);
#endif

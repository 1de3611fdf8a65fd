/* A complete training step on few data: a batch of a data set, a ragged log-signature, dense
 * layers, dropout, cross entropy, backward, Adam. Each stage can be repeated after it failed. */
#ifndef TEST_TRAINING_H
#define TEST_TRAINING_H
#include <sigad/sigad.h>

typedef struct {
    sigad_context *context; /* the caller's */
    const char *file;       /* as training_write_file made it */
    sigad_dataset *data;
    sigad_optimizer *optimizer;
    sigad_tape *tape;
    uint64_t steps; /* that succeeded */
} training;

enum { TRAINING_WEIGHTS = 14 * 4 + 4 + 4 * 2 + 2 };

void training_write_file(const char *path);
/* Makes what is not there yet. */
sigad_status training_make(training *t);
sigad_status training_step(training *t);
/* Its parameters, one behind the other. */
void training_weights(const training *t, double weights[TRAINING_WEIGHTS]);
#endif

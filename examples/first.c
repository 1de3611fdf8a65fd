/* By what angle does an arc of unknown radius turn? A network learns it from the log-signature. */
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64, LENGTH = 20 };

static void draw_arcs(double path[BATCH][LENGTH][2], double angle[BATCH][1])
{
    for (int i = 0; i < BATCH; i++) {
        double radius = 0.5 + rand() / (double)RAND_MAX;
        angle[i][0] = 6.0 * rand() / (double)RAND_MAX - 3.0;
        for (int j = 0; j < LENGTH; j++) {
            path[i][j][0] = radius * cos(angle[i][0] * j / (LENGTH - 1));
            path[i][j][1] = radius * sin(angle[i][0] * j / (LENGTH - 1));
        }
    }
}

int main(void)
{
    double path[BATCH][LENGTH][2], angle[BATCH][1];
    sigad_context *c;
    sigad_tape *t;
    sigad_optimizer *adam;
    if (sigad_context_create(NULL, &c)) return 1;
    sigad_tensor w1 = sigad_parameter(c, "w1", SIGAD_F64, SIGAD_SHAPE(8, 32), SIGAD_INIT_HE);
    sigad_tensor b1 = sigad_parameter(c, "b1", SIGAD_F64, SIGAD_SHAPE(32), SIGAD_INIT_ZERO);
    sigad_tensor w2 = sigad_parameter(c, "w2", SIGAD_F64, SIGAD_SHAPE(32, 1), SIGAD_INIT_HE);
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 4, .method = SIGAD_LYNDON_WORDS};
    sigad_tape_create(c, &t);
    sigad_adam_create(c, &(sigad_adam_options){SIGAD_ADAM_OPTIONS_INIT, .lr = 0.01}, &adam);
    for (int step = 0; step <= 1000 && !sigad_context_status(c); step++) {
        draw_arcs(path, angle);
        sigad_tape_reset(t);
        sigad_tensor x = sigad_input(t, SIGAD_F64, SIGAD_SHAPE(BATCH, LENGTH, 2), path);
        sigad_tensor y = sigad_input(t, SIGAD_F64, SIGAD_SHAPE(BATCH, 1), angle);
        sigad_tensor features = sigad_log_sig(t, x, &spec); /* [BATCH, 8] */
        sigad_tensor hidden = sigad_tanh(t, sigad_linear(t, features, w1, b1));
        sigad_tensor loss = sigad_mse(t, sigad_matmul(t, hidden, w2), y);
        sigad_optimizer_zero(adam);
        sigad_backward(t, loss);
        sigad_optimizer_step(adam);
        if (step % 200 == 0) printf("step %4d   loss %.5f\n", step, sigad_item(t, loss));
    }
    int failed = sigad_context_status(c) != SIGAD_OK; /* the first error, wherever it was */
    if (failed) fprintf(stderr, "%s\n", sigad_context_message(c));
    sigad_context_destroy(c);
    return failed;
}

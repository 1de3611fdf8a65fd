/* An outside program: the signature of a path, without and with a tape, and its gradient. */
#include <sigad/sigad.h>
#include <stdio.h>

static int differ(const double *a, const double *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] < b[i] - 1e-12 || a[i] > b[i] + 1e-12) return 1;
    return 0;
}

int main(void)
{
    const double path[] = {0, 0, 1, 0, 1, 2}, expected[] = {1, 2, 0.5, 2, 0, 2};
    double array[6], taped[6];
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 2};
    sigad_plan *plan = NULL;
    sigad_context *context = NULL;
    sigad_tape *tape = NULL;
    if (sigad_version() != SIGAD_VERSION) return 1;
    if (sigad_plan_create(&spec, &plan) || sigad_sig_f64(plan, 1, 3, NULL, path, array, 1))
        return 2;
    sigad_plan_destroy(plan);
    if (differ(array, expected, 6)) return 3;

    if (sigad_context_create(NULL, &context) || sigad_tape_create(context, &tape)) return 4;
    sigad_tensor x = sigad_watch(tape, sigad_input(tape, SIGAD_F64, SIGAD_SHAPE(3, 2), path));
    sigad_tensor y = sigad_sig(tape, x, &spec);
    sigad_tensor square = sigad_matmul(tape, sigad_reshape(tape, y, SIGAD_SHAPE(1, 6)),
                                       sigad_reshape(tape, y, SIGAD_SHAPE(6, 1)));
    if (sigad_backward(tape, sigad_sum(tape, square, SIGAD_ALL, 0)) ||
        sigad_read(tape, y, taped, sizeof taped)) {
        fprintf(stderr, "%s\n", sigad_context_message(context));
        return 5;
    }
    if (differ(taped, expected, 6)) return 6;
    sigad_context_destroy(context);
    return 0;
}

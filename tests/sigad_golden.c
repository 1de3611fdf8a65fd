/* sigad-golden FILE: runs the cases of a file of golden values through the functions on plain
 * arrays and through the operations on a tape, in float64 and float32: value and vector-Jacobian
 * product, on a tape also Jacobian-vector product and second-order contraction. Prints a line for
 * each disagreement, then 'N passed, N failed'. Exit status: 0 all passed, 1 some failed, 2 the
 * file is malformed, 77 there is no such file (ctest: skipped). */
#include "golden_file.h"
#include <sigad/sigad.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

/* ---- plain arrays ------------------------------------------------------------------------------
 */

#define RUN(S)                                                                                     \
    static sigad_status run_##S(const golden *c, const sigad_plan *plan, const void *x,            \
                                const void *g, void *y, void *vjp)                                 \
    {                                                                                              \
        sigad_status status;                                                                       \
        switch (c->operation) {                                                                    \
        case SIG:                                                                                  \
            status = sigad_sig_##S(plan, c->batch, c->length, NULL, x, y, 1);                      \
            return status ? status                                                                 \
                          : sigad_sig_backprop_##S(plan, c->batch, c->length, NULL, x, g, vjp, 1); \
        case LOG_SIG:                                                                              \
            status = sigad_log_sig_##S(plan, c->batch, c->length, NULL, x, y, 1);                  \
            return status ? status                                                                 \
                          : sigad_log_sig_backprop_##S(plan, c->batch, c->length, NULL, x, g, vjp, \
                                                       1);                                         \
        case SIG_TO_LOG_SIG:                                                                       \
            status = sigad_sig_to_log_sig_##S(plan, c->batch, x, y, 1);                            \
            return status ? status                                                                 \
                          : sigad_sig_to_log_sig_backprop_##S(plan, c->batch, x, g, vjp, 1);       \
        default:                                                                                   \
            status = sigad_logsig_to_sig_##S(plan, c->batch, x, y, 1);                             \
            return status ? status                                                                 \
                          : sigad_logsig_to_sig_backprop_##S(plan, c->batch, x, g, vjp, 1);        \
        }                                                                                          \
    }
RUN(f32)
RUN(f64)

static int check_arrays(const golden *c, int dtype)
{
    sigad_plan *plan = NULL;
    void *x = golden_converted(c, X, dtype), *g = golden_converted(c, G, dtype);
    void *y = golden_converted(c, Y, dtype), *vjp = golden_converted(c, VJP, dtype);
    sigad_status status = x && g && y && vjp ? sigad_plan_create(&c->spec, &plan) : SIGAD_ENOMEM;
    if (!status) {
        memset(y, 0xff, (size_t)c->count[Y] * sizeof(float));
        memset(vjp, 0xff, (size_t)c->count[VJP] * sizeof(float));
        status = (dtype == SIGAD_F32 ? run_f32 : run_f64)(c, plan, x, g, y, vjp);
    }
    int good = 0;
    if (status)
        printf("%s arrays: %s\n", golden_operation[c->operation], sigad_status_string(status));
    else
        good =
            golden_agrees(c, "arrays", dtype, Y, y) & golden_agrees(c, "arrays", dtype, VJP, vjp);
    sigad_plan_destroy(plan);
    free(x);
    free(g);
    free(y);
    free(vjp);
    return good;
}

/* ---- a tape -------------------------------------------------------------------------------------
 */

static sigad_tensor apply(const golden *c, sigad_tape *tape, sigad_tensor x)
{
    static sigad_tensor (*const operation[OPERATIONS])(sigad_tape *, sigad_tensor,
                                                       const sigad_sig_spec *) = {
        sigad_sig, sigad_log_sig, sigad_sig_to_log_sig, sigad_logsig_to_sig};
    return operation[c->operation](tape, x, &c->spec);
}

static int check_tape(const golden *c, sigad_tape *tape, int dtype)
{
    int from_path = c->operation == SIG || c->operation == LOG_SIG;
    const int64_t path[] = {c->batch, c->length, c->spec.dimension};
    const int64_t x_shape[] = {c->batch, c->x_entries}, y_shape[] = {c->batch, c->y_entries};
    void *bytes[] = {golden_converted(c, X, dtype), golden_converted(c, G, dtype),
                     golden_converted(c, V, dtype)};
    int rank = from_path ? 3 : 2;
    const int64_t *shape = from_path ? path : x_shape;
    sigad_tensor x =
        sigad_watch(tape, sigad_input(tape, (sigad_dtype)dtype, rank, shape, bytes[X]));
    sigad_tensor g = sigad_input(tape, (sigad_dtype)dtype, 2, y_shape, bytes[G]);
    sigad_tensor v = sigad_input(tape, (sigad_dtype)dtype, rank, shape, bytes[V]);
    sigad_tensor y = apply(c, tape, x), result[ARRAYS] = {{0, 0}};
    sigad_backward_with(tape, y, g);
    result[Y] = y;
    result[VJP] = sigad_gradient(tape, x);
    result[JVP] = sigad_jvp(tape, y, 1, &x, &v);
    result[SOC] = sigad_jvp(tape, sigad_grad(tape, y, x, g), 1, &x, &v);
    int good = 1;
    for (int i = Y; i < ARRAYS; i++) {
        const void *found = sigad_data(tape, result[i]);
        if (found || (!c->count[i] && !sigad_context_status(sigad_tape_context(tape))))
            good &= golden_agrees(c, "tape", dtype, i, found);
        else
            good = 0;
    }
    if (sigad_context_status(sigad_tape_context(tape))) {
        printf("%s tape: %s\n", golden_operation[c->operation],
               sigad_context_message(sigad_tape_context(tape)));
        sigad_context_clear(sigad_tape_context(tape));
    }
    sigad_tape_reset(tape);
    for (int i = 0; i < 3; i++) free(bytes[i]);
    return good;
}

int main(int argc, char **argv)
{
    sigad_context *context = NULL;
    sigad_tape *tape = NULL;
    golden c;
    int passed = 0, failed = 0, more;
    if (argc != 2) {
        fprintf(stderr, "usage: sigad-golden FILE\n");
        return 2;
    }
    FILE *file = fopen(argv[1], "r");
    if (!file) {
        printf("skipped: cannot read %s\n", argv[1]);
        return SKIPPED;
    }
    if (sigad_context_create(NULL, &context) || sigad_tape_create(context, &tape)) {
        fprintf(stderr, "no context\n");
        return 2;
    }
    while ((more = golden_read(file, &c)) > 0) {
        int good = 1;
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)
            good &= check_arrays(&c, dtype) & check_tape(&c, tape, dtype);
        passed += good;
        failed += !good;
        golden_release(&c);
    }
    if (more < 0) golden_release(&c);
    fclose(file);
    sigad_context_destroy(context);
    printf("%d passed, %d failed\n", passed, failed);
    return more < 0 ? 2 : failed > 0;
}

/* What the operation database does not reach: extreme numbers, and work for several threads. */
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <stdlib.h>
#include <string.h>

static sigad_tape *open_tape(int threads)
{
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = threads, .seed = 5};
    sigad_context *context;
    sigad_tape *tape;
    cr_assert(!sigad_context_create(&options, &context));
    cr_assert(!sigad_tape_create(context, &tape));
    return tape;
}

static void close_tape(sigad_tape *tape)
{
    cr_expect_eq(sigad_context_status(sigad_tape_context(tape)), SIGAD_OK, "%s",
                 sigad_context_message(sigad_tape_context(tape)));
    sigad_context_destroy(sigad_tape_context(tape));
}

static sigad_tensor row(sigad_tape *tape, int64_t n, const double *data)
{
    return sigad_watch(tape, sigad_input(tape, SIGAD_F64, 1, &n, data));
}

static const double *gradient(sigad_tape *tape, sigad_tensor y, sigad_tensor x)
{
    cr_assert(!sigad_backward(tape, y));
    return sigad_data(tape, sigad_gradient(tape, x));
}

/* ---- extreme numbers ---------------------------------------------------------------------------
 */

Test(layers, softmax_of_large_numbers)
{
    static const double data[] = {1000, 1001, -1000}, low[] = {-1e300, 0};
    sigad_tape *tape = open_tape(1);
    const double *p = sigad_data(tape, sigad_softmax(tape, row(tape, 3, data), 0));
    const double *l = sigad_data(tape, sigad_log_softmax(tape, row(tape, 3, data), 0));
    cr_expect(fabs(p[1] - 1 / (1 + exp(-1))) < 1e-15 && p[2] == 0);
    cr_expect(fabs(l[1] + log1p(exp(-1))) < 1e-15 && fabs(l[2] + 2001 + log1p(exp(-1))) < 1e-12);
    cr_expect_eq(
        ((const double *)sigad_data(tape, sigad_log_softmax(tape, row(tape, 2, low), 0)))[0],
        -1e300);
    close_tape(tape);
}

Test(layers, cross_entropy_of_large_logits)
{
    static const double data[] = {1e4, 1e4 + 1, -1e4};
    static const int64_t label = 0;
    sigad_tape *tape = open_tape(1);
    sigad_tensor x = row(tape, 3, data);
    sigad_tensor y = sigad_cross_entropy(tape, x, sigad_input(tape, SIGAD_I64, 0, NULL, &label));
    cr_expect(fabs(sigad_item(tape, y) - (1 + log1p(exp(-1)))) < 1e-14);
    const double *g = gradient(tape, y, x);
    cr_expect(fabs(g[0] + 1 / (1 + exp(-1))) < 1e-14 && fabs(g[1] - 1 / (1 + exp(-1))) < 1e-14 &&
              g[2] == 0);
    close_tape(tape);
}

Test(layers, binary_cross_entropy_of_large_logits)
{
    static const double data[] = {1000, -1000, 1000, -1000}, target[] = {1, 0, 0, 1};
    static const double expected[] = {0, 0, 0.25, -0.25};
    sigad_tape *tape = open_tape(1);
    sigad_tensor x = row(tape, 4, data), t = row(tape, 4, target);
    sigad_tensor y = sigad_binary_cross_entropy(tape, x, t);
    cr_expect_eq(sigad_item(tape, y), 500);
    const double *g = gradient(tape, y, x);
    for (int i = 0; i < 4; i++) cr_expect_eq(g[i], expected[i]);
    close_tape(tape);
}

/* Within, on and beyond delta in one call: the database keeps away from where the pieces meet. */
Test(layers, huber_on_both_sides_of_delta)
{
    static const double p[] = {0, 0.25, -0.25, 0.5, -0.5, 2, -2, 0.5}, t[8] = {0};
    static const double g[] = {0, 0.25, -0.25, 0.5, -0.5, 0.5, -0.5, 0.5};
    sigad_tape *tape = open_tape(1);
    sigad_tensor x = row(tape, 8, p), y = sigad_huber(tape, x, row(tape, 8, t), 0.5);
    cr_expect_eq(sigad_item(tape, y), (2 * 0.03125 + 3 * 0.125 + 2 * 0.875) / 8);
    const double *got = gradient(tape, y, x);
    for (int i = 0; i < 8; i++) cr_expect_eq(got[i], g[i] / 8);
    close_tape(tape);
}

Test(layers, a_constant_row_has_a_norm_of_zero)
{
    static const double x[] = {3, 3, 3, 3}, scale[] = {1, 2, 3, 4}, shift[] = {5, 6, 7, 8};
    sigad_tape *tape = open_tape(1);
    const double *y = sigad_data(tape, sigad_layer_norm(tape, row(tape, 4, x), row(tape, 4, scale),
                                                        row(tape, 4, shift), 1e-5));
    cr_expect(!memcmp(y, shift, sizeof shift));
    close_tape(tape);
}

/* The labels of a replay are checked, too. */
Test(layers, replay_with_a_bad_label)
{
    static const double data[] = {1, 2, 3};
    static const int64_t good = 2, bad = 3;
    sigad_tape *tape = open_tape(1);
    sigad_tensor label = sigad_input(tape, SIGAD_I64, 0, NULL, &good);
    sigad_cross_entropy(tape, row(tape, 3, data), label);
    cr_assert(!sigad_input_bind(tape, label, &bad));
    cr_expect_eq(sigad_replay(tape), SIGAD_ERANGE);
    cr_expect_str_eq(sigad_context_message(sigad_tape_context(tape)),
                     "cross_entropy: label 3 at position 0 must be 0 .. 2");
    sigad_context_clear(sigad_tape_context(tape));
    close_tape(tape);
}

/* ---- several threads ---------------------------------------------------------------------------
 */

enum { ROWS = 160, COLUMNS = 300, INPUTS = 5 };

static const struct {
    int rank;
    int64_t shape[3];
} inputs[INPUTS] = {
    {2, {ROWS, COLUMNS}}, {2, {ROWS, COLUMNS}}, {1, {COLUMNS}}, {3, {8, 600, 10}}, {3, {5, 10, 6}}};

typedef sigad_tensor (*operation)(sigad_tape *tape, const sigad_tensor *x);

static sigad_tensor labels(sigad_tape *tape)
{
    static int64_t label[ROWS];
    for (int64_t i = 0; i < ROWS; i++) label[i] = i * 7 % COLUMNS;
    return sigad_input(tape, SIGAD_I64, 1, (int64_t[]){ROWS}, label);
}

#define OPERATION(name, call)                                         \
    static sigad_tensor name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                 \
        return call;                                                  \
    }
OPERATION(product, sigad_matmul_transposed(tape, x[0], 0, x[1], 1))
OPERATION(layer, sigad_linear(tape, sigad_matmul_transposed(tape, x[0], 1, x[1], 0),
                              sigad_matmul_transposed(tape, x[1], 1, x[0], 0), x[2]))
OPERATION(series, sigad_conv1d(tape, x[3], x[4]))
OPERATION(softmax, sigad_softmax(tape, x[0], 0))
OPERATION(log_softmax, sigad_log_softmax(tape, x[0], 1))
OPERATION(norm, sigad_layer_norm(tape, x[0], x[2], x[2], 1e-5))
OPERATION(mse, sigad_mse(tape, x[0], x[1]))
OPERATION(binary, sigad_binary_cross_entropy(tape, x[0], x[1]))
OPERATION(classes, sigad_cross_entropy(tape, x[0], labels(tape)))
OPERATION(chosen, sigad_nll_loss(tape, x[0], labels(tape)))

/* y, its tangent and the gradients, one behind the other in `all`; returns the bytes. */
static size_t compute(operation f, int threads, int32_t dtype, char *all)
{
    sigad_tape *tape = open_tape(threads);
    sigad_dtype d = (sigad_dtype)dtype;
    sigad_tensor x[INPUTS], results[INPUTS + 2], one = sigad_scalar(tape, d, 1);
    size_t used = 0;
    for (int i = 0; i < INPUTS; i++)
        x[i] = sigad_watch(tape, sigad_normal(tape, d, inputs[i].rank, inputs[i].shape));
    results[0] = f(tape, x);
    results[1] = sigad_jvp(tape, results[0], INPUTS, x, x);
    sigad_backward_with(tape, results[0], one);
    for (int i = 0; i < INPUTS; i++) results[i + 2] = sigad_gradient(tape, x[i]);
    for (int i = 0; i < INPUTS + 2; i++) {
        sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
        cr_assert(!sigad_describe(tape, results[i], &info), "%s",
                  sigad_context_message(sigad_tape_context(tape)));
        size_t bytes = (size_t)info.elements * (d == SIGAD_F32 ? 4 : 8);
        memcpy(all + used, sigad_data(tape, results[i]), bytes);
        used += bytes;
    }
    close_tape(tape);
    return used;
}

Test(layers, threads_change_no_bit)
{
    static const operation operations[] = {product, layer, series, softmax, log_softmax,
                                           norm,    mse,   binary, classes, chosen};
    static const int threads[] = {2, 3, 8};
    char *first = malloc(8 << 20), *other = malloc(8 << 20);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        for (int32_t dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
            size_t bytes = compute(operations[i], 1, dtype, first);
            for (int t = 0; t < 3; t++) {
                cr_assert_eq(compute(operations[i], threads[t], dtype, other), bytes);
                cr_expect(!memcmp(first, other, bytes), "operation %zu: %d threads give other bits",
                          i, threads[t]);
            }
        }
    free(first);
    free(other);
}

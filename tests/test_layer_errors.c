/* Layers and losses that are called wrongly: status and message, word by word. */
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>

static sigad_context *context;
static sigad_tape *tape;

static void open(void)
{
    cr_assert(!sigad_context_create(NULL, &context));
    cr_assert(!sigad_tape_create(context, &tape));
}

static void close(void)
{
    sigad_context_destroy(context);
}

TestSuite(layer_errors, .init = open, .fini = close);

static sigad_tensor zeros(sigad_dtype dtype, int rank, const int64_t *shape)
{
    static const double data[1024];
    return sigad_constant(tape, dtype, rank, shape, data);
}

#define SHAPE(...)                                                         \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) \
    {                                                                      \
        __VA_ARGS__                                                        \
    }
#define F(...)   zeros(SIGAD_F64, SHAPE(__VA_ARGS__))
#define F32(...) zeros(SIGAD_F32, SHAPE(__VA_ARGS__))
#define I(...)   zeros(SIGAD_I64, SHAPE(__VA_ARGS__))
#define SCALAR   zeros(SIGAD_F64, 0, NULL)

static void expect(sigad_tensor y, sigad_status status, const char *message)
{
    cr_expect(y.id == 0 && y.generation == 0, "%s: not poison", message);
    cr_expect_str_eq(sigad_context_message(context), message);
    cr_expect_eq(sigad_context_status(context), status, "%s: status %d", message,
                 sigad_context_status(context));
    sigad_context_clear(context);
}

Test(layer_errors, matmul)
{
    expect(sigad_label(tape, sigad_matmul(tape, F(64, 12), F(10, 8)), "fc1"), SIGAD_ESHAPE,
           "matmul 'fc1': [64,12] x [10,8]: inner dimensions 12 and 10 differ");
    expect(sigad_matmul(tape, F(3), F(4)), SIGAD_ESHAPE,
           "matmul: [3] x [4]: inner dimensions 3 and 4 differ");
    expect(sigad_matmul_transposed(tape, F(3, 4), 1, F(5, 4), 1), SIGAD_ESHAPE,
           "matmul: [3,4]^T x [5,4]^T: inner dimensions 3 and 4 differ");
    expect(sigad_matmul(tape, SCALAR, F(4, 2)), SIGAD_ESHAPE,
           "matmul: [] x [4,2]: each needs an axis at least; mul multiplies by a scalar");
    expect(
        sigad_matmul(tape, F(2, 3, 4), F(5, 4, 2)), SIGAD_ESHAPE,
        "matmul: [2,3,4] x [5,4,2]: the axes before the last two do not broadcast: sizes, counted from the last, must be equal or 1");
    expect(sigad_matmul(tape, F(3, 4), F32(4, 2)), SIGAD_EDTYPE,
           "matmul: operands are float64 and float32: they must have one dtype, use sigad_cast");
    expect(sigad_matmul(tape, F(3, 4), I(4, 2)), SIGAD_EDTYPE,
           "matmul: operand 1 is int64: it must be float32 or float64, use sigad_cast");
    expect(sigad_matmul(tape, F(2, 0), F(0, 3000000000)), SIGAD_ERANGE,
           "matmul: rows of more than 2147483647 elements are beyond the BLAS library");
}

Test(layer_errors, linear)
{
    expect(sigad_linear(tape, SCALAR, F(4, 2), F(2)), SIGAD_ESHAPE,
           "linear: x [] needs at least one axis, [..., in]");
    expect(sigad_linear(tape, F(3, 4), F(5, 2), F(2)), SIGAD_ESHAPE,
           "linear: x [3,4] needs a weight [4,out], not [5,2]");
    expect(sigad_linear(tape, F(3, 4), F(4), F(2)), SIGAD_ESHAPE,
           "linear: x [3,4] needs a weight [4,out], not [4]");
    expect(sigad_linear(tape, F(3, 4), F(4, 2), F(1, 2)), SIGAD_ESHAPE,
           "linear: weight [4,2] needs a bias [2], not [1,2]");
    expect(sigad_linear(tape, F(3, 4), F(4, 2), F32(2)), SIGAD_EDTYPE,
           "linear: operands are float64 and float32: they must have one dtype, use sigad_cast");
}

Test(layer_errors, rows_beyond_blas)
{
    expect(sigad_linear(tape, F(0, 3000000000), F(3000000000, 0), F(0)), SIGAD_ERANGE,
           "linear: rows of more than 2147483647 elements are beyond the BLAS library");
    expect(sigad_conv1d(tape, F(3, 0), F(2, 0, 2000000000)), SIGAD_ERANGE,
           "conv1d: rows of more than 2147483647 elements are beyond the BLAS library");
}

Test(layer_errors, conv1d)
{
    expect(sigad_conv1d(tape, F(4), F(2, 1, 3)), SIGAD_ESHAPE,
           "conv1d: x [4] and weight [2,1,3]: they must be [...,length,in] and [width,in,out]");
    expect(sigad_conv1d(tape, F(4, 2), F(2, 3)), SIGAD_ESHAPE,
           "conv1d: x [4,2] and weight [2,3]: they must be [...,length,in] and [width,in,out]");
    expect(sigad_conv1d(tape, F(4, 2), F(3, 5, 1)), SIGAD_ESHAPE,
           "conv1d: x [4,2] needs a weight [width,2,out], not [3,5,1]");
    expect(sigad_conv1d(tape, F(4, 2), F(5, 2, 1)), SIGAD_ESHAPE,
           "conv1d: width 5 of weight [5,2,1] must be 1 .. 4, the length of x [4,2]");
    expect(sigad_conv1d(tape, F(4, 2), F(0, 2, 1)), SIGAD_ESHAPE,
           "conv1d: width 0 of weight [0,2,1] must be 1 .. 4, the length of x [4,2]");
}

Test(layer_errors, softmax_and_layer_norm)
{
    expect(sigad_softmax(tape, F(3, 4), 2), SIGAD_EINVAL,
           "softmax: [3,4]: it has no axis 2, axes are -2 .. 1");
    expect(sigad_log_softmax(tape, SCALAR, 0), SIGAD_EINVAL,
           "log_softmax: []: it has no axis 0, it is a scalar");
    expect(sigad_softmax(tape, I(3, 4), 0), SIGAD_EDTYPE,
           "softmax: operand 0 is int64: it must be float32 or float64, use sigad_cast");
    expect(sigad_layer_norm(tape, SCALAR, F(1), F(1), 0), SIGAD_ESHAPE,
           "layer_norm: x [] needs at least one axis");
    expect(sigad_layer_norm(tape, F(3, 4), F(3), F(4), 0), SIGAD_ESHAPE,
           "layer_norm: x [3,4] needs a scale [4], not [3]");
    expect(sigad_layer_norm(tape, F(3, 4), F(4), F(1, 4), 0), SIGAD_ESHAPE,
           "layer_norm: x [3,4] needs a shift [4], not [1,4]");
    expect(sigad_layer_norm(tape, F(3, 4), F(4), F(4), -1), SIGAD_EINVAL,
           "layer_norm: epsilon -1 must be at least 0");
    expect(sigad_layer_norm(tape, F(3, 4), F(4), F(4), NAN), SIGAD_EINVAL,
           "layer_norm: epsilon nan must be at least 0");
}

Test(layer_errors, losses)
{
    expect(sigad_mse(tape, F(5, 1), F(5)), SIGAD_ESHAPE,
           "mse: [5,1] and target [5]: the shapes must be equal, losses do not broadcast");
    expect(sigad_mae(tape, F(5), SCALAR), SIGAD_ESHAPE,
           "mae: [5] and target []: the shapes must be equal, losses do not broadcast");
    expect(sigad_mse(tape, F(0, 3), F(0, 3)), SIGAD_ESHAPE,
           "mse: [0,3] has no elements to take the mean of");
    expect(sigad_mse(tape, F(3), F32(3)), SIGAD_EDTYPE,
           "mse: operands are float64 and float32: they must have one dtype, use sigad_cast");
    expect(
        sigad_binary_cross_entropy(tape, F(3), I(3)), SIGAD_EDTYPE,
        "binary_cross_entropy: operand 1 is int64: it must be float32 or float64, use sigad_cast");
    expect(sigad_huber(tape, F(3), F(3), 0), SIGAD_EINVAL, "huber: delta 0 must be greater than 0");
    expect(sigad_huber(tape, F(3), F(3), NAN), SIGAD_EINVAL,
           "huber: delta nan must be greater than 0");
}

Test(layer_errors, labels)
{
    static const int64_t labels[] = {0, 4, 5, -1};
    sigad_tensor good = sigad_constant(tape, SIGAD_I64, 1, (int64_t[]){2}, labels);
    sigad_tensor high = sigad_constant(tape, SIGAD_I64, 1, (int64_t[]){3}, labels);
    sigad_tensor low = sigad_constant(tape, SIGAD_I64, 2, (int64_t[]){1, 2}, labels + 2);
    cr_assert(sigad_cross_entropy(tape, F(2, 5), good).generation);
    expect(sigad_label(tape, sigad_cross_entropy(tape, F(3, 5), high), "loss"), SIGAD_ERANGE,
           "cross_entropy 'loss': label 5 at position 2 must be 0 .. 4");
    expect(sigad_nll_loss(tape, F(1, 2, 6), low), SIGAD_ERANGE,
           "nll_loss: label -1 at position 1 must be 0 .. 5");
    expect(
        sigad_cross_entropy(tape, F(3, 5), I(3, 5)), SIGAD_ESHAPE,
        "cross_entropy: [3,5] and labels [3,5]: labels need the shape of the other without its last axis, the classes");
    expect(
        sigad_cross_entropy(tape, F(3, 5), I(5)), SIGAD_ESHAPE,
        "cross_entropy: [3,5] and labels [5]: labels need the shape of the other without its last axis, the classes");
    expect(sigad_cross_entropy(tape, F(3, 5), F(3)), SIGAD_EDTYPE,
           "cross_entropy: operand 1 is float64: it must be int64");
    expect(sigad_cross_entropy(tape, I(3, 5), I(3)), SIGAD_EDTYPE,
           "cross_entropy: operand 0 is int64: it must be float32 or float64, use sigad_cast");
    expect(sigad_cross_entropy(tape, F(0, 5), I(0)), SIGAD_ESHAPE,
           "cross_entropy: [0,5] has no elements to take the mean of");
    expect(sigad_nll_loss(tape, F(3, 0), I(3)), SIGAD_ESHAPE,
           "nll_loss: [3,0] has no elements to take the mean of");
}

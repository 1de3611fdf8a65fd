/* Labels in messages, and NULL for every object. */
#include "support/world.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <string.h>

static world w;

static void open_world(void)
{
    world_open(&w);
}

static void close_world(void)
{
    world_close(&w);
}

TestSuite(messages, .init = open_world, .fini = close_world);

Test(messages, a_label_on_poison_goes_into_the_message)
{
    sigad_tensor x = VECTOR(w.tape, 1.0), y = VECTOR(w.tape, 1.0, 2.0);
    expect_poison(w.context, sigad_label(w.tape, test_times(w.tape, x, y), "fc1"), SIGAD_ESHAPE,
                  "times 'fc1': [1] x [2]: shapes differ");
    expect_poison(w.context, sigad_label(w.tape, sigad_scalar(w.tape, SIGAD_I64, 0.5), "half"),
                  SIGAD_ERANGE, "sigad_scalar 'half': 0.5 is not an int64");
    expect_poison(
        w.context,
        sigad_label(w.tape, sigad_input(w.tape, SIGAD_F64, 9, (int64_t[9]){0}, NULL), "in"),
        SIGAD_EINVAL, "sigad_input 'in': rank 9 is not in 0..8");
    expect_poison(w.context, sigad_label(w.tape, test_cube(w.tape, (sigad_tensor){0, 0}), "c"),
                  SIGAD_EINVAL,
                  "cube 'c': an operand is the zero tensor, though no error is set: was it "
                  "computed?");
    w.memory.fail_at = w.memory.requests + 1;
    w.memory.for_ever = true;
    sigad_tensor big = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(10000), (double[10000]){0});
    expect_poison(w.context, sigad_label(w.tape, big, "big"), SIGAD_ENOMEM,
                  "sigad_constant 'big': no memory for 80000 bytes");
    w.memory.fail_at = 0;
}

Test(messages, a_label_applies_to_the_operation_that_failed_only)
{
    sigad_tensor x = VECTOR(w.tape, 1.0), y = VECTOR(w.tape, 1.0, 2.0), bad, later;
    static const char message[] = "times: [1] x [2]: shapes differ";
    bad = test_times(w.tape, x, y);
    later = test_cube(w.tape, bad);
    expect_poison(w.context, sigad_label(w.tape, later, "later"), SIGAD_ESHAPE, message);
    for (int i = 0; i < 5; i++) {
        double data[1] = {0.0};
        test_times(w.tape, x, y);
        sigad_tensor made = {0, 0};
        if (i == 0) made = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data);
        if (i == 1) made = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data);
        if (i == 2) made = sigad_scalar(w.tape, SIGAD_F64, 1.0);
        if (i == 3) made = sigad_gradient(w.tape, x);
        if (i == 4) made = sigad_jvp(w.tape, x, 1, &x, &x);
        expect_poison(w.context, sigad_label(w.tape, made, "innocent"), SIGAD_ESHAPE, message);
    }
    bad = sigad_label(w.tape, test_times(w.tape, x, y), "first");
    later = sigad_label(w.tape, bad, "second");
    expect_poison(w.context, later, SIGAD_ESHAPE, "times 'first': [1] x [2]: shapes differ");
    bad = sigad_label(w.tape, sigad_watch(w.tape, test_times(w.tape, x, y)), "watched");
    expect_poison(w.context, bad, SIGAD_ESHAPE, "times 'watched': [1] x [2]: shapes differ");
    test_times(w.tape, x, y);
    expect_poison(w.context, sigad_label(w.tape, (sigad_tensor){0, 0}, NULL), SIGAD_ESHAPE,
                  message);
}

Test(messages, labels_are_copied_and_replaced)
{
    char text[300];
    sigad_tensor x = VECTOR(w.tape, 1.0), y = test_cube(w.tape, x);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    for (int length = 1; length < 300; length += 13) {
        memset(text, 'a' + length % 26, (size_t)length);
        text[length] = 0;
        sigad_label(w.tape, x, text);
        cr_expect_eq(sigad_label(w.tape, y, text).id, y.id);
        sigad_describe(w.tape, x, &info);
        cr_expect_str_eq(info.label, text);
        cr_expect_neq(info.label, text);
    }
    sigad_label(w.tape, y, "");
    sigad_describe(w.tape, y, &info);
    cr_expect_str_eq(info.label, "");
    sigad_label(w.tape, y, "again");
    sigad_describe(w.tape, y, &info);
    sigad_label(w.tape, y, info.label + 2);
    sigad_describe(w.tape, y, &info);
    cr_expect_str_eq(info.label, "ain");
    expect_poison(w.context, sigad_label(w.tape, x, NULL), SIGAD_EINVAL,
                  "sigad_label: text is NULL");
    expect_poison(w.context, sigad_label(w.tape, (sigad_tensor){0, 0}, "nobody"), SIGAD_EINVAL,
                  NULL);
}

Test(messages, labels_and_watches_without_memory)
{
    sigad_tensor x = constant64(w.tape, 3000, (double[3000]){0}), y = test_cube(w.tape, x);
    static char text[70000];
    memset(text, 'a', sizeof text - 1);
    sigad_tensor operands[2] = {x, y};
    for (int i = 0; i < 2; i++) { /* a note of an older tensor, and of the newest */
        w.memory.fail_at = w.memory.requests + 1;
        expect_poison(w.context, sigad_label(w.tape, operands[i], text), SIGAD_ENOMEM,
                      "sigad_label: no memory for 70000 bytes");
    }
    w.memory.for_ever = true;
    w.memory.fail_at = 1;
    expect_poison(w.context, sigad_watch(w.tape, x), SIGAD_ENOMEM,
                  "sigad_watch: no memory for 24000 bytes");
    w.memory.fail_at = 0;
    cr_expect_eq(sigad_watch(w.tape, x).id, x.id);
    cr_expect_eq(sigad_label(w.tape, x, text).id, x.id);
    expect_no_error(w.context);
}

/* ---- NULL ------------------------------------------------------------------------------------ */

Test(messages, a_null_context_is_invalid)
{
    sigad_tape *tape = (sigad_tape *)&w;
    sigad_tensor zero = {0, 0};
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    double data[1] = {0.0};
    sigad_context_destroy(NULL);
    cr_expect_eq(sigad_context_status(NULL), SIGAD_EINVAL);
    cr_expect_str_eq(sigad_context_message(NULL), "");
    cr_expect_eq(sigad_context_clear(NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_synchronize(NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_prepare(NULL, NULL), SIGAD_EINVAL);
    cr_expect(!sigad_parameter(NULL, "p", SIGAD_F64, 0, NULL, SIGAD_INIT_ZERO).generation);
    cr_expect(!sigad_parameter_find(NULL, "p").generation);
    cr_expect_eq(sigad_parameter_count(NULL), 0);
    cr_expect(!sigad_parameter_at(NULL, 0).generation);
    cr_expect_eq(sigad_parameter_describe(NULL, zero, &info), SIGAD_EINVAL);
    cr_expect_eq(sigad_parameter_read(NULL, zero, data, 8), SIGAD_EINVAL);
    cr_expect_eq(sigad_parameter_write(NULL, zero, data, 8), SIGAD_EINVAL);
    cr_expect_eq(sigad_parameter_freeze(NULL, zero, 1), SIGAD_EINVAL);
    cr_expect_eq(sigad_tape_create(NULL, &tape), SIGAD_EINVAL);
    cr_expect_null(tape);
    cr_expect_eq(sigad_tape_create(NULL, NULL), SIGAD_EINVAL);
}

Test(messages, a_null_tape_is_invalid)
{
    sigad_tensor x = VECTOR(w.tape, 1.0), out = x;
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    double data[1] = {0.0};
    int rank;
    int64_t shape[SIGAD_MAX_RANK];
    sigad_tape_reset(NULL);
    sigad_tape_destroy(NULL);
    sigad_tape_set_step(NULL, 1);
    cr_expect_eq(sigad_tape_step(NULL), 0);
    cr_expect_null(sigad_tape_context(NULL));
    cr_expect_eq(sigad_tape_evaluate(NULL, 1), SIGAD_EINVAL);
    cr_expect_eq(sigad_tape_mark(NULL), 0);
    cr_expect_eq(sigad_tape_rewind(NULL, 0), SIGAD_EINVAL);
    cr_expect(!sigad_input(NULL, SIGAD_F64, SIGAD_SHAPE(1), data).generation);
    cr_expect(!sigad_constant(NULL, SIGAD_F64, SIGAD_SHAPE(1), data).generation);
    cr_expect(!sigad_scalar(NULL, SIGAD_F64, 1.0).generation);
    cr_expect(!sigad_watch(NULL, x).generation);
    cr_expect(!sigad_label(NULL, x, "x").generation);
    cr_expect_eq(sigad_read(NULL, x, data, 8), SIGAD_EINVAL);
    cr_expect(isnan(sigad_item(NULL, x)));
    cr_expect_null(sigad_data(NULL, x));
    cr_expect_eq(sigad_shape(NULL, x, &rank, shape), SIGAD_EINVAL);
    cr_expect_eq(sigad_describe(NULL, x, &info), SIGAD_EINVAL);
    cr_expect_eq(sigad_tape_count(NULL), 0);
    cr_expect(!sigad_tape_at(NULL, 0).generation);
    cr_expect_eq(sigad_backward(NULL, x), SIGAD_EINVAL);
    cr_expect_eq(sigad_backward_with(NULL, x, x), SIGAD_EINVAL);
    cr_expect(!sigad_gradient(NULL, x).generation);
    cr_expect(!sigad_grad(NULL, x, x, x).generation);
    cr_expect_eq(sigad_grads(NULL, x, 1, &x, x, &out), SIGAD_EINVAL);
    cr_expect(!out.generation);
    cr_expect(!sigad_jvp(NULL, x, 1, &x, &x).generation);
    out = x;
    cr_expect_eq(sigad_hvp(NULL, x, 1, &x, &x, &out), SIGAD_EINVAL);
    cr_expect(!out.generation);
    cr_expect_eq(sigad_input_bind(NULL, x, data), SIGAD_EINVAL);
    cr_expect_eq(sigad_replay(NULL), SIGAD_EINVAL);
    cr_expect(!test_cube(NULL, x).generation);
    expect_no_error(w.context);
}

Test(messages, null_results_are_refused)
{
    int rank;
    int64_t shape[SIGAD_MAX_RANK];
    sigad_tensor x = VECTOR(w.tape, 1.0);
    cr_expect_eq(sigad_shape(w.tape, x, NULL, shape), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_shape: rank or shape is NULL");
    cr_expect_eq(sigad_shape(w.tape, x, &rank, NULL), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
    cr_expect_eq(sigad_shape(w.tape, (sigad_tensor){9, 9}, &rank, shape), SIGAD_ESTALE);
    expect_error(w.context, SIGAD_ESTALE, NULL);
}

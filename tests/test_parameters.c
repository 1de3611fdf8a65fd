#include "support/world.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
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

TestSuite(parameters, .init = open_world, .fini = close_world);

Test(parameters, are_found_by_name_and_in_order)
{
    char name[32];
    sigad_tensor made[50];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "layer%d.weight", i);
        made[i] = sigad_parameter(w.context, name, SIGAD_F32, SIGAD_SHAPE(2, 3), SIGAD_INIT_ZERO);
        memset(name, '?', sizeof name - 1); /* names are copied */
    }
    cr_expect_eq(sigad_parameter_count(w.context), 50);
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "layer%d.weight", i);
        sigad_tensor found = sigad_parameter_find(w.context, name);
        sigad_tensor at = sigad_parameter_at(w.context, i);
        cr_expect(found.id == made[i].id && found.generation == made[i].generation);
        cr_expect(at.id == made[i].id && at.generation == made[i].generation);
    }
    expect_poison(w.context, sigad_parameter_find(w.context, "layer"), SIGAD_EINVAL,
                  "sigad_parameter_find: no parameter is called 'layer'");
    expect_poison(w.context, sigad_parameter_find(w.context, NULL), SIGAD_EINVAL,
                  "sigad_parameter_find: no parameter is called '(NULL)'");
    expect_poison(w.context, sigad_parameter_at(w.context, 50), SIGAD_EINVAL,
                  "sigad_parameter_at: index 50 is not in 0..49");
    expect_poison(w.context, sigad_parameter_at(w.context, -1), SIGAD_EINVAL, NULL);
}

Test(parameters, that_cannot_be_made)
{
    const int64_t shape[9] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, huge[1] = {(int64_t)1 << 50};
    const sigad_init zero = SIGAD_INIT_ZERO;
    sigad_context *c = w.context;
    expect_poison(c, sigad_parameter(c, NULL, SIGAD_F64, 1, shape, zero), SIGAD_EINVAL,
                  "sigad_parameter: a name is needed");
    expect_poison(c, sigad_parameter(c, "", SIGAD_F64, 1, shape, zero), SIGAD_EINVAL,
                  "sigad_parameter: a name is needed");
    expect_poison(c, sigad_parameter(c, "p", SIGAD_I64, 1, shape, zero), SIGAD_EDTYPE,
                  "sigad_parameter 'p': dtype is int64, use SIGAD_F32 or SIGAD_F64");
    expect_poison(c, sigad_parameter(c, "p", (sigad_dtype)0, 1, shape, zero), SIGAD_EDTYPE,
                  "sigad_parameter 'p': dtype is unknown dtype, use SIGAD_F32 or SIGAD_F64");
    expect_poison(c, sigad_parameter(c, "p", SIGAD_F64, 9, shape, zero), SIGAD_EINVAL,
                  "sigad_parameter 'p': rank 9 is not in 0..8");
    expect_poison(c, sigad_parameter(c, "p", SIGAD_F64, 1, NULL, zero), SIGAD_EINVAL,
                  "sigad_parameter 'p': shape is NULL but rank is 1");
    expect_poison(c, sigad_parameter(c, "p", SIGAD_F64, 1, (int64_t[]){-1}, zero), SIGAD_EINVAL,
                  "sigad_parameter 'p': axis 0 has negative size -1");
    expect_poison(c, sigad_parameter(c, "p", SIGAD_F64, 1, huge, zero), SIGAD_ENOMEM,
                  "sigad_parameter 'p': no memory for 9007199254740992 bytes");
    cr_expect_eq(sigad_parameter_count(c), 0);
    cr_expect(sigad_parameter(c, "p", SIGAD_F64, 1, shape, zero).generation);
    expect_poison(c, sigad_parameter(c, "p", SIGAD_F32, 1, shape, zero), SIGAD_EINVAL,
                  "sigad_parameter 'p': the context has one of this name already");
    cr_expect_eq(sigad_parameter_count(c), 1);
}

Test(parameters, starts_that_make_no_sense)
{
    static const struct {
        sigad_init init;
        sigad_status status;
        const char *message;
    } bad[] = {
        {{-1, 0, 0, 0}, SIGAD_EINVAL, "unknown start (kind -1, reserved 0); use SIGAD_INIT_..."},
        {{6, 0, 0, 0}, SIGAD_EINVAL, "unknown start (kind 6, reserved 0); use SIGAD_INIT_..."},
        {{0, 1, 0, 0}, SIGAD_EINVAL, "unknown start (kind 0, reserved 1); use SIGAD_INIT_..."},
        {{0, 0, INFINITY, 0},
         SIGAD_EINVAL,
         "constant start of inf, 0: both must be finite in float32"},
        {{0, 0, 1e300, 0},
         SIGAD_EINVAL,
         "constant start of 1e+300, 0: both must be finite in float32"},
        {{1, 0, 2, 1}, SIGAD_EINVAL, "uniform start from 2 to 1: low must not exceed high"},
        {{2, 0, 0, -1}, SIGAD_EINVAL, "normal start: stddev is -1, it must not be negative"},
        {{3, 0, 0, 0}, SIGAD_EINVAL, "He start: gain is 0, it must be positive"},
        {{4, 0, -1, 0}, SIGAD_EINVAL, "Xavier start: gain is -1, it must be positive"},
        {{5, 0, 1, 0}, SIGAD_ESHAPE, "an orthogonal start needs rank 2 or more, not 1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[200];
        snprintf(message, sizeof message, "sigad_parameter 'p': %s", bad[i].message);
        expect_poison(w.context,
                      sigad_parameter(w.context, "p", SIGAD_F32, SIGAD_SHAPE(3), bad[i].init),
                      bad[i].status, message);
    }
    cr_expect_eq(sigad_parameter_count(w.context), 0);
}

Test(parameters, of_no_elements_and_of_rank_0)
{
    sigad_tensor empty = sigad_parameter(w.context, "empty", SIGAD_F64, SIGAD_SHAPE(0, 3),
                                         SIGAD_INIT_NORMAL(0.0, 1.0));
    sigad_tensor one =
        sigad_parameter(w.context, "one", SIGAD_F64, 0, NULL, SIGAD_INIT_CONSTANT(2.5));
    cr_expect_eq(sigad_item(w.tape, one), 2.5);
    cr_expect_eq(sigad_parameter_write(w.context, empty, NULL, 0), SIGAD_OK);
    cr_expect_eq(sigad_parameter_read(w.context, empty, NULL, 0), SIGAD_OK);
    cr_expect_eq(sigad_backward(w.tape, test_sum(w.tape, empty)), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, one), 0.0);
    expect_no_error(w.context);
}

Test(parameters, are_read_and_written_in_exact_sizes)
{
    double out[2] = {0.0}, in[2] = {3.0, 4.0};
    sigad_tensor p = parameter64(w.context, "p", 2, (double[]){1.0, 2.0});
    cr_expect_eq(sigad_parameter_read(w.context, p, out, sizeof out), SIGAD_OK);
    cr_expect(out[0] == 1.0 && out[1] == 2.0);
    cr_expect_eq(sigad_parameter_write(w.context, p, in, sizeof in), SIGAD_OK);
    EXPECT(w.tape, p, 3.0, 4.0);
    cr_expect_eq(sigad_parameter_read(w.context, p, out, 8), SIGAD_ESHAPE);
    expect_error(w.context, SIGAD_ESHAPE, "sigad_parameter_read 'p': it has 16 bytes, not 8");
    cr_expect_eq(sigad_parameter_write(w.context, p, in, 17), SIGAD_ESHAPE);
    expect_error(w.context, SIGAD_ESHAPE, "sigad_parameter_write 'p': it has 16 bytes, not 17");
    cr_expect_eq(sigad_parameter_write(w.context, p, NULL, 16), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_parameter_write 'p': data is NULL");
    cr_expect_eq(sigad_parameter_read(w.context, p, NULL, 16), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_parameter_read 'p': data is NULL");
}

Test(parameters, other_tensors_are_not_taken_for_parameters)
{
    double data[1] = {1.0};
    sigad_tensor x = VECTOR(w.tape, 1.0), zero = {0, 0};
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_expect_eq(sigad_parameter_write(w.context, x, data, 8), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_parameter_write: this is a tensor of a tape; a parameter is needed");
    cr_expect_eq(sigad_parameter_freeze(w.context, zero, 1), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_parameter_freeze: the parameter is the zero tensor, though no error is "
                 "set: was it made?");
    cr_expect_eq(sigad_parameter_describe(w.context, x, &info), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
    sigad_tensor p = parameter64(w.context, "p", 1, data);
    expect_poison(w.context, sigad_label(w.tape, p, "other name"), SIGAD_EINVAL,
                  "sigad_label: a parameter is not a tensor of the tape");
    cr_expect_eq(sigad_input_bind(w.tape, p, data), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
}

Test(parameters, describe_says_whether_they_are_trained)
{
    sigad_tensor p = sigad_parameter(w.context, "w", SIGAD_F32, SIGAD_SHAPE(2, 3), SIGAD_INIT_ZERO);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_assert_eq(sigad_parameter_describe(w.context, p, &info), SIGAD_OK);
    cr_expect(info.dtype == SIGAD_F32 && info.rank == 2 && info.elements == 6 && info.trainable);
    cr_expect(info.shape[0] == 2 && info.shape[1] == 3 && info.input_count == 0);
    cr_expect_str_eq(info.operation, "parameter");
    cr_expect_str_eq(info.label, "w");
    sigad_parameter_freeze(w.context, p, 5);
    sigad_parameter_describe(w.context, p, &info);
    cr_expect_eq(info.trainable, 0);
    sigad_parameter_freeze(w.context, p, 0);
    sigad_parameter_describe(w.context, p, &info);
    cr_expect_eq(info.trainable, 1);
}

Test(parameters, nothing_happens_to_them_while_an_error_is_held)
{
    double five = 5.0, out = 0.0;
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){1.0});
    sigad_parameter_find(w.context, "q");
    cr_expect_eq(sigad_parameter_write(w.context, p, &five, 8), SIGAD_EINVAL);
    cr_expect_eq(sigad_parameter_read(w.context, p, &out, 8), SIGAD_EINVAL);
    cr_expect_eq(sigad_parameter_freeze(w.context, p, 1), SIGAD_EINVAL);
    cr_expect(!sigad_parameter_find(w.context, "p").generation);
    cr_expect(!sigad_parameter(w.context, "q", SIGAD_F64, 0, NULL, SIGAD_INIT_ZERO).generation);
    expect_error(w.context, SIGAD_EINVAL, "sigad_parameter_find: no parameter is called 'q'");
    EXPECT(w.tape, p, 1.0);
    cr_expect_eq(out, 0.0);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    sigad_parameter_describe(w.context, p, &info);
    cr_expect_eq(info.trainable, 1);
}

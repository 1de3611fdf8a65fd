/* What enters a tape and what leaves it; evaluation; steps. */
#include "graph/tape.h"
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

TestSuite(tape, .init = open_world, .fini = close_world);

Test(tape, inputs_are_borrowed_and_constants_copied)
{
    double data[2] = {1.0, 2.0};
    sigad_tensor a = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(2), data);
    sigad_tensor b = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(2), data);
    cr_expect_eq(sigad_data(w.tape, a), data);
    data[0] = 5.0;
    EXPECT(w.tape, a, 5.0, 2.0);
    EXPECT(w.tape, b, 1.0, 2.0);
}

Test(tape, every_dtype_goes_in_and_out)
{
    const float f[2] = {1.5f, -2.5f};
    const int64_t i[2] = {INT64_MAX, INT64_MIN};
    float f_out[2];
    int64_t i_out[2];
    sigad_tensor a = sigad_constant(w.tape, SIGAD_F32, SIGAD_SHAPE(1, 2), f);
    sigad_tensor b = sigad_input(w.tape, SIGAD_I64, SIGAD_SHAPE(2), i);
    cr_expect_eq(sigad_read(w.tape, a, f_out, sizeof f_out), SIGAD_OK);
    cr_expect_arr_eq(f_out, f, sizeof f);
    cr_expect_eq(sigad_read(w.tape, b, i_out, sizeof i_out), SIGAD_OK);
    cr_expect_arr_eq(i_out, i, sizeof i);
}

Test(tape, scalars_of_each_dtype)
{
    cr_expect_eq(sigad_item(w.tape, sigad_scalar(w.tape, SIGAD_F64, 0.1)), 0.1);
    cr_expect_eq(sigad_item(w.tape, sigad_scalar(w.tape, SIGAD_F32, 0.1)), (double)0.1f);
    cr_expect_eq(sigad_item(w.tape, sigad_scalar(w.tape, SIGAD_I64, -7.0)), -7.0);
    cr_expect(isnan(sigad_item(w.tape, sigad_scalar(w.tape, SIGAD_F64, NAN))));
    expect_no_error(w.context);
    expect_poison(w.context, sigad_scalar(w.tape, SIGAD_I64, NAN), SIGAD_ERANGE,
                  "sigad_scalar: nan is not an int64");
    expect_poison(w.context, sigad_scalar(w.tape, SIGAD_I64, 0.5), SIGAD_ERANGE,
                  "sigad_scalar: 0.5 is not an int64");
    expect_poison(w.context, sigad_scalar(w.tape, SIGAD_I64, 0x1p63), SIGAD_ERANGE, NULL);
    expect_poison(w.context, sigad_scalar(w.tape, SIGAD_I64, -INFINITY), SIGAD_ERANGE, NULL);
    expect_poison(w.context, sigad_scalar(w.tape, (sigad_dtype)9, 1.0), SIGAD_EINVAL,
                  "sigad_scalar: dtype 9 is none of SIGAD_F32, SIGAD_F64, SIGAD_I64");
}

/* What no leaf accepts: the shape, the dtype, the pointer, and what is said. */
static const struct {
    int dtype, rank;
    int64_t shape[9];
    bool without_shape, without_data;
    sigad_status status;
    const char *message;
} refused[] = {
    {2, 1, {-1}, false, false, SIGAD_EINVAL, "axis 0 has negative size -1"},
    {2,
     2,
     {0, INT64_MIN},
     false,
     false,
     SIGAD_EINVAL,
     "axis 1 has negative size -9223372036854775808"},
    {2, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, false, false, SIGAD_EINVAL, "rank 9 is not in 0..8"},
    {2, -1, {1}, false, false, SIGAD_EINVAL, "rank -1 is not in 0..8"},
    {0, 1, {1}, false, false, SIGAD_EINVAL, "dtype 0 is none of SIGAD_F32, SIGAD_F64, SIGAD_I64"},
    {-4, 1, {1}, false, false, SIGAD_EINVAL, "dtype -4 is none of SIGAD_F32, SIGAD_F64, SIGAD_I64"},
    {2, 1, {1}, true, false, SIGAD_EINVAL, "shape is NULL but rank is 1"},
    {2, 2, {2, 3}, false, true, SIGAD_EINVAL, "data is NULL, but [2,3] has 6 elements"},
    {2, 0, {0}, true, true, SIGAD_EINVAL, "data is NULL, but [] has 1 elements"},
    {2,
     2,
     {(int64_t)1 << 40, (int64_t)1 << 40},
     false,
     false,
     SIGAD_ERANGE,
     "the size of [1099511627776,1099511627776] overflows"},
    {1, 1, {INT64_MAX}, false, false, SIGAD_ERANGE, "the size of [9223372036854775807] overflows"},
    {2,
     3,
     {0, INT64_MAX, 2},
     false,
     false,
     SIGAD_ERANGE,
     "the size of [0,9223372036854775807,2] overflows"},
    {2,
     8,
     {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
     false,
     false,
     SIGAD_ERANGE,
     NULL},
};

Test(tape, bad_shapes_dtypes_and_pointers_are_refused)
{
    static const double data[8];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const int64_t *shape = refused[i].without_shape ? NULL : refused[i].shape;
        const void *bytes = refused[i].without_data ? NULL : data;
        sigad_dtype dtype = (sigad_dtype)refused[i].dtype;
        char message[300];
        snprintf(message, sizeof message, "sigad_input: %s", refused[i].message);
        expect_poison(w.context, sigad_input(w.tape, dtype, refused[i].rank, shape, bytes),
                      refused[i].status, refused[i].message ? message : NULL);
        snprintf(message, sizeof message, "sigad_constant: %s", refused[i].message);
        expect_poison(w.context, sigad_constant(w.tape, dtype, refused[i].rank, shape, bytes),
                      refused[i].status, refused[i].message ? message : NULL);
    }
    cr_expect_eq(sigad_tape_count(w.tape), 0);
}

Test(tape, huge_constants_are_out_of_memory)
{
    double data[1] = {0.0};
    expect_poison(w.context, sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE((int64_t)1 << 50), data),
                  SIGAD_ENOMEM, "sigad_constant: no memory for 9007199254740992 bytes");
    EXPECT(w.tape, VECTOR(w.tape, 1.0), 1.0);
}

Test(tape, inputs_must_be_aligned_constants_need_not)
{
    double pair[2] = {0.0, 0.0}, value = 2.5, out;
    char *off = (char *)pair + 4;
    memcpy(off, &value, sizeof value);
    expect_poison(w.context, sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), off), SIGAD_EINVAL,
                  "sigad_input: data of float64 must be aligned to 8 bytes");
    sigad_tensor x = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(1), off);
    cr_expect_eq(sigad_read(w.tape, x, &out, sizeof out), SIGAD_OK);
    cr_expect_eq(out, 2.5);
    cr_expect_neq(sigad_input(w.tape, SIGAD_F32, SIGAD_SHAPE(1), off).generation, 0);
    cr_expect_neq(sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(0), off).generation, 0);
}

Test(tape, arrays_without_elements_need_no_bytes)
{
    sigad_tensor a = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(3, 0, 2), NULL);
    sigad_tensor b = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(0), NULL);
    sigad_watch(w.tape, a);
    sigad_tensor sum = test_sum(w.tape, test_cube(w.tape, test_times(w.tape, a, a)));
    cr_expect_eq(sigad_item(w.tape, sum), 0.0);
    cr_expect_eq(sigad_backward(w.tape, sum), SIGAD_OK);
    cr_expect_eq(sigad_read(w.tape, sigad_gradient(w.tape, a), NULL, 0), SIGAD_OK);
    cr_expect_eq(sigad_read(w.tape, b, NULL, 0), SIGAD_OK);
    expect_no_error(w.context);
}

Test(tape, reading_wants_the_exact_size)
{
    double out[3];
    sigad_tensor x = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(2, 1), (double[]){1.0, 2.0});
    cr_expect_eq(sigad_read(w.tape, x, out, 24), SIGAD_ESHAPE);
    expect_error(w.context, SIGAD_ESHAPE, "sigad_read: float64 [2,1] has 16 bytes, not 24");
    cr_expect_eq(sigad_read(w.tape, x, NULL, 16), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_read: out is NULL");
    cr_expect(isnan(sigad_item(w.tape, x)));
    expect_error(w.context, SIGAD_ESHAPE, "sigad_item: [2,1] has 2 elements, one is needed");
}

Test(tape, parameters_are_read_like_tensors)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){4.5});
    int rank = -1;
    int64_t shape[SIGAD_MAX_RANK];
    EXPECT(w.tape, p, 4.5);
    cr_expect_eq(sigad_item(w.tape, p), 4.5);
    cr_expect_eq(*(const double *)sigad_data(w.tape, p), 4.5);
    cr_expect_eq(sigad_shape(w.tape, p, &rank, shape), SIGAD_OK);
    cr_expect(rank == 1 && shape[0] == 1);
}

Test(tape, inspection_works_while_an_error_is_held)
{
    int rank = -1;
    int64_t shape[SIGAD_MAX_RANK] = {0};
    sigad_tensor x = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(2, 3), (double[6]){0.0});
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){4.5});
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    test_cube(w.tape, (sigad_tensor){0, 0});
    cr_expect_eq(sigad_shape(w.tape, x, &rank, shape), SIGAD_OK);
    cr_expect(rank == 2 && shape[0] == 2 && shape[1] == 3);
    cr_expect_eq(sigad_describe(w.tape, x, &info), SIGAD_OK);
    cr_expect_eq(info.elements, 6);
    cr_expect_eq(sigad_describe(w.tape, p, &info), SIGAD_OK);
    cr_expect_str_eq(info.label, "p");
    cr_expect_eq(sigad_parameter_describe(w.context, p, &info), SIGAD_OK);
    cr_expect_eq(sigad_tape_count(w.tape), 1);
    cr_expect_eq(sigad_parameter_count(w.context), 1);
    cr_expect_eq(sigad_tape_at(w.tape, 0).generation, x.generation);
    cr_expect_eq(sigad_parameter_at(w.context, 0).generation, p.generation);
    cr_expect_eq(sigad_tape_at(w.tape, 1).generation, 0);
    cr_expect_eq(sigad_shape(w.tape, (sigad_tensor){0, 0}, &rank, shape), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "cube: an operand is the zero tensor, though no error is set: was it computed?");
}

Test(tape, at_goes_through_the_recording)
{
    sigad_tensor x = VECTOR(w.tape, 1.0), y = test_cube(w.tape, x);
    cr_expect_eq(sigad_tape_at(w.tape, 0).id, x.id);
    cr_expect_eq(sigad_tape_at(w.tape, 1).id, y.id);
    expect_poison(w.context, sigad_tape_at(w.tape, 2), SIGAD_EINVAL,
                  "sigad_tape_at: index 2 is not in 0..1");
    expect_poison(w.context, sigad_tape_at(w.tape, -1), SIGAD_EINVAL, NULL);
}

Test(tape, describe_tells_what_is_known)
{
    sigad_tensor x = VECTOR(w.tape, 1.0, 2.0), p = parameter64(w.context, "p", 2, (double[2]){0});
    sigad_tensor y = sigad_label(w.tape, test_times(w.tape, x, p), "product");
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_expect_eq(sigad_describe(w.tape, y, &info), SIGAD_OK);
    cr_expect(info.size == sizeof info && info.dtype == SIGAD_F64 && info.device == SIGAD_CPU);
    cr_expect(info.rank == 1 && info.shape[0] == 2 && info.elements == 2);
    cr_expect_str_eq(info.operation, "times");
    cr_expect_str_eq(info.label, "product");
    cr_expect_eq(info.input_count, 2);
    cr_expect(info.inputs[0].id == x.id && info.inputs[1].generation == p.generation);
    cr_expect_eq(info.trainable, 0);
    cr_expect_eq(sigad_describe(w.tape, x, &info), SIGAD_OK);
    cr_expect_str_eq(info.operation, "constant");
    cr_expect_str_eq(info.label, "");
    cr_expect_eq(info.input_count, 0);
    cr_expect_eq(sigad_describe(w.tape, p, &info), SIGAD_OK);
    cr_expect_str_eq(info.operation, "parameter");
    cr_expect_eq(info.trainable, 1);
    double data[1] = {0.0};
    sigad_tensor in = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data);
    cr_expect_eq(sigad_describe(w.tape, in, &info), SIGAD_OK);
    cr_expect_str_eq(info.operation, "input");
}

Test(tape, describe_fills_the_size_it_is_told)
{
    struct {
        sigad_tensor_info info;
        int64_t future[2];
    } longer = {{sizeof longer, 0, 0, 0, {0}, 0, NULL, NULL, NULL, 0, 0}, {5, 6}};
    sigad_tensor_info shorter = {.size = 16, .elements = 77};
    sigad_tensor x = VECTOR(w.tape, 1.0, 2.0);
    cr_expect_eq(sigad_describe(w.tape, x, &longer.info), SIGAD_OK);
    cr_expect(longer.info.size == sizeof longer && longer.info.elements == 2);
    cr_expect(longer.future[0] == 0 && longer.future[1] == 0, "what we do not know is zero");
    cr_expect_eq(sigad_describe(w.tape, x, &shorter), SIGAD_OK);
    cr_expect(shorter.size == 16 && shorter.rank == 1 && shorter.elements == 77);
    shorter.size = 0;
    cr_expect_eq(sigad_describe(w.tape, x, &shorter), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_tensor_info: set size before the call (SIGAD_TENSOR_INFO_INIT)");
    cr_expect_eq(sigad_describe(w.tape, x, NULL), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
}

Test(tape, evaluation_computes_without_derivatives)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){3.0});
    cr_assert_eq(sigad_tape_evaluate(w.tape, 1), SIGAD_OK);
    for (int i = 0; i < 2; i++) {
        sigad_tensor y = test_sum(w.tape, test_cube(w.tape, p)), out;
        cr_expect_eq(sigad_item(w.tape, y), 27.0);
        cr_expect_eq(sigad_backward(w.tape, y), SIGAD_EINVAL);
        expect_error(w.context, SIGAD_EINVAL,
                     "sigad_backward: the tape evaluates and is not recorded for derivatives "
                     "(sigad_tape_evaluate)");
        cr_expect_eq(sigad_backward_with(w.tape, y, y), SIGAD_EINVAL);
        expect_error(w.context, SIGAD_EINVAL, NULL);
        expect_poison(w.context, sigad_jvp(w.tape, y, 1, &p, &p), SIGAD_EINVAL, NULL);
        cr_expect_eq(sigad_hvp(w.tape, y, 1, &p, &p, &out), SIGAD_EINVAL);
        expect_poison(w.context, out, SIGAD_EINVAL, NULL);
        cr_expect_eq(sigad_grads(w.tape, y, 1, &p, y, &out), SIGAD_EINVAL);
        expect_poison(w.context, out, SIGAD_EINVAL, NULL);
        cr_expect_eq(sigad_tape_count(w.tape), 2, "nothing is left of the attempts");
        sigad_tape_reset(w.tape); /* evaluation stays on */
    }
    cr_assert_eq(sigad_tape_evaluate(w.tape, 0), SIGAD_OK);
    cr_expect_eq(sigad_backward(w.tape, test_sum(w.tape, p)), SIGAD_OK);
    cr_expect_eq(sigad_tape_evaluate(w.tape, 1), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_tape_evaluate: the tape holds 1 tensors; reset it first");
}

Test(tape, a_reset_adds_one_to_the_step)
{
    cr_expect_eq(sigad_tape_step(w.tape), 0);
    sigad_tape_reset(w.tape);
    cr_expect_eq(sigad_tape_step(w.tape), 1);
    sigad_tape_set_step(w.tape, 41);
    sigad_tape_reset(w.tape);
    cr_expect_eq(sigad_tape_step(w.tape), 42);
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
    cr_expect_eq(sigad_tape_step(w.tape), 42);
    cr_expect_eq(sigad_tape_context(w.tape), w.context);
}

Test(tape, a_leaf_without_a_node_leaves_no_bytes)
{
    for (int i = 0; i < 16; i++) VECTOR(w.tape, i);
    sg_arena_mark before = sg_arena_position(&w.tape->arena);
    w.memory.fail_at = w.memory.requests + 1; /* room for more nodes */
    sigad_tensor x = VECTOR(w.tape, 1.0);
    sg_arena_mark after = sg_arena_position(&w.tape->arena);
    cr_expect_eq(w.memory.failed, 1);
    expect_poison(w.context, x, SIGAD_ENOMEM, NULL);
    cr_expect(after.chunk == before.chunk && after.used == before.used);
    EXPECT(w.tape, VECTOR(w.tape, 1.0), 1.0);
}

/* Recomputing a recorded tape on new bytes. */
#include "support/world.h"
#include <criterion/criterion.h>

static world w;

static void open_world(void)
{
    world_open(&w);
}

static void close_world(void)
{
    world_close(&w);
}

TestSuite(replay, .init = open_world, .fini = close_world);

Test(replay, takes_new_bytes_and_present_parameters_and_keeps_handles)
{
    double data[2] = {2.0, 3.0}, ten = 10.0;
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(2), data);
    sigad_tensor c = sigad_constant(w.tape, SIGAD_F64, SIGAD_SHAPE(2), data);
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){4.0});
    sigad_tensor y = test_times(w.tape, test_cube(w.tape, x), c);
    sigad_tensor z = test_times(w.tape, p, p);
    EXPECT(w.tape, y, 16.0, 81.0);
    data[0] = 1.0;
    data[1] = -1.0;
    sigad_parameter_write(w.context, p, &ten, sizeof ten);
    EXPECT(w.tape, y, 16.0, 81.0);
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, y, 2.0, -3.0);
    EXPECT(w.tape, z, 100.0);
    EXPECT(w.tape, c, 2.0, 3.0);
    cr_expect_eq(sigad_tape_count(w.tape), 5);
}

Test(replay, reads_inputs_that_were_bound_elsewhere)
{
    double first[1] = {2.0}, second[2] = {3.0, 0.0};
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), first);
    sigad_tensor y = test_cube(w.tape, x), c = VECTOR(w.tape, 1.0);
    cr_expect_eq(sigad_input_bind(w.tape, x, second), SIGAD_OK);
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, y, 27.0);
    cr_expect_eq(sigad_input_bind(w.tape, y, second), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_input_bind: this is a cube; only what sigad_input made can be pointed "
                 "elsewhere");
    cr_expect_eq(sigad_input_bind(w.tape, c, second), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
    cr_expect_eq(sigad_input_bind(w.tape, x, NULL), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_input_bind: data is NULL, but [1] has 1 elements");
    cr_expect_eq(sigad_input_bind(w.tape, x, (char *)second + 1), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_input_bind: data of float64 must be aligned to 8 bytes");
    cr_expect_eq(sigad_input_bind(w.tape, (sigad_tensor){0, 0}, second), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
    cr_expect_eq(sigad_data(w.tape, x), second, "refused calls change nothing");
}

Test(replay, clears_watched_gradients_not_those_of_parameters)
{
    double data[1] = {2.0};
    sigad_tensor x = sigad_watch(w.tape, sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data));
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){5.0});
    sigad_tensor loss = test_sum(w.tape, test_times(w.tape, test_cube(w.tape, x), p));
    cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    data[0] = 1.0;
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 0.0);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 8.0);
    cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 15.0);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 9.0);
}

Test(replay, makes_results_of_sweeps_stale)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 2.0)), hv;
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, x));
    sigad_backward(w.tape, loss);
    sigad_tensor g = sigad_gradient(w.tape, x), j = sigad_jvp(w.tape, loss, 1, &x, &x);
    sigad_hvp(w.tape, loss, 1, &x, &x, &hv);
    uint64_t mark = sigad_tape_mark(w.tape);
    int64_t count = sigad_tape_count(w.tape);
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    sigad_tensor results[] = {g, j, hv};
    for (int i = 0; i < 3; i++)
        expect_poison(w.context, test_cube(w.tape, results[i]), SIGAD_ESTALE,
                      "cube: a stale handle: from before a reset, rewind or replay, or of another "
                      "tape");
    expect_poison(w.context, sigad_tape_at(w.tape, g.id), SIGAD_ESTALE,
                  "sigad_tape_at: tensor 3 is a sweep's result from before a replay");
    cr_expect_eq(sigad_tape_count(w.tape), count);
    EXPECT(w.tape, loss, 8.0);
    test_cube(w.tape, x);
    cr_expect_eq(sigad_tape_rewind(w.tape, mark), SIGAD_OK, "the mark stands");
}

Test(replay, refuses_operations_on_results_and_changes_nothing_then)
{
    double data[1] = {2.0};
    sigad_tensor x = sigad_watch(w.tape, sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data));
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, x));
    sigad_backward(w.tape, loss);
    sigad_tensor g = sigad_gradient(w.tape, x), y = test_cube(w.tape, g);
    data[0] = 3.0;
    cr_expect_eq(sigad_replay(w.tape), SIGAD_ENOTSUP);
    expect_error(w.context, SIGAD_ENOTSUP,
                 "sigad_replay: cube uses a result of sigad_gradient, jvp or hvp, which is not "
                 "computed again (sigad_grad is)");
    sigad_label(w.tape, y, "late");
    cr_expect_eq(sigad_replay(w.tape), SIGAD_ENOTSUP);
    expect_error(w.context, SIGAD_ENOTSUP,
                 "sigad_replay: cube 'late' uses a result of sigad_gradient, jvp or hvp, which is "
                 "not computed again (sigad_grad is)");
    EXPECT(w.tape, loss, 8.0);
    EXPECT(w.tape, g, 12.0);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 12.0);
}

Test(replay, follows_aliases)
{
    double data[2] = {2.0, 3.0};
    const int64_t column[2] = {2, 1}, row[2] = {1, 2};
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(2), data);
    sigad_tensor of_input = test_alias(w.tape, x, 2, column);
    sigad_tensor cube = test_cube(w.tape, x), of_cube = test_alias(w.tape, cube, 2, column);
    sigad_tensor twice = test_alias(w.tape, of_cube, 2, row);
    sigad_tensor p = parameter64(w.context, "p", 2, (double[]){4.0, 5.0});
    sigad_tensor of_parameter = test_alias(w.tape, p, 2, row);
    cr_expect_eq(sigad_data(w.tape, of_cube), sigad_data(w.tape, cube));
    cr_expect_eq(sigad_data(w.tape, twice), sigad_data(w.tape, cube));
    cr_expect_neq(sigad_data(w.tape, of_input), sigad_data(w.tape, x));
    cr_expect_neq(sigad_data(w.tape, of_parameter), sigad_data(w.tape, p));
    double other[2] = {1.0, -1.0}, q[2] = {7.0, 8.0};
    sigad_input_bind(w.tape, x, other);
    sigad_parameter_write(w.context, p, q, sizeof q);
    EXPECT(w.tape, of_input, 2.0, 3.0);
    EXPECT(w.tape, of_parameter, 4.0, 5.0);
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, of_input, 1.0, -1.0);
    EXPECT(w.tape, of_cube, 1.0, -1.0);
    EXPECT(w.tape, twice, 1.0, -1.0);
    EXPECT(w.tape, of_parameter, 7.0, 8.0);
    sigad_watch(w.tape, cube);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_times(w.tape, twice, twice))),
                 SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, cube), 2.0, -2.0);
}

Test(replay, of_an_evaluation_tape)
{
    double data[1] = {2.0};
    cr_assert_eq(sigad_tape_evaluate(w.tape, 1), SIGAD_OK);
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data);
    sigad_tensor y = test_cube(w.tape, x);
    data[0] = -1.0;
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, y, -1.0);
}

Test(replay, of_an_empty_tape_and_of_leaves)
{
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
    sigad_tensor x = VECTOR(w.tape, 2.0);
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, x, 2.0);
}

Test(replay, gives_the_bits_of_the_first_run_and_allocates_nothing)
{
    enum { N = 500 };
    double data[N], first[N], again[N];
    for (int i = 0; i < N; i++) data[i] = 1.0 / (i + 1);
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(N), data), y = x;
    for (int i = 0; i < 30; i++) y = test_times(w.tape, test_cube(w.tape, y), x);
    sigad_read(w.tape, y, first, sizeof first);
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    size_t calls = w.memory.calls;
    for (int i = 0; i < 5; i++) cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    cr_expect_eq(w.memory.calls, calls);
    sigad_read(w.tape, y, again, sizeof again);
    cr_expect_arr_eq(again, first, sizeof first);
}

static sigad_status picky_infer(sigad_op_call *call)
{
    *call->y = call->x[0];
    return SIGAD_OK;
}

static sigad_status picky_fwd(sigad_op_call *call)
{
    double x = *(const double *)call->x->data;
    if (x > 100.0) return sigad_op_fail(call, SIGAD_ERANGE, "%g is more than 100", x);
    *(double *)call->y->data = x;
    return SIGAD_OK;
}

Test(replay, uses_the_copy_of_the_attributes)
{
    double data[1] = {2.0};
    test_fault fault = {-2, SIGAD_OK, NULL};
    test_faulty(w.tape, sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data), &fault);
    fault = (test_fault){SIGAD_FWD, SIGAD_EINVAL, NULL};
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
}

Test(replay, that_fails_midway_can_be_repeated)
{
    static const sigad_op picky = {SIGAD_OP_INIT, .name = "picky", .infer = picky_infer,
                                   .fwd = picky_fwd};
    double data[1] = {2.0};
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data);
    sigad_tensor y = sigad_label(w.tape, sigad_apply(w.tape, &picky, 1, &x, NULL, 0), "p");
    sigad_tensor z = test_cube(w.tape, y);
    data[0] = 101.0;
    cr_expect_eq(sigad_replay(w.tape), SIGAD_ERANGE);
    expect_error(w.context, SIGAD_ERANGE, "picky 'p': 101 is more than 100");
    data[0] = 3.0;
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, z, 27.0);
}

/* Reverse mode into the gradients of parameters and watched tensors. */
#include "support/world.h"
#include <criterion/criterion.h>
#include <sigad/train.h>
#include <stdio.h>

static world w;

static void open_world(void)
{
    world_open(&w);
}

static void close_world(void)
{
    world_close(&w);
}

TestSuite(backward, .init = open_world, .fini = close_world);

static void zero_gradients(void)
{
    sigad_sgd_options options = {SIGAD_SGD_OPTIONS_INIT};
    sigad_optimizer *optimizer;
    cr_assert_eq(sigad_sgd_create(w.context, &options, &optimizer), SIGAD_OK);
    sigad_optimizer_zero(optimizer);
    sigad_optimizer_destroy(optimizer);
}

Test(backward, reaches_parameters_and_watched_tensors)
{
    sigad_tensor p = parameter64(w.context, "p", 2, (double[]){2.0, 3.0});
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 5.0, 7.0));
    sigad_tensor y = sigad_watch(w.tape, test_times(w.tape, p, x));
    sigad_tensor loss = sigad_watch(w.tape, test_sum(w.tape, test_cube(w.tape, y)));
    cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, loss), 1.0);
    EXPECT(w.tape, sigad_gradient(w.tape, y), 3 * 100.0, 3 * 441.0);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 3 * 100.0 * 5, 3 * 441.0 * 7);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 3 * 100.0 * 2, 3 * 441.0 * 3);
}

Test(backward, adds_up_where_a_tensor_is_used_twice)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0));
    sigad_tensor square = test_times(w.tape, x, x);
    sigad_tensor loss = test_sum(w.tape, test_times(w.tape, square, test_times(w.tape, square, x)));
    cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 5.0 * 81.0); /* of x^5 */
}

Test(backward, adds_to_what_is_there_repeated_and_over_losses)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0));
    sigad_tensor a = test_sum(w.tape, test_times(w.tape, p, x));
    sigad_tensor b = test_sum(w.tape, test_cube(w.tape, p));
    cr_assert_eq(sigad_backward(w.tape, a), SIGAD_OK);
    cr_assert_eq(sigad_backward(w.tape, a), SIGAD_OK);
    cr_assert_eq(sigad_backward(w.tape, b), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 3.0 + 3.0 + 12.0);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 2.0 + 2.0);
    sigad_tape_reset(w.tape);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 18.0); /* of the parameter, not of the tape */
    zero_gradients();
    EXPECT(w.tape, sigad_gradient(w.tape, p), 0.0);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, p)), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 1.0);
}

Test(backward, works_in_float32)
{
    sigad_tensor p =
        sigad_parameter(w.context, "p", SIGAD_F32, SIGAD_SHAPE(2), SIGAD_INIT_CONSTANT(3.0));
    float out[2];
    for (int i = 1; i <= 2; i++) {
        cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_cube(w.tape, p))), SIGAD_OK);
        sigad_read(w.tape, sigad_gradient(w.tape, p), out, sizeof out);
        cr_expect(out[0] == 27.0f * (float)i && out[1] == out[0]);
    }
}

Test(backward, of_a_parameter_or_watched_leaf_itself)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0, 4.0));
    cr_assert_eq(sigad_backward(w.tape, p), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 1.0);
    cr_assert_eq(sigad_backward_with(w.tape, x, VECTOR(w.tape, 5.0, 6.0)), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 5.0, 6.0);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 1.0);
}

Test(backward, needs_one_element_or_a_cotangent)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 2.0, 3.0)), y = test_cube(w.tape, x);
    cr_expect_eq(sigad_backward(w.tape, y), SIGAD_ESHAPE);
    expect_error(w.context, SIGAD_ESHAPE,
                 "sigad_backward: the loss has shape [2]; reduce it to one element, or give a "
                 "cotangent to sigad_backward_with");
    cr_expect_eq(sigad_backward_with(w.tape, y, VECTOR(w.tape, 10.0, 100.0)), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 120.0, 2700.0);
}

static sigad_tensor ramp(int rank, const int64_t *shape)
{
    double values[24];
    for (int i = 0; i < 24; i++) values[i] = i + 1;
    return sigad_constant(w.tape, SIGAD_F64, rank, shape, values);
}

Test(backward, cotangents_broadcast)
{
    int64_t shape[3] = {2, 3, 4};
    static const struct {
        int rank;
        int64_t shape[3], step[3]; /* the cotangent at [i,j,k] is 1 + sum of step * index */
    } cases[] = {
        {0, {0}, {0, 0, 0}},       {1, {1}, {0, 0, 0}},       {1, {4}, {0, 0, 1}},
        {2, {3, 1}, {0, 1, 0}},    {2, {3, 4}, {0, 4, 1}},    {3, {2, 1, 1}, {1, 0, 0}},
        {3, {2, 1, 4}, {4, 0, 1}}, {3, {1, 3, 4}, {0, 4, 1}}, {3, {2, 3, 4}, {12, 4, 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        sigad_tensor x = sigad_watch(w.tape, ramp(3, shape));
        double expected[24];
        for (int64_t i = 0; i < 24; i++)
            expected[i] = (double)(1 + i / 12 * cases[c].step[0] + i / 4 % 3 * cases[c].step[1] +
                                   i % 4 * cases[c].step[2]);
        cr_expect_eq(sigad_backward_with(w.tape, x, ramp(cases[c].rank, cases[c].shape)), SIGAD_OK);
        expect_values(w.tape, sigad_gradient(w.tape, x), 24, expected);
    }
}

Test(backward, cotangents_that_do_not_fit_are_refused)
{
    sigad_tensor x = sigad_watch(w.tape, ramp(2, (int64_t[]){2, 3}));
    sigad_tensor one = sigad_scalar(w.tape, SIGAD_F32, 1.0);
    static const int64_t wrong[][3] = {{2, 1, 1}, {4, 3, 1}, {1, 2, 3}};
    static const int rank[] = {1, 2, 3};
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(sigad_backward_with(w.tape, x, ramp(rank[i], wrong[i])), SIGAD_ESHAPE);
        expect_error(
            w.context, SIGAD_ESHAPE,
            (const char *[]){
                "sigad_backward_with: a cotangent of shape [2] does not broadcast to [2,3]",
                "sigad_backward_with: a cotangent of shape [4,3] does not broadcast to "
                "[2,3]",
                "sigad_backward_with: a cotangent of shape [1,2,3] does not broadcast to "
                "[2,3]"}[i]);
    }
    cr_expect_eq(sigad_backward_with(w.tape, x, one), SIGAD_EDTYPE);
    expect_error(w.context, SIGAD_EDTYPE,
                 "sigad_backward_with: the cotangent is float32, the output float64 (sigad_cast "
                 "converts)");
    cr_expect_eq(sigad_backward_with(w.tape, x, (sigad_tensor){0, 0}), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_backward_with: the cotangent is the zero tensor");
    EXPECT(w.tape, sigad_gradient(w.tape, x), 0, 0, 0, 0, 0, 0);
}

Test(backward, to_nothing_is_an_error)
{
    static const char message[] = "sigad_backward: the loss depends on no trainable parameter and "
                                  "on no watched tensor (a forgotten sigad_watch?)";
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor x = VECTOR(w.tape, 3.0), y = test_sum(w.tape, x);
    cr_expect_eq(sigad_backward(w.tape, y), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, message);
    sigad_watch(w.tape, test_cube(w.tape, x)); /* newer than the loss */
    cr_expect_eq(sigad_backward(w.tape, y), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, message);
    sigad_tensor z = test_sum(w.tape, p);
    sigad_parameter_freeze(w.context, p, 1);
    cr_expect_eq(sigad_backward(w.tape, z), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, message);
    sigad_parameter_freeze(w.context, p, 0);
    cr_expect_eq(sigad_backward(w.tape, z), SIGAD_OK);
}

Test(backward, leaves_frozen_and_unreached_parameters_alone)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor q = parameter64(w.context, "q", 1, (double[]){3.0});
    sigad_tensor r = parameter64(w.context, "r", 1, (double[]){4.0});
    sigad_parameter_freeze(w.context, q, 1);
    test_cube(w.tape, r);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_times(w.tape, p, q))), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 3.0);
    EXPECT(w.tape, sigad_gradient(w.tape, q), 0.0);
    EXPECT(w.tape, sigad_gradient(w.tape, r), 0.0);
}

Test(backward, stops_where_it_is_told)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0)), s = test_stop(w.tape, x);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_times(w.tape, x, s))), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 3.0);
    cr_expect_eq(sigad_backward(w.tape, test_sum(w.tape, s)), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
}

Test(backward, does_not_go_through_integers)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0)), sign = test_sign(w.tape, x);
    cr_expect_eq(sigad_item(w.tape, sign), 1.0);
    cr_expect_eq(sigad_backward(w.tape, sign), SIGAD_EDTYPE);
    expect_error(w.context, SIGAD_EDTYPE, "sigad_backward: int64 tensors have no derivative");
    expect_poison(w.context, sigad_watch(w.tape, sign), SIGAD_EDTYPE,
                  "sigad_watch: int64 tensors have no gradient");
}

Test(backward, names_a_function_that_is_missing_only_when_it_is_needed)
{
    sigad_tensor x = VECTOR(w.tape, 3.0), y = sigad_watch(w.tape, test_bare(w.tape, x));
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, y));
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_OK, "bare itself passes nothing on");
    EXPECT(w.tape, sigad_gradient(w.tape, y), 27.0);
    sigad_watch(w.tape, x);
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_ENOTSUP);
    expect_error(w.context, SIGAD_ENOTSUP, "sigad_backward: bare has no vjp");
    sigad_label(w.tape, y, "naked");
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_ENOTSUP);
    expect_error(w.context, SIGAD_ENOTSUP, "sigad_backward: bare 'naked' has no vjp");
}

Test(backward, refuses_parameters_written_after_use)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor q = parameter64(w.context, "q", 1, (double[]){3.0});
    sigad_tensor y = test_cube(w.tape, p);
    sigad_tensor loss = test_sum(w.tape, y);
    double five = 5.0;
    cr_assert_eq(sigad_parameter_write(w.context, q, &five, sizeof five), SIGAD_OK);
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_OK, "q was not used");
    cr_assert_eq(sigad_parameter_write(w.context, p, &five, sizeof five), SIGAD_OK);
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_EMODIFIED);
    expect_error(w.context, SIGAD_EMODIFIED,
                 "sigad_backward: parameter 'p' was written after cube had used it; differentiate "
                 "before the step, or replay");
    sigad_label(w.tape, y, "fc1");
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_EMODIFIED);
    expect_error(w.context, SIGAD_EMODIFIED,
                 "sigad_backward: parameter 'p' was written after cube 'fc1' had used it; "
                 "differentiate before the step, or replay");
    EXPECT(w.tape, sigad_gradient(w.tape, p), 12.0);
    cr_expect_eq(sigad_replay(w.tape), SIGAD_OK);
    cr_expect_eq(sigad_item(w.tape, loss), 125.0);
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, p), 12.0 + 75.0);
}

Test(backward, notices_a_written_frozen_factor)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0));
    sigad_parameter_freeze(w.context, p, 1);
    sigad_tensor loss = test_sum(w.tape, test_times(w.tape, p, x));
    double five = 5.0;
    cr_assert_eq(sigad_parameter_write(w.context, p, &five, sizeof five), SIGAD_OK);
    cr_expect_eq(sigad_backward(w.tape, loss), SIGAD_EMODIFIED);
    expect_error(w.context, SIGAD_EMODIFIED, NULL);
}

Test(backward, that_fails_midway_changes_no_gradient)
{
    const test_fault fault = {SIGAD_VJP, SIGAD_ERANGE, "no way back"};
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor q = parameter64(w.context, "q", 1, (double[]){3.0});
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 5.0));
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_times(w.tape, p, x))), SIGAD_OK);
    sigad_tensor y = test_faulty(w.tape, test_times(w.tape, p, x), &fault);
    y = test_times(w.tape, test_times(w.tape, y, p), test_times(w.tape, q, x));
    cr_expect_eq(sigad_backward(w.tape, test_sum(w.tape, y)), SIGAD_ERANGE);
    expect_error(w.context, SIGAD_ERANGE, "faulty: no way back");
    EXPECT(w.tape, sigad_gradient(w.tape, p), 5.0);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 2.0);
    EXPECT(w.tape, sigad_gradient(w.tape, q), 0.0);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, q)), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, q), 1.0);
}

Test(backward, through_parameters_made_after_the_tape_was_used)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0)), y = test_cube(w.tape, x);
    sigad_tensor p[40];
    for (int i = 0; i < 40; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%d", i);
        p[i] = parameter64(w.context, name, 1, (double[]){i});
        y = test_times(w.tape, y, i == 39 ? p[i] : x);
        if (i == 20) cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, y)), SIGAD_OK);
    }
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_times(w.tape, x, p[39]))), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, p[39]), 3.0);
    EXPECT(w.tape, sigad_gradient(w.tape, p[0]), 0.0);
}

Test(backward, gradients_are_copies_and_constants)
{
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 3.0)), y = test_sum(w.tape, x);
    cr_assert_eq(sigad_backward(w.tape, y), SIGAD_OK);
    sigad_tensor g = sigad_gradient(w.tape, x);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    sigad_describe(w.tape, g, &info);
    cr_expect_str_eq(info.operation, "result");
    cr_assert_eq(sigad_backward(w.tape, y), SIGAD_OK);
    EXPECT(w.tape, g, 1.0);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_times(w.tape, g, x))), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 3.0);
    expect_poison(w.context, sigad_gradient(w.tape, y), SIGAD_EINVAL,
                  "sigad_gradient: the tensor was not watched; call sigad_watch before backward");
}

Test(backward, watching_is_kept_and_refused_for_frozen_parameters)
{
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){2.0});
    sigad_tensor x = VECTOR(w.tape, 3.0);
    cr_expect_eq(sigad_watch(w.tape, p).generation, p.generation);
    sigad_watch(w.tape, x);
    cr_assert_eq(sigad_backward(w.tape, x), SIGAD_OK);
    cr_expect_eq(sigad_watch(w.tape, x).id, x.id);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 1.0);
    sigad_parameter_freeze(w.context, p, 1);
    expect_poison(w.context, sigad_watch(w.tape, p), SIGAD_EINVAL,
                  "sigad_watch 'p': the parameter is frozen; thaw it");
}

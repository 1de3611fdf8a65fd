/* Forward mode, Hessian-vector products and recorded gradients against closed forms. */
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

TestSuite(sweeps, .init = open_world, .fini = close_world);

static const double a[2] = {2.0, 3.0}, b[2] = {5.0, 7.0}, s[2] = {0.5, -1.0}, t[2] = {2.0, 0.25};

/* sum a^3 b + a: nonlinear in a, linear in b, an alias and a linear operation in between. */
static sigad_tensor loss_of(sigad_tensor x, sigad_tensor y)
{
    sigad_tensor z = test_times(w.tape, test_cube(w.tape, x), y);
    z = test_alias(w.tape, z, 2, (int64_t[]){2, 1});
    return test_sum(w.tape, test_join(w.tape, 2, (sigad_tensor[]){z, x}));
}

Test(sweeps, jvp_is_the_directional_derivative)
{
    sigad_tensor x = constant64(w.tape, 2, a), y = parameter64(w.context, "b", 2, b);
    sigad_tensor dx = constant64(w.tape, 2, s), dy = constant64(w.tape, 2, t), loss = loss_of(x, y);
    double slope_x = 0.0, slope_y = 0.0;
    for (int i = 0; i < 2; i++) {
        slope_x += (3 * a[i] * a[i] * b[i] + 1) * s[i];
        slope_y += a[i] * a[i] * a[i] * t[i];
    }
    EXPECT(w.tape, sigad_jvp(w.tape, loss, 1, &x, &dx), slope_x);
    EXPECT(w.tape, sigad_jvp(w.tape, loss, 1, &y, &dy), slope_y);
    EXPECT(w.tape, sigad_jvp(w.tape, loss, 2, (sigad_tensor[]){x, y}, (sigad_tensor[]){dx, dy}),
           slope_x + slope_y);
    EXPECT(w.tape, sigad_jvp(w.tape, loss, 2, (sigad_tensor[]){x, x}, (sigad_tensor[]){dx, dx}),
           2 * slope_x);
    EXPECT(w.tape, sigad_jvp(w.tape, test_cube(w.tape, x), 1, &x, &dx), 12 * s[0], 27 * s[1]);
}

Test(sweeps, jvp_of_what_does_not_depend_is_zero)
{
    sigad_tensor x = constant64(w.tape, 2, a), y = constant64(w.tape, 2, b);
    EXPECT(w.tape, sigad_jvp(w.tape, test_cube(w.tape, x), 1, &y, &y), 0.0, 0.0);
    EXPECT(w.tape, sigad_jvp(w.tape, test_cube(w.tape, x), 0, NULL, NULL), 0.0, 0.0);
    sigad_tensor early = test_cube(w.tape, x), late = test_cube(w.tape, early);
    EXPECT(w.tape, sigad_jvp(w.tape, early, 1, &late, &y), 0.0, 0.0);
    EXPECT(w.tape, sigad_jvp(w.tape, test_stop(w.tape, x), 1, &x, &y), 0.0, 0.0);
    EXPECT(w.tape, sigad_jvp(w.tape, x, 1, &x, &y), b[0], b[1]);
}

Test(sweeps, jvp_starts_in_the_middle_of_a_graph)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), y = test_cube(w.tape, x), z = test_cube(w.tape, y);
    sigad_tensor one = VECTOR(w.tape, 1.0), out[2];
    EXPECT(w.tape, sigad_jvp(w.tape, z, 1, &y, &one), 3 * 64.0);
    sigad_tensor loss = test_sum(w.tape, z);
    cr_assert_eq(sigad_hvp(w.tape, loss, 1, &y, &one, out), SIGAD_OK);
    EXPECT(w.tape, out[0], 6 * 8.0);
    sigad_tensor bare = test_bare(w.tape, x);
    EXPECT(w.tape, sigad_jvp(w.tape, test_cube(w.tape, bare), 1, &bare, &one), 12.0);
    expect_poison(w.context, sigad_jvp(w.tape, bare, 1, &x, &one), SIGAD_ENOTSUP,
                  "sigad_jvp: bare has no jvp");
}

Test(sweeps, hvp_is_the_hessian_times_a_vector)
{
    sigad_tensor x = constant64(w.tape, 2, a), y = parameter64(w.context, "b", 2, b);
    sigad_tensor v[2] = {constant64(w.tape, 2, s), constant64(w.tape, 2, t)}, hv[2];
    sigad_tensor loss = loss_of(x, y);
    cr_assert_eq(sigad_hvp(w.tape, loss, 2, (sigad_tensor[]){x, y}, v, hv), SIGAD_OK);
    double hx[2], hy[2];
    for (int i = 0; i < 2; i++) {
        hx[i] = 6 * a[i] * b[i] * s[i] + 3 * a[i] * a[i] * t[i];
        hy[i] = 3 * a[i] * a[i] * s[i];
    }
    expect_values(w.tape, hv[0], 2, hx);
    expect_values(w.tape, hv[1], 2, hy);
    cr_assert_eq(sigad_hvp(w.tape, loss, 1, &x, v, hv), SIGAD_OK);
    EXPECT(w.tape, hv[0], 6 * a[0] * b[0] * s[0], 6 * a[1] * b[1] * s[1]);
    cr_assert_eq(sigad_hvp(w.tape, loss, 1, &y, v, hv), SIGAD_OK);
    EXPECT(w.tape, hv[0], 0.0, 0.0);
    EXPECT(w.tape, sigad_gradient(w.tape, y), 0.0, 0.0); /* no gradient was touched */
}

Test(sweeps, hvp_of_a_tensor_with_itself)
{
    sigad_tensor x = VECTOR(w.tape, 3.0), v = VECTOR(w.tape, 2.0), hv;
    sigad_tensor square = test_times(w.tape, x, x);
    sigad_tensor loss = test_sum(w.tape, test_times(w.tape, square, square));
    cr_assert_eq(sigad_hvp(w.tape, loss, 1, &x, &v, &hv), SIGAD_OK);
    EXPECT(w.tape, hv, 12 * 9.0 * 2.0); /* of x^4 */
}

Test(sweeps, hvp_of_what_does_not_depend_is_zero)
{
    sigad_tensor x = VECTOR(w.tape, 3.0), y = VECTOR(w.tape, 3.0), hv;
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, x));
    cr_assert_eq(sigad_hvp(w.tape, loss, 1, &y, &x, &hv), SIGAD_OK);
    EXPECT(w.tape, hv, 0.0);
    cr_assert_eq(sigad_hvp(w.tape, loss, 0, NULL, NULL, NULL), SIGAD_OK);
}

/* ---- recorded gradients ---------------------------------------------------------------------- */

Test(sweeps, grad_is_a_tensor_that_can_be_differentiated)
{
    sigad_tensor x = sigad_watch(w.tape, constant64(w.tape, 2, a));
    sigad_tensor y = parameter64(w.context, "b", 2, b), one = sigad_scalar(w.tape, SIGAD_F64, 1.0);
    sigad_tensor g = sigad_grad(w.tape, loss_of(x, y), x, one);
    double first[2], in_x[2], in_y[2];
    for (int i = 0; i < 2; i++) {
        first[i] = 3 * a[i] * a[i] * b[i] + 1;
        in_x[i] = 3 * first[i] * first[i] * 6 * a[i] * b[i]; /* of sum g^3 */
        in_y[i] = 3 * first[i] * first[i] * 3 * a[i] * a[i];
    }
    expect_values(w.tape, g, 2, first);
    sigad_tensor penalty = test_sum(w.tape, test_cube(w.tape, g));
    cr_assert_eq(sigad_backward(w.tape, penalty), SIGAD_OK, "%s", sigad_context_message(w.context));
    expect_values(w.tape, sigad_gradient(w.tape, x), 2, in_x);
    expect_values(w.tape, sigad_gradient(w.tape, y), 2, in_y);
    sigad_tensor v = constant64(w.tape, 2, s);
    EXPECT(w.tape, sigad_jvp(w.tape, penalty, 1, &x, &v), in_x[0] * s[0] + in_x[1] * s[1]);
}

Test(sweeps, grad_differentiates_in_its_cotangent)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), c = sigad_watch(w.tape, VECTOR(w.tape, 10.0));
    sigad_tensor g = sigad_grad(w.tape, test_cube(w.tape, x), x, c);
    EXPECT(w.tape, g, 120.0);
    cr_assert_eq(sigad_backward(w.tape, test_sum(w.tape, test_cube(w.tape, g))), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, c), 3 * 120.0 * 120.0 * 12.0);
}

Test(sweeps, grads_does_all_at_once_and_zeros_where_nothing_depends)
{
    sigad_tensor x = constant64(w.tape, 2, a), y = parameter64(w.context, "b", 2, b);
    sigad_tensor z = VECTOR(w.tape, 9.0, 9.0, 9.0), one = sigad_scalar(w.tape, SIGAD_F64, 1.0),
                 g[4];
    sigad_tensor loss = loss_of(x, y);
    cr_assert_eq(sigad_grads(w.tape, loss, 4, (sigad_tensor[]){x, y, z, loss}, one, g), SIGAD_OK);
    EXPECT(w.tape, g[0], 3 * 4.0 * 5 + 1, 3 * 9.0 * 7 + 1);
    EXPECT(w.tape, g[1], 8.0, 27.0);
    EXPECT(w.tape, g[2], 0.0, 0.0, 0.0);
    EXPECT(w.tape, g[3], 1.0);
}

Test(sweeps, grad_is_computed_again_by_replay)
{
    double data[2] = {a[0], a[1]};
    sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(2), data);
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, x));
    sigad_tensor g = sigad_grad(w.tape, loss, x, sigad_scalar(w.tape, SIGAD_F64, 1.0));
    sigad_tensor penalty = test_sum(w.tape, test_times(w.tape, g, g));
    sigad_watch(w.tape, x);
    data[0] = 1.0;
    data[1] = -2.0;
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    EXPECT(w.tape, g, 3.0, 12.0);
    EXPECT(w.tape, penalty, 9.0 + 144.0);
    cr_assert_eq(sigad_backward(w.tape, penalty), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 36.0, 36.0 * -8.0); /* of 9 x^4 */
}

Test(sweeps, more_derivatives_than_there_are_rules_for_is_an_order_error)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), one = sigad_scalar(w.tape, SIGAD_F64, 1.0), v = x, hv;
    sigad_tensor g = sigad_grad(w.tape, test_cube(w.tape, x), x, one);
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, g));
    cr_expect_eq(sigad_hvp(w.tape, loss, 1, &x, &v, &hv), SIGAD_EORDER);
    expect_error(w.context, SIGAD_EORDER,
                 "sigad_hvp: vjp has no soc: differentiated more often than possible");
    sigad_tensor again = sigad_grad(w.tape, loss, x, one);
    EXPECT(w.tape, again, 3 * 144.0 * 12.0); /* of 27 x^6 */
    sigad_watch(w.tape, x);
    cr_expect_eq(sigad_backward(w.tape, test_sum(w.tape, again)), SIGAD_EORDER);
    expect_error(w.context, SIGAD_EORDER, NULL);
}

/* ---- bad calls ------------------------------------------------------------------------------- */

Test(sweeps, tangents_must_fit)
{
    sigad_tensor x = constant64(w.tape, 2, a), y = test_cube(w.tape, x), hv;
    sigad_tensor long_one = VECTOR(w.tape, 1.0, 2.0, 3.0), integers = test_sign(w.tape, x);
    sigad_tensor single = sigad_constant(w.tape, SIGAD_F32, SIGAD_SHAPE(2), (float[2]){1, 2});
    int64_t count = sigad_tape_count(w.tape);
    expect_poison(w.context, sigad_jvp(w.tape, y, 1, &x, &long_one), SIGAD_ESHAPE,
                  "sigad_jvp: a tangent of float64 [3] for float64 [2]: they must agree");
    expect_poison(w.context, sigad_jvp(w.tape, y, 1, &x, &single), SIGAD_EDTYPE,
                  "sigad_jvp: a tangent of float32 [2] for float64 [2]: they must agree");
    expect_poison(w.context, sigad_jvp(w.tape, y, 1, &integers, &integers), SIGAD_EDTYPE,
                  "sigad_jvp: int64 tensors have no derivative");
    expect_poison(w.context, sigad_jvp(w.tape, integers, 1, &x, &x), SIGAD_EDTYPE,
                  "sigad_jvp: int64 tensors have no derivative");
    expect_poison(w.context, sigad_jvp(w.tape, y, 1, &x, &(sigad_tensor){99, 1}), SIGAD_ESTALE,
                  NULL);
    cr_expect_eq(sigad_backward_with(w.tape, sigad_watch(w.tape, x), (sigad_tensor){99, 1}),
                 SIGAD_ESTALE);
    expect_error(w.context, SIGAD_ESTALE, NULL);
    expect_poison(w.context, sigad_jvp(w.tape, y, -1, &x, &x), SIGAD_EINVAL, NULL);
    expect_poison(w.context, sigad_jvp(w.tape, y, 1, NULL, &x), SIGAD_EINVAL,
                  "sigad_jvp: 1 tensors, but a list is NULL");
    expect_poison(w.context, sigad_jvp(w.tape, (sigad_tensor){0, 0}, 1, &x, &x), SIGAD_EINVAL,
                  NULL);
    cr_expect_eq(sigad_hvp(w.tape, y, 1, &x, &x, &hv), SIGAD_ESHAPE);
    expect_poison(w.context, hv, SIGAD_ESHAPE,
                  "sigad_hvp: the loss has shape [2], one element is needed");
    cr_expect_eq(sigad_hvp(w.tape, test_sum(w.tape, y), 1, &x, &x, NULL), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_hvp: hv is NULL");
    cr_expect_eq(sigad_grads(w.tape, y, 1, &x, (sigad_tensor){0, 0}, &hv), SIGAD_EINVAL);
    expect_poison(w.context, hv, SIGAD_EINVAL, "sigad_grad: the cotangent is the zero tensor");
    expect_poison(w.context, sigad_grad(w.tape, y, x, long_one), SIGAD_ESHAPE, NULL);
    expect_poison(w.context, sigad_grad(w.tape, y, x, single), SIGAD_EDTYPE,
                  "sigad_grad: the cotangent is float32, the output float64 (sigad_cast converts)");
    expect_poison(w.context, sigad_grad(w.tape, y, integers, y), SIGAD_EDTYPE,
                  "sigad_grad: int64 tensors have no derivative");
    cr_expect_eq(sigad_grads(w.tape, y, 1, &x, y, NULL), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_grad: 1 tensors, but a list is NULL");
    cr_expect_eq(sigad_tape_count(w.tape), count + 1, "failures leave nothing on the tape");
}

Test(sweeps, a_function_that_fails_midway_leaves_nothing)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), hv[2];
    for (int which = SIGAD_VJP; which <= SIGAD_SOC; which++) {
        const test_fault fault = {which, SIGAD_ERANGE, "no"};
        sigad_tensor y = test_faulty(w.tape, test_cube(w.tape, x), &fault);
        sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, y));
        int64_t count = sigad_tape_count(w.tape);
        sigad_tensor both[2] = {x, x};
        cr_expect_eq(sigad_hvp(w.tape, loss, 2, both, both, hv), SIGAD_ERANGE);
        cr_expect(!hv[0].generation && !hv[1].generation);
        expect_error(w.context, SIGAD_ERANGE, "faulty: no");
        if (which == SIGAD_VJP) {
            sigad_tensor one = sigad_scalar(w.tape, SIGAD_F64, 1.0);
            expect_poison(w.context, sigad_grad(w.tape, loss, x, one), SIGAD_ERANGE, "faulty: no");
            cr_expect_eq(sigad_tape_count(w.tape), ++count);
        }
        sigad_tensor direct = sigad_jvp(w.tape, loss, 1, &x, &x);
        cr_expect_eq(direct.generation != 0, which != SIGAD_JVP);
        sigad_context_clear(w.context);
        sigad_tape_rewind(w.tape, sigad_tape_mark(w.tape));
        cr_expect_eq(sigad_tape_count(w.tape), count + (which != SIGAD_JVP));
    }
}

/* The signature operations on a tape, where the operation database does not reach: dimensions that
 * are solved, messages, lengths, plans that are shared, chains. */
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <stdlib.h>
#include <string.h>

static sigad_context *context;
static sigad_tape *tape;
static double zeros[4096];

static void setup(void)
{
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(context, &tape), SIGAD_OK);
}

static void teardown(void)
{
    sigad_context_destroy(context);
}

TestSuite(signature_ops, .init = setup, .fini = teardown);

static sigad_tensor array(int rank, const int64_t *shape)
{
    return sigad_input(tape, SIGAD_F64, rank, shape, zeros);
}

static void expect(sigad_tensor result, sigad_status status, const char *message)
{
    cr_expect_eq(result.generation, 0);
    cr_expect_eq(sigad_context_status(context), status, "%s: %s", message,
                 sigad_status_string(sigad_context_status(context)));
    cr_expect_str_eq(sigad_context_message(context), message);
    sigad_context_clear(context);
}

static int64_t last_size(sigad_tensor x)
{
    int rank;
    int64_t shape[SIGAD_MAX_RANK];
    cr_assert_eq(sigad_shape(tape, x, &rank, shape), SIGAD_OK, "%s",
                 sigad_context_message(context));
    return shape[rank - 1];
}

/* ---- messages
 * ---------------------------------------------------------------------------------------- */

Test(signature_ops, bad_paths)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 3},
                   fixed = {SIGAD_SIG_SPEC_INIT, .dimension = 3, .degree = 3};
    expect(sigad_sig(tape, array(SIGAD_SHAPE(4)), &spec), SIGAD_ESHAPE,
           "sig: path [4]: must be [..., length, dimension]");
    expect(sigad_log_sig(tape, array(SIGAD_SHAPE(5, 2)), &fixed), SIGAD_ESHAPE,
           "log_sig: path [5,2]: its dimension is not spec.dimension 3");
    expect(sigad_sig(tape, array(SIGAD_SHAPE(5, 0)), &spec), SIGAD_ESHAPE,
           "sig: path [5,0]: its dimension must be 1 or more, and fit 31 bits");
    const int64_t whole[4] = {0};
    sigad_tensor integers = sigad_input(tape, SIGAD_I64, SIGAD_SHAPE(2, 2), whole);
    expect(sigad_sig(tape, integers, &spec), SIGAD_EDTYPE,
           "sig: operand 0 is int64: it must be float32 or float64, use sigad_cast");
    expect(sigad_sig(tape, (sigad_tensor){0, 0}, &spec), SIGAD_EINVAL,
           sigad_context_message(context));
}

Test(signature_ops, bad_specs)
{
    sigad_tensor path = array(SIGAD_SHAPE(4, 2));
    sigad_sig_spec none = {SIGAD_SIG_SPEC_INIT},
                   flag = {SIGAD_SIG_SPEC_INIT, .degree = 2, .lead_lag = 2};
    sigad_sig_spec time = {SIGAD_SIG_SPEC_INIT, .degree = 2, .end_time = INFINITY},
                   method = {SIGAD_SIG_SPEC_INIT, .degree = 2, .method = 3};
    expect(sigad_sig(tape, path, NULL), SIGAD_EINVAL, "sig: spec is NULL");
    expect(sigad_sig(tape, path, &none), SIGAD_EINVAL,
           "sig: spec.degree is 0, must be set, to 1 or more");
    expect(sigad_log_sig(tape, path, &flag), SIGAD_EINVAL,
           "log_sig: spec.lead_lag is 2, must be 0 or 1");
    expect(sigad_sig(tape, path, &time), SIGAD_EINVAL, "sig: spec.end_time is inf, must be finite");
    expect(sigad_sig_to_log_sig(tape, path, &method), SIGAD_EINVAL,
           "sig_to_log_sig: spec.method is 3, must be 0, 1 or 2");
    sigad_label(tape, sigad_sig(tape, path, &none), "features");
    expect((sigad_tensor){0, 0}, SIGAD_EINVAL,
           "sig 'features': spec.degree is 0, must be set, to 1 or more");
    sigad_sig_spec huge = {SIGAD_SIG_SPEC_INIT, .degree = 100};
    expect(
        sigad_sig(tape, path, &huge), SIGAD_ERANGE,
        "sig: no plan for {dimension 2, degree 100, time_aug 0, lead_lag 0, scalar_term 0, method 0, end_time 1}: out of range");
}

Test(signature_ops, bad_transforms)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 3, .method = 1},
                   fixed = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 3, .method = 1};
    expect(
        sigad_sig_to_log_sig(tape, array(SIGAD_SHAPE(2, 15)), &spec), SIGAD_ESHAPE,
        "sig_to_log_sig: [2,15]: no dimension gives 15 entries with degree 3, time_aug 0, lead_lag 0, scalar_term 0, method 1");
    expect(sigad_sig_to_log_sig(tape, array(SIGAD_SHAPE(15)), &fixed), SIGAD_ESHAPE,
           "sig_to_log_sig: [15]: the spec asks for 14 entries, not 15");
    expect(sigad_logsig_to_sig(tape, array(SIGAD_SHAPE(14)), &fixed), SIGAD_ESHAPE,
           "logsig_to_sig: [14]: the spec asks for 5 entries, not 14");
    expect(sigad_logsig_to_sig(tape, sigad_scalar(tape, SIGAD_F64, 1), &fixed), SIGAD_ESHAPE,
           "logsig_to_sig: []: must be [..., entries]");
    fixed.degree = 80;
    expect(sigad_logsig_to_sig(tape, array(SIGAD_SHAPE(14)), &fixed), SIGAD_ERANGE,
           "logsig_to_sig: [14]: the number of entries that the spec asks for does not fit");
}

Test(signature_ops, bad_lengths)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 2};
    const int64_t bad[3] = {5, 6, 0}, negative[3] = {0, 5, -1};
    sigad_tensor paths = array(SIGAD_SHAPE(3, 5, 2));
    sigad_tensor two = sigad_input(tape, SIGAD_I64, SIGAD_SHAPE(2), bad),
                 column = sigad_input(tape, SIGAD_I64, SIGAD_SHAPE(3, 1), bad);
    expect(sigad_sig_ragged(tape, paths, two, &spec), SIGAD_ESHAPE,
           "sig_ragged: lengths [2]: must have the batch axes of path [3,5,2], one for each path");
    expect(
        sigad_log_sig_ragged(tape, paths, column, &spec), SIGAD_ESHAPE,
        "log_sig_ragged: lengths [3,1]: must have the batch axes of path [3,5,2], one for each path");
    expect(sigad_sig_ragged(tape, paths, array(SIGAD_SHAPE(3)), &spec), SIGAD_EDTYPE,
           "sig_ragged: operand 1 is float64: it must be int64");
    expect(sigad_sig_ragged(tape, paths, sigad_input(tape, SIGAD_I64, SIGAD_SHAPE(3), bad), &spec),
           SIGAD_ERANGE, "sig_ragged: lengths[1] is 6, must be in 0 .. 5");
    expect(sigad_sig_ragged(tape, paths, sigad_input(tape, SIGAD_I64, SIGAD_SHAPE(3), negative),
                            &spec),
           SIGAD_ERANGE, "sig_ragged: lengths[2] is -1, must be in 0 .. 5");
}

/* ---- dimensions
 * --------------------------------------------------------------------------------------- */

Test(signature_ops, dimensions_follow_from_the_shapes)
{
    for (int32_t d = 1; d <= 4; d++)
        for (int32_t flags = 0; flags < 8; flags++)
            for (int32_t method = 0; method < 3; method++) {
                sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,       .degree = 3,
                                       .time_aug = flags & 1,     .lead_lag = flags >> 1 & 1,
                                       .scalar_term = flags >> 2, .method = method};
                sigad_tensor path = array(SIGAD_SHAPE(2, 3, d));
                int64_t sig_length, log_sig_length;
                sigad_sig_spec full = spec;
                full.dimension = d;
                cr_assert(!sigad_sig_length(&full, &sig_length) &&
                          !sigad_log_sig_length(&full, &log_sig_length));
                sigad_tensor sig = sigad_sig(tape, path, &spec),
                             log_sig = sigad_sig_to_log_sig(tape, sig, &spec);
                sigad_tensor back = sigad_logsig_to_sig(tape, log_sig, &spec);
                cr_assert_eq(last_size(sig), sig_length);
                cr_assert_eq(last_size(log_sig), log_sig_length);
                cr_assert_eq(last_size(back), sig_length);
                cr_assert_eq(last_size(sigad_log_sig(tape, path, &spec)), log_sig_length);
                sigad_tape_reset(tape);
            }
}

/* ---- lengths
 * ------------------------------------------------------------------------------------------- */

/* Derivatives use the lengths that were checked, not what the borrowed bytes hold by then; a replay
 * checks the new ones. */
Test(signature_ops, lengths_are_kept_for_the_derivatives)
{
    double path[20], gradient[20];
    int64_t lengths[2] = {3, 5};
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 2};
    for (int i = 0; i < 20; i++) path[i] = i < 6 || i >= 10 ? sin(i) : NAN;
    sigad_tensor x = sigad_watch(tape, sigad_input(tape, SIGAD_F64, SIGAD_SHAPE(2, 5, 2), path));
    sigad_tensor n = sigad_input(tape, SIGAD_I64, SIGAD_SHAPE(2), lengths);
    sigad_tensor y = sigad_sig_ragged(tape, x, n, &spec);
    lengths[0] = 1000000;
    cr_assert_eq(sigad_backward_with(tape, y, sigad_scalar(tape, SIGAD_F64, 1)), SIGAD_OK);
    cr_assert_eq(sigad_read(tape, sigad_gradient(tape, x), gradient, sizeof gradient), SIGAD_OK);
    for (int i = 0; i < 20; i++)
        cr_assert(i >= 6 && i < 10 ? gradient[i] == 0 : isfinite(gradient[i]));
    cr_assert_neq(gradient[0], 0);
    cr_assert_eq(sigad_replay(tape), SIGAD_ERANGE);
}

/* ---- chains
 * --------------------------------------------------------------------------------------------- */

/* log_sig and sig followed by sig_to_log_sig are one function, gradients included. */
Test(signature_ops, log_sig_is_its_two_steps)
{
    double path[2 * 6 * 2], one[24], two[24];
    for (int i = 0; i < 24; i++) path[i] = sin(3 * i);
    for (int32_t method = 0; method < 3; method++) {
        sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .degree = 4, .time_aug = 1, .method = method};
        sigad_tensor a =
            sigad_watch(tape, sigad_input(tape, SIGAD_F64, SIGAD_SHAPE(2, 6, 2), path));
        sigad_tensor b =
            sigad_watch(tape, sigad_input(tape, SIGAD_F64, SIGAD_SHAPE(2, 6, 2), path));
        sigad_tensor g = sigad_scalar(tape, SIGAD_F64, 1), y = sigad_log_sig(tape, a, &spec);
        sigad_sig_spec step = spec;
        step.dimension = 2;
        sigad_tensor z = sigad_sig_to_log_sig(tape, sigad_sig(tape, b, &spec), &step);
        cr_assert_eq(sigad_backward_with(tape, y, g), SIGAD_OK, "%s",
                     sigad_context_message(context));
        cr_assert_eq(sigad_backward_with(tape, z, g), SIGAD_OK, "%s",
                     sigad_context_message(context));
        sigad_read(tape, sigad_gradient(tape, a), one, sizeof one);
        cr_assert_eq(sigad_read(tape, sigad_gradient(tape, b), two, sizeof two), SIGAD_OK);
        for (int i = 0; i < 24; i++) cr_assert_lt(fabs(one[i] - two[i]), 1e-13);
        sigad_tape_reset(tape);
    }
}

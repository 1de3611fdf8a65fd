/* Operations of a user's own that are wrong, fail, or have unusual numbers of inputs. */
#include "graph/tape.h"
#include "support/world.h"
#include <criterion/criterion.h>
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

TestSuite(operations, .init = open_world, .fini = close_world);

Test(operations, any_number_of_inputs)
{
    static const int numbers[] = {0, 1, 7, 8, 9, 40};
    sigad_tensor p = parameter64(w.context, "p", 1, (double[]){5.0});
    for (int k = 0; k < 6; k++) {
        sigad_tensor x[40];
        double expected[40];
        int n = numbers[k];
        for (int i = 0; i < n; i++) {
            x[i] = i == 3 ? p : sigad_watch(w.tape, VECTOR(w.tape, i));
            expected[i] = i == 3 ? 5.0 : i;
        }
        sigad_tensor y = test_join(w.tape, n, x);
        expect_values(w.tape, y, n, expected);
        cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
        if (!n) continue;
        cr_assert_eq(sigad_backward_with(w.tape, y, test_join(w.tape, n, x)), SIGAD_OK);
        for (int i = 0; i < n; i++)
            if (i != 3) EXPECT(w.tape, sigad_gradient(w.tape, x[i]), i);
        sigad_tape_reset(w.tape);
    }
    EXPECT(w.tape, sigad_gradient(w.tape, p), 5.0 * 4); /* for 7, 8, 9 and 40 */
}

Test(operations, a_bad_handle_anywhere_in_a_long_list_is_noticed)
{
    sigad_tensor x[12];
    for (int k = 0; k < 12; k++) {
        for (int i = 0; i < 12; i++) x[i] = VECTOR(w.tape, i);
        int64_t count = sigad_tape_count(w.tape);
        x[k].id += 100;
        expect_poison(w.context, test_join(w.tape, 12, x), SIGAD_ESTALE, NULL);
        x[k] = (sigad_tensor){0, 0};
        expect_poison(w.context, test_join(w.tape, 12, x), SIGAD_EINVAL, NULL);
        cr_expect_eq(sigad_tape_count(w.tape), count);
        sigad_tape_reset(w.tape);
    }
}

Test(operations, bad_calls_of_apply)
{
    static const char incomplete[] =
        "sigad_apply: a sigad_op needs its size (SIGAD_OP_INIT), name, infer and fwd";
    sigad_tensor x = VECTOR(w.tape, 1.0);
    sigad_op op = test_claims_op;
    expect_poison(w.context, sigad_apply(w.tape, NULL, 0, NULL, NULL, 0), SIGAD_EINVAL, incomplete);
    op.infer = NULL;
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, &x, NULL, 0), SIGAD_EINVAL, incomplete);
    op = test_claims_op;
    op.fwd = NULL;
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, &x, NULL, 0), SIGAD_EINVAL, incomplete);
    op = test_claims_op;
    op.name = NULL;
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, &x, NULL, 0), SIGAD_EINVAL, incomplete);
    op = test_claims_op;
    op.size = 8;
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, &x, NULL, 0), SIGAD_EINVAL, incomplete);
    op = test_claims_op;
    expect_poison(w.context, sigad_apply(w.tape, &op, -1, &x, NULL, 0), SIGAD_EINVAL,
                  "claims: -1 inputs, x set");
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, NULL, NULL, 0), SIGAD_EINVAL,
                  "claims: 1 inputs, x NULL");
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, &x, NULL, 4), SIGAD_EINVAL,
                  "claims: attributes are NULL, but have 4 bytes");
}

Test(operations, a_longer_table_must_end_in_zeros)
{
    struct {
        sigad_op op;
        sigad_op_function future;
    } longer = {test_claims_op, NULL};
    const test_claim claim = {.y = {.dtype = SIGAD_F64, .rank = 1, .shape = {2}}};
    longer.op.size = sizeof longer;
    EXPECT(w.tape, sigad_apply(w.tape, &longer.op, 0, NULL, &claim, sizeof claim), 0.0, 0.0);
    longer.future = test_claims_op.fwd;
    expect_poison(w.context, sigad_apply(w.tape, &longer.op, 0, NULL, &claim, sizeof claim),
                  SIGAD_ENOTSUP, NULL);
}

/* What infer may say of the result and will not be believed. */
Test(operations, infer_is_not_trusted)
{
    static const struct {
        test_claim claim;
        sigad_status status;
        const char *message;
    } lies[] = {
        {{.y = {.dtype = 0}},
         SIGAD_EINVAL,
         "claims: dtype 0 is none of SIGAD_F32, SIGAD_F64, SIGAD_I64"},
        {{.y = {.dtype = 77, .rank = 1, .shape = {2}}}, SIGAD_EINVAL, NULL},
        {{.y = {.dtype = SIGAD_F64, .rank = -3}}, SIGAD_EINVAL, "claims: rank -3 is not in 0..8"},
        {{.y = {.dtype = SIGAD_F64, .rank = 9}}, SIGAD_EINVAL, "claims: rank 9 is not in 0..8"},
        {{.y = {.dtype = SIGAD_F64, .rank = INT32_MAX}}, SIGAD_EINVAL, NULL},
        {{.y = {.dtype = SIGAD_F64, .rank = 2, .shape = {2, -2}}},
         SIGAD_EINVAL,
         "claims: axis 1 has negative size -2"},
        {{.y = {.dtype = SIGAD_F64, .rank = 2, .shape = {(int64_t)1 << 60, (int64_t)1 << 60}}},
         SIGAD_ERANGE,
         "claims: the size of [1152921504606846976,1152921504606846976] overflows"},
        {{.y = {.dtype = SIGAD_F64, .rank = 1, .shape = {(int64_t)1 << 50}}},
         SIGAD_ENOMEM,
         "claims: no memory for 9007199254740992 bytes"},
        {{.y = {.dtype = SIGAD_F64}, .saved_bytes = SIZE_MAX},
         SIGAD_ENOMEM,
         "claims: no memory for 18446744073709551615 bytes"},
        {{.y = {.dtype = SIGAD_F64}, .saved_bytes = SIZE_MAX / 2 - 100}, SIGAD_ENOMEM, NULL},
        {{.y = {.dtype = SIGAD_F64}, .workspace_bytes = {SIZE_MAX}},
         SIGAD_ENOMEM,
         "claims: no memory for 18446744073709551615 bytes"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        expect_poison(w.context, test_claims(w.tape, &lies[i].claim), lies[i].status,
                      lies[i].message);
    cr_expect_eq(sigad_tape_count(w.tape), 0);
    test_claim claim = {
        .y = {.data = &claim, .dtype = SIGAD_F64, .rank = 1, .shape = {3}, .elements = 1000000}};
    sigad_tensor y = test_claims(w.tape, &claim);
    EXPECT(w.tape, y, 0.0, 0.0, 0.0); /* elements and data are ours */
    cr_expect_neq(sigad_data(w.tape, y), &claim);
}

Test(operations, a_failure_always_has_a_message)
{
    sigad_tensor x = VECTOR(w.tape, 1.0);
    static const struct {
        test_fault fault;
        sigad_status status;
        const char *message;
    } cases[] = {
        {{-1, SIGAD_ESHAPE, NULL}, SIGAD_ESHAPE, "faulty: infer failed: shapes do not fit"},
        {{SIGAD_FWD, SIGAD_EIO, NULL}, SIGAD_EIO, "faulty: fwd failed: input or output failed"},
        {{SIGAD_FWD, (sigad_status)99, NULL},
         (sigad_status)99,
         "faulty: fwd failed: unknown status"},
        {{-1, SIGAD_ERANGE, "it is 7"}, SIGAD_ERANGE, "faulty: it is 7"},
        {{SIGAD_FWD, SIGAD_OK, "said but not returned"},
         SIGAD_ERANGE,
         "faulty: said but not returned"},
        {{SIGAD_FWD, SIGAD_EINVAL, "the first counts"}, SIGAD_ERANGE, "faulty: the first counts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_poison(w.context, test_faulty(w.tape, x, &cases[i].fault), cases[i].status,
                      cases[i].message);
        sigad_label(w.tape, test_faulty(w.tape, x, &cases[i].fault), "mine");
        cr_expect(strstr(sigad_context_message(w.context), "faulty 'mine': "));
        sigad_context_clear(w.context);
    }
    cr_expect_eq(sigad_tape_count(w.tape), 1);
}

Test(operations, a_failing_derivative_names_operation_and_label)
{
    const test_fault fault = {SIGAD_VJP, SIGAD_ENOTSUP, NULL};
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 1.0));
    sigad_tensor y = sigad_label(w.tape, test_faulty(w.tape, x, &fault), "mine");
    cr_expect_eq(sigad_backward(w.tape, y), SIGAD_ENOTSUP);
    expect_error(w.context, SIGAD_ENOTSUP, "faulty 'mine': vjp failed: not supported");
    EXPECT(w.tape, sigad_gradient(w.tape, x), 0.0);
}

static sigad_status fail_with_ok(sigad_op_call *call)
{
    return sigad_op_fail(call, SIGAD_OK, "a failure with status 0");
}

Test(operations, a_failure_with_status_0_is_one)
{
    static const sigad_op op = {SIGAD_OP_INIT, .name = "odd", .infer = fail_with_ok,
                                .fwd = fail_with_ok};
    expect_poison(w.context, sigad_apply(w.tape, &op, 0, NULL, NULL, 0), SIGAD_EINTERNAL,
                  "odd: a failure with status 0");
    cr_expect_eq(sigad_op_fail(NULL, SIGAD_ERANGE, "nowhere"), SIGAD_EINVAL);
}

Test(operations, a_backward_workspace_that_is_too_large_is_out_of_memory)
{
    static const sigad_op_function vjp = fail_with_ok;
    sigad_op op = test_claims_op;
    test_claim claim = {.y = {.dtype = SIGAD_F64}, .workspace_bytes = {0, (size_t)1 << 50}};
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 1.0));
    op.vjp = vjp;
    sigad_tensor y = sigad_apply(w.tape, &op, 1, &x, &claim, sizeof claim);
    cr_assert(y.generation);
    cr_expect_eq(sigad_backward(w.tape, y), SIGAD_ENOMEM);
    expect_error(w.context, SIGAD_ENOMEM, "sigad_backward: no memory for 1125899906842624 bytes");
    EXPECT(w.tape, y, 0.0);
}

/* What each function finds in its call, by the table in op.h. */
static void expect_columns(const sigad_op_call *call, bool y_cotangent, bool x_cotangent,
                           bool x_tangent, bool y_tangent, bool x_cotangent_tangent)
{
    cr_expect_eq(call->y_cotangent != NULL, y_cotangent);
    cr_expect_eq(call->x_cotangent != NULL, x_cotangent);
    cr_expect_eq(call->x_tangent != NULL, x_tangent);
    cr_expect_eq(call->y_tangent != NULL, y_tangent);
    cr_expect_eq(call->x_cotangent_tangent != NULL, x_cotangent_tangent);
    cr_expect(call->size == sizeof *call && call->n == 2 && call->threads == 1);
    cr_expect(call->device == SIGAD_CPU && call->stream == NULL && call->attribute_bytes == 3);
    cr_expect_arr_eq(call->attributes, "ab", 3);
}

static void expect_memory(const sigad_op_call *call, int which)
{
    cr_expect(call->saved_bytes == 5 && call->workspace_bytes[which] == 100u + which);
    cr_expect_eq((uintptr_t)call->workspace % 64, 0);
    memset(call->workspace, 0xEE, 100u + which);
    cr_expect(call->x[0].data && call->x[1].data && call->y->data);
}

static sigad_status seen_infer(sigad_op_call *call)
{
    expect_columns(call, false, false, false, false, false);
    cr_expect(!call->x[0].data && !call->x[1].data && !call->saved && !call->workspace);
    cr_expect_eq(call->x[1].elements, 1);
    call->saved_bytes = 5;
    for (int i = 0; i < 4; i++) call->workspace_bytes[i] = 100u + i;
    call->y->dtype = SIGAD_F64;
    return SIGAD_OK;
}

static sigad_status seen_fwd(sigad_op_call *call)
{
    expect_columns(call, false, false, false, false, false);
    expect_memory(call, SIGAD_FWD);
    memcpy(call->saved, "kept", 5);
    *(double *)call->y->data = 1.0;
    return SIGAD_OK;
}

static sigad_status seen_vjp(sigad_op_call *call)
{
    expect_columns(call, true, true, false, false, false);
    expect_memory(call, SIGAD_VJP);
    cr_expect_arr_eq(call->saved, "kept", 5);
    cr_expect(call->x_cotangent[0].data && !call->x_cotangent[1].data, "x[1] is not wanted");
    return SIGAD_OK;
}

static sigad_status seen_jvp(sigad_op_call *call)
{
    expect_columns(call, false, false, true, true, false);
    expect_memory(call, SIGAD_JVP);
    cr_expect(call->x_tangent[0].data && !call->x_tangent[1].data, "the tangent of x[1] is zero");
    return SIGAD_OK;
}

static sigad_status seen_soc(sigad_op_call *call)
{
    expect_columns(call, true, false, true, false, true);
    expect_memory(call, SIGAD_SOC);
    cr_expect(call->x_cotangent_tangent[0].data && !call->x_cotangent_tangent[1].data);
    return SIGAD_OK;
}

Test(operations, every_function_sees_what_the_header_says)
{
    static const sigad_op op = {SIGAD_OP_INIT,   .name = "seen",  .infer = seen_infer,
                                .fwd = seen_fwd, .vjp = seen_vjp, .jvp = seen_jvp,
                                .soc = seen_soc};
    sigad_tensor x = VECTOR(w.tape, 2.0), c = VECTOR(w.tape, 3.0), hv;
    sigad_tensor y = sigad_apply(w.tape, &op, 2, (sigad_tensor[]){x, c}, "ab", 3);
    cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
    cr_assert_eq(sigad_hvp(w.tape, y, 1, &x, &c, &hv), SIGAD_OK);
    cr_assert(sigad_jvp(w.tape, y, 1, &x, &c).generation);
    sigad_watch(w.tape, x);
    cr_assert_eq(sigad_backward(w.tape, y), SIGAD_OK);
}

Test(operations, an_alias_flag_on_another_size_shares_nothing)
{
    sigad_op op = test_claims_op;
    const test_claim claim = {.y = {.dtype = SIGAD_F64, .rank = 1, .shape = {5}}};
    op.flags = ~0u;
    sigad_tensor x = test_cube(w.tape, VECTOR(w.tape, 2.0));
    sigad_tensor y = sigad_apply(w.tape, &op, 1, &x, &claim, sizeof claim);
    EXPECT(w.tape, y, 0.0, 0.0, 0.0, 0.0, 0.0);
    EXPECT(w.tape, x, 8.0);
}

/* ---- bytes on the tape ----------------------------------------------------------------------- */

Test(operations, that_fail_leave_no_bytes_on_the_tape)
{
    static const test_fault faults[] = {{SIGAD_FWD, SIGAD_EIO, NULL}, {-1, SIGAD_EIO, NULL}};
    sigad_tensor x = constant64(w.tape, 1000, (double[1000]){0}), many[20];
    for (int i = 0; i < 20; i++) many[i] = x;
    many[19].id = 77;
    size_t bytes = 0;
    for (int i = 0; i < 300; i++) {
        if (i == 2) bytes = w.memory.bytes;
        test_faulty(w.tape, x, &faults[i % 2]);
        sigad_context_clear(w.context);
        test_join(w.tape, 20, many);
        sigad_context_clear(w.context);
    }
    cr_expect_eq(w.memory.bytes, bytes);
}

Test(operations, give_their_scratch_back)
{
    enum { CUBES = 50, ENTRIES = 1000 };
    static const double zeros[4 * CUBES * ENTRIES];
    constant64(w.tape, 4 * CUBES * ENTRIES, zeros);
    sigad_tape_reset(w.tape); /* leaves one chunk with room for all that follows */
    sigad_tensor x = constant64(w.tape, ENTRIES, zeros);
    sg_arena_mark before = sg_arena_position(&w.tape->arena);
    for (int i = 0; i < CUBES; i++) x = test_cube(w.tape, x);
    sg_arena_mark after = sg_arena_position(&w.tape->arena);
    cr_assert_eq(after.chunk, before.chunk);
    size_t kept = (after.used - before.used) / CUBES; /* y and saved */
    cr_expect(kept >= 2 * 8 * ENTRIES && kept < 2 * 8 * ENTRIES + 1000, "%zu bytes", kept);
}

Test(operations, sweeps_and_replays_give_their_scratch_back)
{
    sigad_tensor x = sigad_watch(w.tape, constant64(w.tape, 1000, (double[1000]){0}));
    sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, x));
    size_t bytes = 0;
    for (int i = 0; i < 100; i++) {
        if (i == 2) bytes = w.memory.bytes;
        cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
        cr_assert_eq(sigad_replay(w.tape), SIGAD_OK);
        cr_expect_eq(sigad_backward(w.tape, x), SIGAD_ESHAPE);
        sigad_context_clear(w.context);
    }
    cr_expect_eq(w.memory.bytes, bytes);
}

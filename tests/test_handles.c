/* Handles that must not be used, marks and rewinds. */
#include "graph/tape.h"
#include "support/world.h"
#include <criterion/criterion.h>
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

TestSuite(handles, .init = open_world, .fini = close_world);

static const char stale[] =
    "times: a stale handle: from before a reset, rewind or replay, or of another tape";

static void expect_stale(sigad_tape *tape, sigad_tensor x)
{
    sigad_context *context = sigad_tape_context(tape);
    expect_poison(context, test_times(tape, x, x), SIGAD_ESTALE, stale);
    double out[1];
    cr_expect_eq(sigad_read(tape, x, out, sizeof out), SIGAD_ESTALE);
    sigad_context_clear(context);
    cr_expect_null(sigad_data(tape, x));
    expect_error(context, SIGAD_ESTALE, NULL);
}

Test(handles, go_stale_with_a_reset)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), y = test_times(w.tape, x, x);
    sigad_tape_reset(w.tape);
    expect_stale(w.tape, x);
    sigad_tensor again = VECTOR(w.tape, 3.0);
    cr_expect_eq(again.id, x.id);
    expect_stale(w.tape, x);
    expect_stale(w.tape, y);
    EXPECT(w.tape, test_times(w.tape, again, again), 9.0);
}

Test(handles, go_stale_with_a_rewind_past_them)
{
    sigad_tensor x = VECTOR(w.tape, 2.0);
    uint64_t mark = sigad_tape_mark(w.tape);
    sigad_tensor y = test_times(w.tape, x, x);
    cr_expect_eq(sigad_tape_rewind(w.tape, mark), SIGAD_OK);
    expect_stale(w.tape, y);
    sigad_tensor z = test_cube(w.tape, x);
    cr_expect_eq(z.id, y.id);
    expect_stale(w.tape, y);
    EXPECT(w.tape, z, 8.0);
    EXPECT(w.tape, x, 2.0);
}

Test(handles, of_another_tape_are_noticed)
{
    sigad_tape *other;
    cr_assert_eq(sigad_tape_create(w.context, &other), SIGAD_OK);
    sigad_tensor x = VECTOR(w.tape, 2.0), y = VECTOR(other, 3.0);
    expect_stale(other, x);
    expect_stale(w.tape, y);
    sigad_tape_reset(other);
    EXPECT(w.tape, x, 2.0);
}

Test(handles, of_another_context_are_noticed)
{
    world v;
    world_open(&v);
    sigad_tensor x = VECTOR(w.tape, 2.0), p = parameter64(w.context, "p", 1, (double[]){5.0});
    VECTOR(v.tape, 1.0);
    expect_stale(v.tape, x);
    expect_poison(v.context, test_times(v.tape, p, p), SIGAD_ESTALE,
                  "times: this parameter belongs to another context");
    parameter64(v.context, "p", 1, (double[]){6.0});
    expect_poison(v.context, test_times(v.tape, p, p), SIGAD_ESTALE,
                  "times: this parameter belongs to another context");
    cr_expect_eq(sigad_parameter_freeze(v.context, p, 1), SIGAD_ESTALE);
    world_close(&v);
}

Test(handles, that_were_never_given_out_are_noticed)
{
    sigad_tensor x = VECTOR(w.tape, 2.0);
    expect_stale(w.tape, (sigad_tensor){x.id + 1, x.generation});
    expect_stale(w.tape, (sigad_tensor){UINT32_MAX, x.generation});
    expect_stale(w.tape, (sigad_tensor){x.id, x.generation + 1});
    parameter64(w.context, "p", 1, (double[]){5.0});
    sigad_tensor p = sigad_parameter_at(w.context, 0);
    expect_poison(w.context, test_cube(w.tape, (sigad_tensor){p.id + 1, p.generation}),
                  SIGAD_ESTALE, "cube: this parameter belongs to another context");
}

Test(handles, stay_apart_when_generations_start_over)
{
    w.context->generation = ~SG_PARAMETER_BIT - 1;
    for (int i = 0; i < 4; i++) {
        sigad_tape_reset(w.tape);
        sigad_tensor x = VECTOR(w.tape, 2.0);
        cr_expect_neq(x.generation, 0, "it would be the zero tensor");
        cr_expect_eq(x.generation & SG_PARAMETER_BIT, 0, "it would be a parameter");
        EXPECT(w.tape, test_cube(w.tape, x), 8.0);
    }
}

Test(handles, the_zero_tensor_is_an_error_if_none_is_set)
{
    static const char message[] =
        "times: an operand is the zero tensor, though no error is set: was it computed?";
    sigad_tensor zero = {0, 0}, x = VECTOR(w.tape, 2.0);
    expect_poison(w.context, test_times(w.tape, zero, x), SIGAD_EINVAL, message);
    expect_poison(w.context, test_times(w.tape, x, zero), SIGAD_EINVAL, message);
    expect_poison(w.context, test_cube(w.tape, (sigad_tensor){x.id + 1, 0}), SIGAD_EINVAL, NULL);
    cr_expect_eq(sigad_tape_count(w.tape), 1, "a refused operation leaves nothing");
}

Test(handles, poison_flows_and_the_first_error_stays)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), y = VECTOR(w.tape, 2.0, 3.0);
    sigad_tensor bad = test_times(w.tape, x, y);
    bad = test_cube(w.tape, test_sum(w.tape, bad));
    bad = test_times(w.tape, bad, x);
    cr_expect_eq(sigad_backward(w.tape, bad), SIGAD_ESHAPE);
    expect_poison(w.context, VECTOR(w.tape, 1.0), SIGAD_ESHAPE, "times: [1] x [2]: shapes differ");
    EXPECT(w.tape, test_times(w.tape, x, x), 4.0);
}

/* ---- mark and rewind ------------------------------------------------------------------------- */

Test(handles, a_mark_from_before_a_reset_or_a_deeper_rewind_is_refused)
{
    static const char message[] = "sigad_tape_rewind: the mark is from before a reset or an "
                                  "earlier rewind, or of another tape";
    uint64_t start = sigad_tape_mark(w.tape);
    sigad_tensor x = VECTOR(w.tape, 2.0);
    uint64_t one = sigad_tape_mark(w.tape);
    test_cube(w.tape, x);
    uint64_t two = sigad_tape_mark(w.tape);
    cr_expect_eq(sigad_tape_rewind(w.tape, two), SIGAD_OK, "nothing to drop");
    cr_expect_eq(sigad_tape_rewind(w.tape, one), SIGAD_OK);
    cr_expect_eq(sigad_tape_rewind(w.tape, two), SIGAD_ESTALE);
    expect_error(w.context, SIGAD_ESTALE, message);
    test_cube(w.tape, x);
    test_cube(w.tape, x);
    cr_expect_eq(sigad_tape_rewind(w.tape, two), SIGAD_ESTALE, "other tensors stand there now");
    expect_error(w.context, SIGAD_ESTALE, message);
    cr_expect_eq(sigad_tape_count(w.tape), 3);
    cr_expect_eq(sigad_tape_rewind(w.tape, one), SIGAD_OK);
    cr_expect_eq(sigad_tape_rewind(w.tape, start), SIGAD_OK);
    cr_expect_eq(sigad_tape_count(w.tape), 0);
    sigad_tape_reset(w.tape);
    cr_expect_eq(sigad_tape_rewind(w.tape, start), SIGAD_ESTALE);
    expect_error(w.context, SIGAD_ESTALE, message);
    sigad_tape *other;
    sigad_tape_create(w.context, &other);
    cr_expect_eq(sigad_tape_rewind(w.tape, sigad_tape_mark(other)), SIGAD_ESTALE);
    expect_error(w.context, SIGAD_ESTALE, message);
}

/* One round of a loop over a recorded graph: what it leaves is `x`, its gradient and labels. */
static void round_of(sigad_tensor x, sigad_tensor y, int i)
{
    char text[40];
    uint64_t mark = sigad_tape_mark(w.tape);
    sigad_tensor z = test_cube(w.tape, test_times(w.tape, x, y));
    sigad_tensor loss = test_sum(w.tape, z);
    snprintf(text, sizeof text, "round %d", i);
    sigad_label(w.tape, x, text);    /* older than the mark */
    sigad_label(w.tape, z, text);    /* newer, not the newest */
    sigad_label(w.tape, loss, text); /* the newest */
    sigad_watch(w.tape, z);
    sigad_watch(w.tape, loss);
    cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    sigad_gradient(w.tape, x);
    sigad_jvp(w.tape, loss, 1, &x, &y);
    cr_assert_eq(sigad_tape_rewind(w.tape, mark), SIGAD_OK);
}

Test(handles, a_loop_of_marks_and_rewinds_keeps_what_was_there_and_its_memory)
{
    sigad_tensor x = VECTOR(w.tape, 2.0, 3.0), y = VECTOR(w.tape, 5.0, 7.0);
    sigad_watch(w.tape, x);
    sigad_label(w.tape, y, "why");
    size_t calls = 0, bytes = 0;
    for (int i = 0; i < 500; i++) {
        if (i == 10) {
            calls = w.memory.calls;
            bytes = w.memory.bytes;
        }
        round_of(x, y, i);
    }
    cr_expect_eq(w.memory.calls, calls);
    cr_expect_eq(w.memory.bytes, bytes);
    cr_expect_eq(sigad_tape_count(w.tape), 2);
    EXPECT(w.tape, x, 2.0, 3.0);
    EXPECT(w.tape, y, 5.0, 7.0);
    /* d sum (x y)^3 / dx = 3 x^2 y^3, 500 times */
    EXPECT(w.tape, sigad_gradient(w.tape, x), 500.0 * 3 * 4 * 125, 500.0 * 3 * 9 * 343);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_assert_eq(sigad_describe(w.tape, x, &info), SIGAD_OK);
    cr_expect_str_eq(info.label, "round 499");
    cr_assert_eq(sigad_describe(w.tape, y, &info), SIGAD_OK);
    cr_expect_str_eq(info.label, "why");
}

/* Notes of tensors that stay lie above those of tensors that go, and below. */
Test(handles, a_rewind_keeps_the_notes_of_what_stays)
{
    sigad_tensor x = VECTOR(w.tape, 2.0), y = test_cube(w.tape, x), last = test_cube(w.tape, y);
    sigad_label(w.tape, x, "x");
    uint64_t mark = sigad_tape_mark(w.tape);
    sigad_tensor z = test_cube(w.tape, y), newest = test_cube(w.tape, z);
    sigad_label(w.tape, z, "z");
    sigad_label(w.tape, y, "y");
    sigad_watch(w.tape, z);
    sigad_label(w.tape, newest, "newest");
    cr_assert_eq(sigad_tape_rewind(w.tape, mark), SIGAD_OK);
    for (int i = 0; i < 5; i++) test_cube(w.tape, last); /* overwrites what is free */
    sigad_watch(w.tape, x);
    sigad_watch(w.tape, y);
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    sigad_describe(w.tape, x, &info);
    cr_expect_str_eq(info.label, "x");
    sigad_describe(w.tape, y, &info);
    cr_expect_str_eq(info.label, "y");
    sigad_describe(w.tape, last, &info);
    cr_expect_str_eq(info.label, "");
    EXPECT(w.tape, sigad_gradient(w.tape, y), 0.0);
}

Test(handles, a_rewind_to_an_empty_tape_starts_anew)
{
    uint64_t start = sigad_tape_mark(w.tape);
    for (int i = 0; i < 3; i++) {
        double data[1] = {i};
        sigad_tensor x = sigad_input(w.tape, SIGAD_F64, SIGAD_SHAPE(1), data);
        EXPECT(w.tape, test_cube(w.tape, sigad_label(w.tape, x, "a label in the arena")),
               (double)i * i * i);
        cr_expect_eq(sigad_tape_rewind(w.tape, start), SIGAD_OK);
    }
}

Test(handles, a_reset_forgets_all_notes)
{
    for (int i = 0; i < 3; i++) {
        uint64_t start = sigad_tape_mark(w.tape);
        sigad_tensor x = VECTOR(w.tape, 2.0);
        test_cube(w.tape, x);
        sigad_label(w.tape, x, "a note");
        sigad_watch(w.tape, x);
        if (i == 1) cr_expect_eq(sigad_tape_rewind(w.tape, start), SIGAD_OK);
        cr_expect_null(i == 1 ? w.tape->notes : NULL);
        sigad_tape_reset(w.tape);
        cr_expect_null(w.tape->notes);
    }
}

/* Contexts: creation, options, hooks, and what they own. */
#include "support/world.h"
#include <criterion/criterion.h>
#include <limits.h>
#include <sigad/train.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    int count;
    sigad_log_level level;
    char last[1024];
} diary;

static void note(void *user, sigad_log_level level, const char *message)
{
    diary *d = user;
    d->count++;
    d->level = level;
    snprintf(d->last, sizeof d->last, "%s", message);
}

Test(context, needs_no_options)
{
    sigad_context *context = NULL;
    sigad_tape *tape = NULL;
    cr_assert_eq(sigad_context_create(NULL, &context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(context, &tape), SIGAD_OK);
    EXPECT(tape, test_cube(tape, VECTOR(tape, 2.0)), 8.0);
    cr_expect_eq(sigad_synchronize(context), SIGAD_OK);
    cr_expect_eq(sigad_context_clear(context), SIGAD_OK);
    cr_expect_str_eq(sigad_context_message(context), "");
    sigad_context_destroy(context);
}

/* With a device there is a context; without one, or without CUDA in the library, there is a reason.
 */
Test(context, a_cuda_context_or_a_reason)
{
    diary d = {0};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = SIGAD_CUDA, .log = note,
                                     .log_user = &d};
    sigad_context *context = NULL;
    sigad_status status = sigad_context_create(&options, &context);
    if (status == SIGAD_OK) {
        cr_assert_not_null(context);
        cr_assert_eq(d.count, 0);
        sigad_context_destroy(context);
        return;
    }
    cr_assert_null(context);
    cr_assert_eq(status, SIGAD_EDEVICE);
    cr_assert(d.count == 1 && d.level == SIGAD_LOG_ERROR);
    cr_assert(strstr(d.last, "sigad_context_create: ") == d.last && strstr(d.last, "CUDA"));
}

Test(context, bad_options_are_told_to_the_log)
{
    static const struct {
        uint32_t size;
        int32_t device, threads;
        sigad_status status;
        const char *message;
    } bad[] = {
        {sizeof(sigad_context_options), SIGAD_CPU, -1, SIGAD_EINVAL,
         "sigad_context_create: threads is -1; 0 means all, 1 only the calling one"},
        {sizeof(sigad_context_options), SIGAD_CPU, INT_MIN, SIGAD_EINVAL, NULL},
        {sizeof(sigad_context_options), 2, 0, SIGAD_EINVAL,
         "sigad_context_create: device 2 is neither SIGAD_CPU nor SIGAD_CUDA"},
        {0, SIGAD_CPU, 0, SIGAD_EINVAL, NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        diary d = {0};
        sigad_context_options options = {.size = bad[i].size,
                                         .device = bad[i].device,
                                         .threads = bad[i].threads,
                                         .log = note,
                                         .log_user = &d};
        sigad_context *context = (sigad_context *)&d;
        cr_expect_eq(sigad_context_create(&options, &context), bad[i].status);
        cr_expect_null(context);
        if (!bad[i].message) continue;
        cr_expect(d.count == 1 && d.level == SIGAD_LOG_ERROR);
        cr_expect_str_eq(d.last, bad[i].message);
    }
    cr_expect_eq(sigad_context_create(NULL, NULL), SIGAD_EINVAL);
}

Test(context, options_of_other_versions)
{
    diary d = {0};
    struct {
        sigad_context_options options;
        uint64_t future;
    } longer = {{.size = sizeof longer, .threads = 1, .log = note, .log_user = &d}, 0};
    sigad_context *context;
    cr_assert_eq(sigad_context_create(&longer.options, &context), SIGAD_OK);
    sigad_context_destroy(context);
    longer.future = 1;
    cr_expect_eq(sigad_context_create(&longer.options, &context), SIGAD_ENOTSUP);
    cr_expect(!context && d.count == 1);
    cr_expect(strstr(d.last, "sigad_context_options: byte "));
    /* An older program knows size, device, device_index, threads; what follows is not looked at. */
    sigad_context_options older = {.size = 16, .threads = 1, .seed = 99, .log = note};
    memset(&older.allocator, 0xFF, sizeof older.allocator);
    cr_assert_eq(sigad_context_create(&older, &context), SIGAD_OK);
    sigad_context_destroy(context);
}

Test(context, any_number_of_threads_is_taken_and_never_ends_the_process)
{
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = INT32_MAX};
    sigad_context *context;
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    cr_expect(sigad_parameter(context, "p", SIGAD_F32, SIGAD_SHAPE(1000, 1000),
                              SIGAD_INIT_NORMAL(0.0, 1.0))
                  .generation);
    sigad_context_destroy(context);
}

Test(context, starts_are_the_same_for_any_number_of_threads)
{
    static float bits[4][2][600];
    static const int32_t threads[4] = {1, 2, 3, 8};
    for (int i = 0; i < 4; i++) {
        sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = threads[i]};
        sigad_context *context;
        cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
        sigad_tensor p =
            sigad_parameter(context, "p", SIGAD_F32, SIGAD_SHAPE(20, 30), SIGAD_INIT_ORTHOGONAL);
        sigad_tensor q =
            sigad_parameter(context, "q", SIGAD_F32, SIGAD_SHAPE(600), SIGAD_INIT_NORMAL(0, 1));
        cr_assert_eq(sigad_parameter_read(context, p, bits[i][0], sizeof bits[i][0]), SIGAD_OK);
        cr_assert_eq(sigad_parameter_read(context, q, bits[i][1], sizeof bits[i][1]), SIGAD_OK);
        cr_expect_arr_eq(bits[i], bits[0], sizeof bits[0]);
        sigad_context_destroy(context);
    }
}

Test(context, without_memory_says_so_in_the_log)
{
    diary d = {0};
    test_memory memory = {.fail_at = 1};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT,
                                     .allocator = test_memory_allocator(&memory), .log = note,
                                     .log_user = &d};
    sigad_context *context;
    cr_expect_eq(sigad_context_create(&options, &context), SIGAD_ENOMEM);
    cr_expect_null(context);
    cr_expect_str_eq(d.last, "sigad_context_create: no memory for the context");
    cr_expect_eq(memory.blocks, 0);
}

Test(context, the_log_hears_the_first_error_and_no_other)
{
    diary d = {0};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .log = note, .log_user = &d};
    sigad_context *context;
    sigad_tape *tape;
    sigad_context_create(&options, &context);
    sigad_tape_create(context, &tape);
    for (int i = 1; i <= 2; i++) {
        sigad_tensor bad = sigad_scalar(tape, SIGAD_I64, 0.5);
        bad = test_sum(tape, test_cube(tape, bad));
        cr_expect_eq(sigad_backward(tape, bad), SIGAD_ERANGE);
        cr_expect_eq(d.count, i);
        cr_expect_str_eq(d.last, sigad_context_message(context));
        cr_expect_eq(sigad_context_status(context), SIGAD_ERANGE);
        cr_expect_eq(sigad_synchronize(context), SIGAD_ERANGE);
        cr_expect_eq(sigad_context_clear(context), SIGAD_ERANGE);
        cr_expect_eq(sigad_context_status(context), SIGAD_OK);
    }
    sigad_context_destroy(context);
}

Test(context, destroying_it_frees_everything)
{
    world w;
    world_open(&w);
    sigad_tape *tapes[4];
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(sigad_tape_create(w.context, &tapes[i]), SIGAD_OK);
        sigad_tensor x = sigad_watch(tapes[i], VECTOR(tapes[i], 2.0));
        cr_assert_eq(sigad_backward(tapes[i], test_cube(tapes[i], x)), SIGAD_OK);
        sigad_label(tapes[i], x, "late label");
    }
    parameter64(w.context, "p", 3, (double[3]){0});
    cr_assert_eq(sigad_backward_with(w.tape, sigad_parameter_at(w.context, 0), VECTOR(w.tape, 1.0)),
                 SIGAD_OK);
    sigad_optimizer *optimizer;
    cr_assert_eq(sigad_adam_create(w.context, NULL, &optimizer), SIGAD_OK);
    cr_assert_eq(sigad_optimizer_step(optimizer), SIGAD_OK);
    sigad_tape_destroy(tapes[2]); /* some earlier, in any order */
    sigad_tape_destroy(tapes[0]);
    cr_expect(w.memory.blocks > 5);
    world_close(&w);
}

Test(context, destroying_tapes_gives_their_memory_back)
{
    world w;
    world_open(&w);
    size_t blocks = w.memory.blocks, bytes = w.memory.bytes;
    for (int i = 0; i < 5; i++) {
        sigad_tape *tape;
        cr_assert_eq(sigad_tape_create(w.context, &tape), SIGAD_OK);
        test_cube(tape, VECTOR(tape, 1.0, 2.0));
        sigad_tape_destroy(tape);
        cr_expect(w.memory.blocks == blocks && w.memory.bytes == bytes);
    }
    world_close(&w);
}

Test(context, two_share_nothing)
{
    world v, w;
    world_open(&v);
    world_open(&w);
    sigad_tensor p = parameter64(v.context, "p", 1, (double[]){2.0});
    sigad_tensor q = parameter64(w.context, "p", 1, (double[]){3.0});
    cr_assert_eq(sigad_backward(v.tape, test_sum(v.tape, test_cube(v.tape, p))), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, q), 0.0);
    sigad_scalar(v.tape, SIGAD_I64, 0.5);
    expect_no_error(w.context);
    EXPECT(w.tape, test_cube(w.tape, q), 27.0);
    world_close(&v);
    EXPECT(w.tape, q, 3.0);
    world_close(&w);
}

Test(context, tapes_of_one_context_are_independent)
{
    world w;
    world_open(&w);
    sigad_tape *other;
    cr_assert_eq(sigad_tape_create(w.context, &other), SIGAD_OK);
    sigad_tensor x = sigad_watch(w.tape, VECTOR(w.tape, 2.0));
    sigad_tensor y = sigad_watch(other, VECTOR(other, 3.0));
    sigad_tensor loss = test_cube(w.tape, x), cube = test_cube(other, y);
    cr_assert_eq(sigad_tape_evaluate(other, 1), SIGAD_EINVAL);
    sigad_context_clear(w.context);
    cr_assert_eq(sigad_backward(other, cube), SIGAD_OK);
    cr_assert_eq(sigad_backward(w.tape, loss), SIGAD_OK);
    EXPECT(w.tape, sigad_gradient(w.tape, x), 12.0);
    EXPECT(other, sigad_gradient(other, y), 27.0);
    sigad_tape_destroy(other);
    EXPECT(w.tape, loss, 8.0);
    world_close(&w);
}

Test(context, creating_a_tape_fails_cleanly)
{
    world w;
    world_open(&w);
    sigad_tape *tape = (sigad_tape *)&w;
    cr_expect_eq(sigad_tape_create(w.context, NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_tape_create(w.context, &tape), SIGAD_EINVAL, "the error is held");
    cr_expect_null(tape);
    expect_error(w.context, SIGAD_EINVAL, "sigad_tape_create: result is NULL");
    w.memory.fail_at = w.memory.requests + 1;
    cr_expect_eq(sigad_tape_create(w.context, &tape), SIGAD_ENOMEM);
    cr_expect_null(tape);
    expect_error(w.context, SIGAD_ENOMEM, NULL);
    world_close(&w);
}

Test(context, plans_are_kept_and_bad_specs_refused)
{
    world w;
    world_open(&w);
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 3, .method = 2};
    cr_expect_eq(sigad_prepare(w.context, &spec), SIGAD_OK);
    size_t calls = w.memory.calls;
    cr_expect_eq(sigad_prepare(w.context, &spec), SIGAD_OK);
    cr_expect_eq(w.memory.calls, calls, "it was kept");
    spec.end_time = 2.0;
    cr_expect_eq(sigad_prepare(w.context, &spec), SIGAD_OK);
    spec.degree = -1;
    cr_expect_eq(sigad_prepare(w.context, &spec), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, NULL);
    spec.size = 1;
    cr_expect_eq(sigad_prepare(w.context, &spec), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_sig_spec: size is 1, set it (SIGAD_..._INIT does)");
    cr_expect_eq(sigad_prepare(w.context, NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_prepare(w.context, &spec), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_prepare: spec is NULL");
    world_close(&w);
}

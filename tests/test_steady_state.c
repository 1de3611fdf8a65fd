/* The third and every further step of the same shape calls the allocator hook no more. */
#include "support/hostile.h"
#include "support/training.h"
#include "support/world.h"
#include <criterion/criterion.h>
#include <stdio.h>

enum { STEPS = 12, STEADY = 2 };

Test(steady_state, of_the_engine_alone)
{
    world w;
    size_t calls = 0;
    world_open(&w);
    sigad_tensor p = parameter64(w.context, "p", 40, (double[40]){0.5});
    for (int i = 0; i < STEPS; i++) {
        if (i == STEADY) calls = w.memory.calls;
        sigad_tape_reset(w.tape);
        sigad_tensor x = sigad_watch(w.tape, constant64(w.tape, 40, (double[40]){2.0})), y = x, hv;
        for (int k = 0; k < 400; k++) y = test_times(w.tape, y, k % 2 ? p : x);
        sigad_label(w.tape, x, "a tensor that is not the newest");
        sigad_tensor loss = test_sum(w.tape, test_cube(w.tape, y));
        sigad_backward(w.tape, loss);
        sigad_grad(w.tape, loss, x, sigad_scalar(w.tape, SIGAD_F64, 1.0));
        sigad_replay(w.tape);
        sigad_jvp(w.tape, loss, 1, &x, &x);
        sigad_hvp(w.tape, loss, 1, &x, &x, &hv);
        expect_no_error(w.context);
    }
    cr_expect_eq(w.memory.calls, calls, "%zu calls in %d steps", w.memory.calls - calls,
                 STEPS - STEADY);
    world_close(&w);
}

Test(steady_state, of_a_training_step, .fini = hostile_remove)
{
    static char file[300];
    world w;
    size_t calls = 0;
    snprintf(file, sizeof file, "%s", hostile_path("series.ts"));
    training_write_file(file);
    world_open(&w);
    training t = {.context = w.context, .file = file};
    cr_assert_eq(training_make(&t), SIGAD_OK, "%s", sigad_context_message(w.context));
    for (int i = 0; i < STEPS; i++) {
        if (i == STEADY) calls = w.memory.calls;
        cr_assert_eq(training_step(&t), SIGAD_OK, "%s", sigad_context_message(w.context));
    }
    cr_expect_eq(w.memory.calls, calls, "%zu calls in %d steps", w.memory.calls - calls,
                 STEPS - STEADY);
    world_close(&w);
}

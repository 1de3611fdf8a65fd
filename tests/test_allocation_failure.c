/* Each request for memory of a whole program fails in turn, once and for ever. The failure is
 * SIGAD_ENOMEM with a message; after the clear, with memory again, the same context goes on to the
 * same bits; nothing is leaked. */
#include "graph/tape.h"
#include "support/hostile.h"
#include "support/memory.h"
#include "support/ops.h"
#include "support/training.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    training training;
    test_memory memory;
    char checkpoint[300], array[300], series[300];
} program;

typedef sigad_status stage(program *p);

/* ---- the stages: each may be repeated -------------------------------------------------------- */

static sigad_status create(program *p)
{
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1, .seed = 3,
                                     .allocator = test_memory_allocator(&p->memory)};
    return sigad_context_create(&options, &p->training.context);
}

/* Every block of a tape shall be a request of its own. */
static void make_exact(sigad_tape *tape)
{
    tape->arena.exact = tape->side.exact = true;
}

static sigad_status make(program *p)
{
    sigad_status status = training_make(&p->training);
    if (!status) make_exact(p->training.tape);
    return status;
}

static sigad_status step(program *p)
{
    return training_step(&p->training);
}

/* Recorded gradients, both sweeps of the tape, notes on old tensors, rewind and replay. */
static sigad_status differentiate(program *p)
{
    sigad_tape *tape;
    double data[3] = {1.0, 2.0, 3.0};
    if (sigad_tape_create(p->training.context, &tape)) return SIGAD_ENOMEM;
    make_exact(tape);
    sigad_tensor x = sigad_watch(tape, sigad_input(tape, SIGAD_F64, SIGAD_SHAPE(3), data));
    sigad_tensor loss = test_sum(tape, test_cube(tape, x)), hv;
    uint64_t mark = sigad_tape_mark(tape);
    sigad_tensor g = sigad_grad(tape, loss, x, sigad_scalar(tape, SIGAD_F64, 1.0));
    sigad_tensor penalty = test_sum(tape, test_times(tape, g, g));
    sigad_backward(tape, penalty);
    sigad_replay(tape);
    sigad_label(tape, sigad_watch(tape, loss), "loss");
    sigad_tensor bias = sigad_parameter_at(p->training.context, 3);
    sigad_tensor product = test_sum(tape, test_times(tape, bias, bias));
    sigad_hvp(tape, product, 1, &bias, &bias, &hv);
    sigad_hvp(tape, loss, 1, &x, &x, &hv);
    sigad_jvp(tape, loss, 1, &x, &x);
    sigad_gradient(tape, x);
    sigad_status status = sigad_tape_rewind(tape, mark);
    sigad_tape_destroy(tape);
    return status;
}

static sigad_status save(program *p)
{
    return sigad_save(p->training.context, p->training.optimizer, p->checkpoint);
}

static sigad_status load(program *p)
{
    double zeros[4] = {0.0};
    sigad_tensor bias = sigad_parameter_find(p->training.context, "first.bias");
    sigad_parameter_write(p->training.context, bias, zeros, sizeof zeros);
    return sigad_load(p->training.context, p->training.optimizer, p->checkpoint);
}

static sigad_status exchange_arrays(program *p)
{
    sigad_tape *tape = p->training.tape;
    double data[6] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, out[6];
    sigad_tape_reset(tape);
    sigad_npy_write(tape, sigad_constant(tape, SIGAD_F64, SIGAD_SHAPE(2, 3), data), p->array);
    sigad_read(tape, sigad_npy_read(tape, p->array), out, sizeof out);
    if (!sigad_context_status(p->training.context)) cr_expect_arr_eq(out, data, sizeof data);
    return sigad_context_status(p->training.context);
}

static stage *const stages[] = {create,          make, step, step, differentiate, save, load,
                                exchange_arrays, step};
enum { STAGES = sizeof stages / sizeof *stages };

/* ---- running them ---------------------------------------------------------------------------- */

static void expect_no_memory(program *p, int number)
{
    sigad_context *context = p->training.context;
    if (!context) {
        cr_assert_eq(number, 0);
        return;
    }
    const char *message = sigad_context_message(context);
    cr_assert(strstr(message, "memory"), "stage %d says '%s'", number, message);
    cr_assert_eq(sigad_context_clear(context), SIGAD_ENOMEM);
}

/* Fails request number k; true if there was such a request. */
static bool run(program *p, size_t k, bool for_ever, double weights[TRAINING_WEIGHTS])
{
    p->memory = (test_memory){.fail_at = k, .for_ever = for_ever};
    p->training = (training){.file = p->series};
    for (int number = 0; number < STAGES; number++) {
        sigad_status status = stages[number](p);
        if (!status) continue;
        cr_assert_eq(status, SIGAD_ENOMEM, "request %zu, stage %d: status %d", k, number, status);
        cr_assert(p->memory.failed, "request %zu, stage %d", k, number);
        expect_no_memory(p, number);
        p->memory.fail_at = 0;
        status = stages[number](p);
        cr_assert_eq(status, SIGAD_OK, "request %zu, stage %d again: %s", k, number,
                     sigad_context_message(p->training.context));
    }
    cr_assert_eq(p->training.steps, 3);
    training_weights(&p->training, weights);
    sigad_context_destroy(p->training.context);
    cr_assert_eq(p->memory.blocks, 0, "request %zu: %zu blocks are left", k, p->memory.blocks);
    cr_assert_eq(p->memory.mistakes, 0, "request %zu", k);
    return p->memory.failed > 0;
}

Test(allocation_failure, every_request_in_turn, .fini = hostile_remove)
{
    static program p;
    double undisturbed[TRAINING_WEIGHTS], weights[TRAINING_WEIGHTS];
    snprintf(p.checkpoint, sizeof p.checkpoint, "%s", hostile_path("model.safetensors"));
    snprintf(p.array, sizeof p.array, "%s", hostile_path("array.npy"));
    snprintf(p.series, sizeof p.series, "%s", hostile_path("series.ts"));
    training_write_file(p.series);
    cr_assert(!run(&p, 0, false, undisturbed));
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        size_t k = 1;
        for (; run(&p, k, for_ever, weights); k++)
            cr_assert_arr_eq(weights, undisturbed, sizeof weights, "request %zu", k);
        cr_expect_gt(k, 80, "only %zu requests: does the hook see them?", k);
    }
}

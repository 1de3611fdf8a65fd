/* Whole programs in a context on a device: the values of the CPU at every node, no waiting inside
 * of a step, no memory taken from the third step on, and faults of the device at every place. */
#include "cuda_world.h"
#include "emulation_control.h"
#include "support/hostile.h"
#include "support/training.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static char series_file[300];

static void setup(void)
{
    snprintf(series_file, sizeof series_file, "%s", hostile_path("series.ts"));
    training_write_file(series_file);
}

TestSuite(cuda_training, .init = setup, .fini = hostile_remove);

static sigad_context *open_context(int32_t device, void *stream)
{
    sigad_context *context;
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = device, .threads = 1,
                                     .seed = 7, .stream = stream};
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    return context;
}

static training make(sigad_context *context)
{
    training t = {.context = context, .file = series_file};
    cr_assert_eq(training_make(&t), SIGAD_OK, "%s", sigad_context_message(context));
    return t;
}

static void step(training *t)
{
    cr_assert_eq(training_step(t), SIGAD_OK, "%s", sigad_context_message(t->context));
}

static void expect_same_weights(const training *a, const training *b, double tolerance)
{
    double x[TRAINING_WEIGHTS], y[TRAINING_WEIGHTS];
    training_weights(a, x);
    training_weights(b, y);
    for (int i = 0; i < TRAINING_WEIGHTS; i++)
        cr_expect(fabs(x[i] - y[i]) <= tolerance, "weight %d is %.17g, not %.17g", i, x[i], y[i]);
}

/* ---- the same as on the CPU
 * ---------------------------------------------------------------------- */

static void expect_same_node(sigad_tape *a, sigad_tape *b, int64_t i)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT}, other = {SIGAD_TENSOR_INFO_INIT};
    const sigad_tensor x = sigad_tape_at(a, i), y = sigad_tape_at(b, i);
    cr_assert_eq(sigad_describe(a, x, &info), SIGAD_OK);
    cr_assert_eq(sigad_describe(b, y, &other), SIGAD_OK);
    cr_assert_str_eq(info.operation, other.operation);
    cr_assert_eq(info.elements, other.elements);
    cr_assert_neq(info.device, other.device);
    const size_t bytes = (size_t)info.elements * 8;
    double *p = malloc(bytes + 1), *q = malloc(bytes + 1);
    cr_assert_eq(sigad_read(a, x, p, bytes), SIGAD_OK);
    cr_assert_eq(sigad_read(b, y, q, bytes), SIGAD_OK);
    if (info.dtype == SIGAD_I64) cr_assert_arr_eq(p, q, bytes);
    for (int64_t k = 0; info.dtype == SIGAD_F64 && k < info.elements; k++)
        cr_expect(fabs(p[k] - q[k]) <= 1e-12 * (1.0 + fabs(p[k])),
                  "node %lld, %s: entry %lld is %.17g, not %.17g", (long long)i, info.operation,
                  (long long)k, q[k], p[k]);
    free(p);
    free(q);
}

Test(cuda_training, every_node_as_on_the_cpu)
{
    sigad_context *host = open_context(SIGAD_CPU, NULL), *device = open_context(SIGAD_CUDA, NULL);
    training a = make(host), b = make(device);
    for (int i = 0; i < 3; i++) {
        step(&a);
        step(&b);
        cr_assert_eq(sigad_tape_count(a.tape), sigad_tape_count(b.tape));
        for (int64_t k = 0; k < sigad_tape_count(a.tape); k++) expect_same_node(a.tape, b.tape, k);
        sigad_tensor logits = sigad_tape_at(a.tape, sigad_tape_count(a.tape) - 2);
        sigad_gradient(a.tape, logits);
        sigad_gradient(b.tape, sigad_tape_at(b.tape, sigad_tape_count(b.tape) - 2));
        expect_same_node(a.tape, b.tape, sigad_tape_count(a.tape) - 1);
    }
    expect_same_weights(&a, &b, 1e-11);
    sigad_context_destroy(host);
    sigad_context_destroy(device);
    cr_expect_eq(emulation_blocks(), 0);
}

/* ---- the same bits
 * ------------------------------------------------------------------------------- */

/* Whatever order the threads run in, and whenever: on the library's stream or the caller's, at once
 * or only when the host waits. */
Test(cuda_training, the_same_bits_on_any_stream_at_any_time)
{
    void *stream;
    sigad_context *first = open_context(SIGAD_CUDA, NULL), *second;
    training a = make(first);
    for (int i = 0; i < 5; i++) step(&a);
    cr_assert_eq(sg_cuda_runtime_of_build.create_stream(&stream), 0);
    for (int schedule = 0; schedule < EMULATION_SCHEDULES; schedule++) {
        emulated.schedule = schedule;
        emulated.deferred = schedule > 0;
        second = open_context(SIGAD_CUDA, schedule == 1 ? stream : NULL);
        training b = make(second);
        for (int i = 0; i < 5; i++) step(&b);
        expect_same_weights(&a, &b, 0.0);
        sigad_context_destroy(second);
    }
    emulated.deferred = 0;
    sigad_context_destroy(first);
    cr_expect_eq(sg_cuda_runtime_of_build.destroy_stream(stream), 0);
    cr_expect_eq(emulation_blocks(), 0);
}

Test(cuda_training, two_contexts_take_turns)
{
    sigad_context *context[2];
    training t[2];
    emulated.devices = 2;
    emulated.deferred = 1;
    for (int i = 0; i < 2; i++) {
        sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = SIGAD_CUDA,
                                         .device_index = i, .threads = 1, .seed = 7};
        cr_assert_eq(sigad_context_create(&options, &context[i]), SIGAD_OK);
        t[i] = make(context[i]);
    }
    for (int i = 0; i < 4; i++) {
        step(&t[0]);
        step(&t[1]);
    }
    expect_same_weights(&t[0], &t[1], 0.0);
    sigad_context_destroy(context[0]);
    sigad_context_destroy(context[1]);
    cr_expect_eq(emulation_blocks(), 0);
}

/* What was saved on a device is loaded on the CPU, and the other way, and training goes on. */
Test(cuda_training, checkpoints_go_from_device_to_device)
{
    static char path[300];
    snprintf(path, sizeof path, "%s", hostile_path("model.safetensors"));
    for (int from = SIGAD_CPU; from <= SIGAD_CUDA; from++) {
        sigad_context *saved = open_context(from, NULL), *loaded = open_context(!from, NULL);
        training a = make(saved), b = make(loaded);
        step(&a);
        step(&a);
        cr_assert_eq(sigad_save(saved, a.optimizer, path), SIGAD_OK);
        cr_assert_eq(sigad_load(loaded, b.optimizer, path), SIGAD_OK, "%s",
                     sigad_context_message(loaded));
        expect_same_weights(&a, &b, 0.0);
        b.steps = a.steps;
        step(&a);
        step(&b);
        expect_same_weights(&a, &b, 1e-12);
        sigad_context_destroy(saved);
        sigad_context_destroy(loaded);
    }
    cr_expect_eq(emulation_blocks(), 0);
}

/* ---- waiting, and memory
 * -------------------------------------------------------------------------- */

Test(cuda_training, a_step_does_not_wait_and_takes_no_memory)
{
    enum { STEPS = 6, STEADY = 2 };
    sigad_context *context = open_context(SIGAD_CUDA, NULL);
    training t = make(context);
    emulated.deferred = 1;
    int64_t waits = 0, taken = 0, uploads = 0;
    for (int i = 0; i < STEPS; i++) {
        if (i == STEADY) {
            waits = emulated.waits_for_stream;
            taken = emulated.blocks_taken;
            uploads = emulated.waits_for_event;
        }
        step(&t);
    }
    cr_expect_eq(emulated.waits_for_stream, waits);
    cr_expect_eq(emulated.blocks_taken, taken);
    cr_expect_leq(emulated.waits_for_event - uploads, STEPS - STEADY, "resets alone wait");
    sigad_context_destroy(context);
}

/* ---- faults
 * --------------------------------------------------------------------------------------- */

typedef enum { TAKES, LAUNCHES, COPIES, FAULTS } fault;

static void arm(fault kind, int number)
{
    int *const counter[] = {&emulated.failing_take, &emulated.failing_launch,
                            &emulated.failing_copy};
    *counter[kind] = number;
}

/* Two steps with a fault at place `number`, and two more after it. False: nothing failed. */
static bool survives(fault kind, int number)
{
    const sigad_status expected = kind == TAKES ? SIGAD_ENOMEM : SIGAD_ECUDA;
    cuda_world w;
    cuda_world_open(&w);
    training t = {.context = w.context, .file = series_file};
    arm(kind, number);
    sigad_status status = training_make(&t);
    for (int i = 0; i < 2 && !status; i++) status = training_step(&t);
    arm(kind, -1);
    cr_expect(status == SIGAD_OK || status == expected, "fault %d, %d: %s", (int)kind, number,
              sigad_context_message(w.context));
    cr_expect(!status || sigad_context_message(w.context)[0]);
    sigad_context_clear(w.context);
    cr_assert_eq(training_make(&t), SIGAD_OK, "fault %d, %d: %s", (int)kind, number,
                 sigad_context_message(w.context));
    step(&t);
    step(&t);
    cuda_world_close(&w);
    return status != SIGAD_OK;
}

static void fail_everywhere(fault kind, int stride, int least)
{
    int number = 0;
    while (survives(kind, number)) number += stride;
    cr_expect_gt(number, least, "%d places", number);
}

Test(cuda_training, no_memory_at_every_place)
{
    fail_everywhere(TAKES, 1, 10);
}

Test(cuda_training, launches_that_fail)
{
    fail_everywhere(LAUNCHES, 7, 50);
}

Test(cuda_training, copies_that_fail)
{
    fail_everywhere(COPIES, 1, 15);
}

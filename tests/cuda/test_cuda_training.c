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

static sigad_context *open_with(sigad_context_options options)
{
    sigad_context *context;
    options.size = sizeof options;
    options.threads = 1;
    options.seed = 7;
    cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
    return context;
}

static sigad_context *open_context(int32_t device, void *stream)
{
    return open_with((sigad_context_options){.device = device, .stream = stream});
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

/* Two streams of one device, one of them the caller's, and one of another: each runs its work when
 * somebody waits for it, so steps of the three overlap. */
Test(cuda_training, contexts_take_turns)
{
    enum { CONTEXTS = 3 };
    sigad_context *context[CONTEXTS];
    training t[CONTEXTS];
    void *stream;
    emulated.devices = 2;
    emulated.deferred = 1;
    cr_assert_eq(sg_cuda_runtime_of_build.create_stream(&stream), 0);
    for (int i = 0; i < CONTEXTS; i++) {
        context[i] = open_with((sigad_context_options){
            .device = SIGAD_CUDA, .device_index = i == 2, .stream = i == 1 ? stream : NULL});
        t[i] = make(context[i]);
    }
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < CONTEXTS; k++) step(&t[(i + k) % CONTEXTS]);
    expect_same_weights(&t[2], &t[0], 0.0);
    expect_same_weights(&t[2], &t[1], 0.0);
    for (int i = 0; i < CONTEXTS; i++) sigad_context_destroy(context[i]);
    cr_expect_eq(sg_cuda_runtime_of_build.destroy_stream(stream), 0);
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
    device_hook h = {.failing = -1};
    sigad_context *context = open_with((sigad_context_options){
        .device = SIGAD_CUDA, .device_allocator = device_hook_allocator(&h)});
    training t = make(context);
    emulated.deferred = 1;
    int64_t waits = 0, taken = 0, uploads = 0, calls = 0;
    for (int i = 0; i < STEPS; i++) {
        if (i == STEADY) {
            waits = emulated.waits_for_stream;
            taken = emulated.blocks_taken;
            calls = h.calls;
            uploads = emulated.waits_for_event;
        }
        step(&t);
    }
    cr_expect_eq(emulated.waits_for_stream, waits);
    cr_expect_eq(emulated.blocks_taken, taken);
    cr_expect_eq(h.calls, calls);
    cr_expect_leq(emulated.waits_for_event - uploads, STEPS - STEADY, "resets alone wait");
    sigad_context_destroy(context);
    cr_expect_eq(h.blocks, 0);
}

/* ---- faults
 * --------------------------------------------------------------------------------------- */

typedef enum { TAKES, HOOK, LAUNCHES, COPIES } fault;

static device_hook hook;

static void arm(fault kind, int number)
{
    int *const counter[] = {&emulated.failing_take, &hook.failing, &emulated.failing_launch,
                            &emulated.failing_copy};
    *counter[kind] = number;
}

/* Two steps with a fault at place `number`, and two more after it. False: nothing failed. */
static bool survives(fault kind, int number)
{
    const sigad_status expected = kind <= HOOK ? SIGAD_ENOMEM : SIGAD_ECUDA;
    cuda_world w;
    hook = (device_hook){.failing = -1};
    cuda_world_open_with(&w, kind == HOOK ? device_hook_allocator(&hook) : (sigad_allocator){0});
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
    cr_expect_eq(hook.blocks, 0);
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

Test(cuda_training, no_memory_from_the_hook)
{
    fail_everywhere(HOOK, 1, 10);
}

Test(cuda_training, launches_that_fail)
{
    fail_everywhere(LAUNCHES, 7, 50);
}

Test(cuda_training, copies_that_fail)
{
    fail_everywhere(COPIES, 1, 15);
}

/* What a launch queued takes the device away for good: from where that is noticed on every call
 * says so, and the host computes on. */
static void lose_device(int deferred, int launch)
{
    cuda_world w;
    sigad_context *other;
    const sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = SIGAD_CUDA};
    cuda_world_open(&w);
    training t = {.context = w.context, .file = series_file};
    emulated.deferred = deferred;
    emulated.losing_launch = launch;
    sigad_status status = training_make(&t);
    for (int i = 0; i < 4 && !status; i++) status = training_step(&t);
    if (!status) status = sigad_synchronize(w.context);
    cr_assert(emulated.lost);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(status, SIGAD_ECUDA, "launch %d: %s", launch, sigad_status_string(status));
        cr_expect(sigad_context_message(w.context)[0]);
        sigad_context_clear(w.context);
        status = training_make(&t);
        if (!status) status = training_step(&t);
        if (!status) status = sigad_synchronize(w.context);
    }
    cr_expect_eq(sigad_context_create(&options, &other), SIGAD_EDEVICE);
    sigad_context *host = open_context(SIGAD_CPU, NULL);
    training a = make(host);
    step(&a);
    sigad_context_destroy(host);
    world_close(&w); /* the memory of the host has come back; the device's is gone with it */
    emulated.lost = emulated.deferred = 0;
    emulated.losing_launch = -1;
}

Test(cuda_training, a_lost_device)
{
    for (int deferred = 0; deferred < 2; deferred++)
        for (int launch = 0; launch < 100; launch += 11) lose_device(deferred, launch);
}

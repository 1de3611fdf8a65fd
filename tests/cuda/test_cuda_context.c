/* Contexts on a device: what goes onto a tape and comes back, memory, faults. */
#include "cuda_world.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making a context --------------------------------------------------------------------------
 */

static char logged[1024];
static void log_message(void *user, sigad_log_level level, const char *message)
{
    (void)user;
    (void)level;
    snprintf(logged, sizeof logged, "%s", message);
}

static sigad_status create(sigad_context_options options, sigad_context **context)
{
    options.size = sizeof options;
    options.device = SIGAD_CUDA;
    options.log = log_message;
    logged[0] = 0;
    return sigad_context_create(&options, context);
}

Test(cuda_context, no_device)
{
    sigad_context *context;
    emulated.no_device = 1;
    cr_assert_eq(create((sigad_context_options){0}, &context), SIGAD_EDEVICE);
    cr_assert_null(context);
    cr_assert_str_eq(logged, "sigad_context_create: there is no CUDA device here: "
                             "no CUDA-capable device is detected");
    emulated.no_device = 0;
    const int32_t wrong[] = {-1, 1, 7};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(create((sigad_context_options){.device_index = wrong[i]}, &context),
                     SIGAD_EDEVICE);
        cr_assert_not_null(strstr(logged, "the devices are 0 .. 0"), "%s", logged);
    }
    cr_assert_eq(emulation_streams(), 0);
}

/* ---- leaves ------------------------------------------------------------------------------------
 */

Test(cuda_context, leaves_come_back)
{
    cuda_world w;
    cuda_world_open(&w);
    const double x[] = {1, -2, 3.5}, y[] = {4, 5, 6};
    const int64_t three = 3, labels[] = {7, 8, 9};
    int64_t got[3];
    sigad_tensor a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
    sigad_tensor b = sigad_constant(w.tape, SIGAD_F64, 1, &three, y);
    sigad_tensor c = sigad_constant(w.tape, SIGAD_I64, 1, &three, labels);
    EXPECT(w.tape, a, 1, -2, 3.5);
    EXPECT(w.tape, b, 4, 5, 6);
    cr_assert_eq(sigad_read(w.tape, c, got, sizeof got), SIGAD_OK);
    cr_assert_arr_eq(got, labels, sizeof got);
    cr_assert_eq(sigad_item(w.tape, sigad_scalar(w.tape, SIGAD_F32, 2.5)), 2.5);
    cr_assert_eq(sigad_item(w.tape, sigad_scalar(w.tape, SIGAD_I64, 5)), 5.0);

    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_assert_eq(sigad_describe(w.tape, a, &info), SIGAD_OK);
    cr_assert_eq(info.device, SIGAD_CUDA);
    cr_assert_null(sigad_data(w.tape, a));
    expect_error(w.context, SIGAD_EDEVICE,
                 "sigad_data: the bytes lie on a CUDA device; use sigad_read, or sigad_cuda_data");
    cuda_world_close(&w);
}

/* One tensor's memory may be another's input, of the same context or another. */
Test(cuda_context, device_pointers)
{
    cuda_world w;
    cuda_world_open(&w);
    const double x[] = {1, -2, 3.5}, y[] = {2, 3, 4};
    const int64_t three = 3;
    sigad_tensor a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
    sigad_tensor b = sigad_input(w.tape, SIGAD_F64, 1, &three, y);
    sigad_tensor c = sigad_cuda_input(w.tape, SIGAD_F64, 1, &three, sigad_cuda_data(w.tape, a));
    EXPECT(w.tape, c, 1, -2, 3.5);
    cr_assert_eq(sigad_input_bind(w.tape, c, sigad_cuda_data(w.tape, b)), SIGAD_OK);
    EXPECT(w.tape, c, 2, 3, 4);

    cr_assert_eq(sigad_input_bind(w.tape, c, x), SIGAD_EINVAL);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_input_bind: data is not memory of CUDA device 0: memory of the host goes "
                 "to sigad_input");
    expect_poison(w.context, sigad_cuda_input(w.tape, SIGAD_F64, 1, &three, x), SIGAD_EINVAL,
                  "sigad_cuda_input: data is not memory of CUDA device 0: memory of the host goes "
                  "to sigad_input");
    expect_poison(w.context, sigad_cuda_input(w.tape, SIGAD_F64, 1, &three, NULL), SIGAD_EINVAL,
                  "sigad_cuda_input: data is NULL, but [3] has 3 elements");
    cuda_world_close(&w);
}

Test(cuda_context, device_pointers_on_the_host)
{
    world w;
    world_open(&w);
    const int64_t one = 1;
    const double x = 1;
    expect_poison(w.context, sigad_cuda_input(w.tape, SIGAD_F64, 1, &one, &x), SIGAD_EDEVICE,
                  "sigad_cuda_input: the context computes on the CPU");
    cr_assert_null(sigad_cuda_data(w.tape, sigad_input(w.tape, SIGAD_F64, 1, &one, &x)));
    expect_error(w.context, SIGAD_EDEVICE,
                 "sigad_cuda_data: the context computes on the CPU; use sigad_data");
    world_close(&w);
}

/* ---- when the host waits ------------------------------------------------------------------------
 */

/* With deferred work, bytes are read only when the host waits: the caller's must still be there. */
Test(cuda_context, borrowed_bytes_are_read_before_reset_returns)
{
    cuda_world w;
    cuda_world_open(&w);
    double x[] = {1, 2, 3};
    const int64_t three = 3;
    emulated.deferred = 1;
    sigad_tensor a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
    sigad_tensor b = sigad_cuda_input(w.tape, SIGAD_F64, 1, &three, sigad_cuda_data(w.tape, a));
    x[0] = 5; /* nothing was read so far */
    cr_assert_eq(emulated.waits_for_event + emulated.waits_for_stream, 0);
    EXPECT(w.tape, b, 5, 2, 3);

    const int64_t waits = emulated.waits_for_stream, taken = emulated.copies;
    sigad_tape_reset(w.tape);
    a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
    sigad_tape_reset(w.tape);
    cr_assert_eq(emulated.waits_for_stream, waits);
    cr_assert_eq(emulated.waits_for_event, 2);
    cr_assert_eq(emulated.copies, taken + 1);
    expect_no_error(w.context);
    emulated.deferred = 0;
    cuda_world_close(&w);
}

Test(cuda_context, copied_bytes_are_free_at_once)
{
    cuda_world w;
    cuda_world_open(&w);
    emulated.deferred = 1;
    double x[] = {1, 2, 3};
    const int64_t three = 3;
    sigad_tensor a = sigad_constant(w.tape, SIGAD_F64, 1, &three, x);
    x[0] = x[1] = x[2] = NAN;
    EXPECT(w.tape, a, 1, 2, 3);
    cuda_world_close(&w);
}

/* ---- parameters ---------------------------------------------------------------------------------
 */

Test(cuda_context, parameters_start_as_on_the_cpu)
{
    static const int32_t kinds[] = {SIGAD_INIT_KIND_UNIFORM, SIGAD_INIT_KIND_HE,
                                    SIGAD_INIT_KIND_ORTHOGONAL};
    enum { COUNT = 60 };
    const int64_t shape[] = {12, 5};
    cuda_world w;
    world host;
    cuda_world_open(&w);
    world_open(&host);
    for (int i = 0; i < 3; i++) {
        char name[] = {'p', (char)('0' + i), 0};
        double a[COUNT], b[COUNT];
        sigad_init init = sigad_init_of(kinds[i], 1.0, 2.0);
        sigad_tensor p = sigad_parameter(w.context, name, SIGAD_F64, 2, shape, init);
        sigad_tensor q = sigad_parameter(host.context, name, SIGAD_F64, 2, shape, init);
        cr_assert_eq(sigad_parameter_read(w.context, p, a, sizeof a), SIGAD_OK);
        cr_assert_eq(sigad_parameter_read(host.context, q, b, sizeof b), SIGAD_OK);
        cr_assert_arr_eq(a, b, sizeof a);
        b[3] = 9;
        cr_assert_eq(sigad_parameter_write(w.context, p, b, sizeof b), SIGAD_OK);
        cr_assert_eq(sigad_parameter_read(w.context, p, a, sizeof a), SIGAD_OK);
        cr_assert_arr_eq(a, b, sizeof a);
        sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
        cr_assert_eq(sigad_parameter_describe(w.context, p, &info), SIGAD_OK);
        cr_assert_eq(info.device, SIGAD_CUDA);
    }
    world_close(&host);
    cuda_world_close(&w);
}

/* ---- devices, streams and memory of the caller's
 * -------------------------------------------------- */

static int32_t current_device(void)
{
    int32_t device;
    sg_cuda_runtime_of_build.get_device(&device);
    return device;
}

Test(cuda_context, several_devices_and_streams)
{
    sigad_context *context[3];
    sigad_tape *tape[3];
    sigad_tensor x[3];
    void *stream;
    const int64_t two = 2;
    emulated.devices = 2;
    sg_cuda_runtime_of_build.set_device(1);
    cr_assert_eq(sg_cuda_runtime_of_build.create_stream(&stream), 0);
    sg_cuda_runtime_of_build.set_device(0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(
            create((sigad_context_options){.device_index = i > 0, .stream = i == 2 ? stream : NULL},
                   &context[i]),
            SIGAD_OK);
        cr_assert_eq(sigad_tape_create(context[i], &tape[i]), SIGAD_OK);
        const double values[] = {i, i + 0.5};
        x[i] = sigad_constant(tape[i], SIGAD_F64, 1, &two, values);
        cr_assert_eq(current_device(), 0);
    }
    cr_assert_eq(emulation_streams(), 3);
    EXPECT(tape[1], x[1], 1, 1.5);
    EXPECT(tape[2], x[2], 2, 2.5);
    EXPECT(tape[0], x[0], 0, 0.5);
    /* The memory of another device is not a pointer here. */
    const void *other = sigad_cuda_data(tape[0], x[0]);
    expect_poison(context[1], sigad_cuda_input(tape[1], SIGAD_F64, 1, &two, other), SIGAD_EINVAL,
                  "sigad_cuda_input: data is memory of another CUDA device than 1");
    for (int i = 0; i < 3; i++) sigad_context_destroy(context[i]);
    cr_assert_eq(current_device(), 0);
    cr_assert_eq(emulation_streams(), 1); /* the caller's */
    cr_assert_eq(sg_cuda_runtime_of_build.destroy_stream(stream), 0);
    cr_assert_eq(emulation_blocks(), 0);
}

Test(cuda_context, device_allocator)
{
    device_hook h = {.failing = -1};
    sigad_context *context;
    sigad_tape *tape;
    const int64_t many = 20000;
    static double x[20000];
    cr_assert_eq(
        create((sigad_context_options){.device_allocator = device_hook_allocator(&h)}, &context),
        SIGAD_OK);
    cr_assert_eq(sigad_tape_create(context, &tape), SIGAD_OK);
    sigad_parameter(context, "p", SIGAD_F64, 1, &many, SIGAD_INIT_ZERO);
    int64_t calls = 0;
    for (int step = 0; step < 6; step++) {
        sigad_tape_reset(tape);
        if (step == 2) calls = h.calls;
        for (int i = 0; i < 5; i++) sigad_input(tape, SIGAD_F64, 1, &many, x);
        expect_no_error(context);
    }
    cr_assert_eq(h.calls, calls, "no calls from the third step on");
    h.failing = 0;
    for (int i = 0; i < 100; i++) sigad_input(tape, SIGAD_F64, 1, &many, x);
    expect_error(context, SIGAD_ENOMEM, "sigad_input: no memory for 160000 bytes");
    sigad_context_destroy(context);
    cr_assert_eq(h.blocks, 0);
    cr_assert_not(h.strange);
    cr_assert_eq(emulation_blocks(), 0);
}

static void *host_hook(void *user, void *pointer, size_t old_size, size_t new_size,
                       size_t alignment)
{
    (void)old_size, (void)alignment;
    *(int *)user += pointer ? -1 : 1;
    free(pointer);
    return new_size ? malloc(new_size) : NULL;
}

Test(cuda_context, device_allocator_of_the_hosts_memory)
{
    int blocks = 0;
    sigad_context *context;
    const sigad_context_options options = {.device_allocator = {host_hook, &blocks}};
    cr_assert_eq(create(options, &context), SIGAD_EINVAL);
    cr_assert_null(context);
    cr_assert_eq(blocks, 0);
}

/* ---- faults -------------------------------------------------------------------------------------
 */

Test(cuda_context, failing_copies)
{
    const int64_t three = 3;
    const double x[] = {1, 2, 3};
    for (int fault = 0; fault < 4; fault++) {
        cuda_world w;
        double got[3] = {0};
        cuda_world_open(&w);
        emulated.failing_copy = fault;
        sigad_tensor a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
        sigad_tensor b = sigad_watch(w.tape, sigad_constant(w.tape, SIGAD_F64, 1, &three, x));
        sigad_read(w.tape, a, got, sizeof got);
        cr_assert_eq(sigad_context_status(w.context), SIGAD_ECUDA);
        cr_assert_not_null(strstr(sigad_context_message(w.context),
                                  ": the CUDA runtime reports error 1: an error of the emulation"),
                           "%s", sigad_context_message(w.context));
        sigad_context_clear(w.context);
        a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
        EXPECT(w.tape, a, 1, 2, 3);
        (void)b;
        cuda_world_close(&w);
    }
}

/* Numbers that only a kernel sees are complained of where the host waits, by name. */
Test(cuda_context, bad_numbers)
{
    cuda_world w;
    cuda_world_open(&w);
    const int64_t two = 2, three = 3, index[] = {1, 3};
    const double x[] = {1, NAN, 3};
    sigad_tensor a = sigad_input(w.tape, SIGAD_F64, 1, &three, x);
    sigad_tensor i = sigad_input(w.tape, SIGAD_I64, 1, &two, index);
    sigad_tensor y = sigad_label(w.tape, sigad_gather(w.tape, a, i, 0), "pick");
    sigad_cast(w.tape, a, SIGAD_I64);
    expect_no_error(w.context);
    cr_assert_eq(sigad_synchronize(w.context), SIGAD_ERANGE);
    expect_error(w.context, SIGAD_ERANGE,
                 "gather 'pick': index 3 at entry 1 must be at least 0 and less than 3");
    cr_assert_eq(sigad_synchronize(w.context), SIGAD_OK, "the first is told, once");
    double got[2];
    sigad_cast(w.tape, a, SIGAD_I64);
    cr_assert_eq(sigad_read(w.tape, y, got, sizeof got), SIGAD_ERANGE);
    expect_error(w.context, SIGAD_ERANGE, "cast: entry 1 is nan, which has no int64 value");
    cuda_world_close(&w);
}

static sigad_status host_only(sigad_op_call *call)
{
    *call->y = call->x[0];
    return SIGAD_OK;
}

Test(cuda_context, operations_for_the_host_alone)
{
    static const sigad_op op = {SIGAD_OP_INIT, .name = "mine", .infer = host_only,
                                .fwd = host_only};
    cuda_world w;
    cuda_world_open(&w);
    sigad_tensor x = sigad_scalar(w.tape, SIGAD_F64, 1.0);
    expect_poison(w.context, sigad_apply(w.tape, &op, 1, &x, NULL, 0), SIGAD_ENOTSUP,
                  "mine: it has no cuda_fwd, so it cannot compute in a context on a CUDA device");
    cuda_world_close(&w);
}

/* Every block of device memory fails once. */
Test(cuda_context, out_of_device_memory)
{
    const int64_t shape[] = {100, 100};
    static double x[10000];
    bool failed = true;
    for (int fault = 0; failed && fault < 50; fault++) {
        cuda_world w;
        cuda_world_open(&w);
        emulated.failing_take = fault;
        sigad_tensor p = sigad_parameter(w.context, "p", SIGAD_F64, 2, shape, SIGAD_INIT_HE);
        sigad_tensor a = sigad_input(w.tape, SIGAD_F64, 2, shape, x);
        sigad_constant(w.tape, SIGAD_F64, 2, shape, x);
        sigad_watch(w.tape, a);
        failed = sigad_context_status(w.context) != SIGAD_OK;
        if (failed) cr_assert_eq(sigad_context_clear(w.context), SIGAD_ENOMEM);
        (void)p;
        emulated.failing_take = -1;
        a = sigad_input(w.tape, SIGAD_F64, 2, shape, x);
        cr_assert_eq(sigad_read(w.tape, a, x, sizeof x), SIGAD_OK);
        cuda_world_close(&w);
    }
    cr_assert_not(failed);
}

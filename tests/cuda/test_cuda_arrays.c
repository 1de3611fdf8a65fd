/* The functions on device pointers: arguments, faults of the device, memory. What they compute is
 * checked by sigad-device. */
#include "device_call.h"
#include "device_memory.h"
#include "emulation_control.h"
#include "ops/cuda/runtime.h"
#include "support/failing_allocator.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static sigad_plan *plan_of(int32_t dimension, int32_t degree, int32_t method)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = dimension, .degree = degree,
                           .method = method};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    return plan;
}

/* ---- arguments --------------------------------------------------------------------------------
 */

Test(cuda_arrays, refuses_what_is_never_right)
{
    sigad_plan *plan = plan_of(2, 3, 0);
    size_t bytes;
    double *x = device_take(8 * sizeof *x), *y = device_take(14 * sizeof *y);
    double *work = device_take(1 << 20);
    cr_assert_eq(sigad_cuda_prepare(NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 1, 4, NULL, x, y, work, 1 << 20, NULL), SIGAD_EINVAL,
                 "not prepared");
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    cr_assert_eq(sigad_cuda_sig_f64(NULL, 1, 4, NULL, x, y, work, 1 << 20, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_f64(plan, -1, 4, NULL, x, y, work, 1 << 20, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 1, -4, NULL, x, y, work, 1 << 20, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 1, 4, NULL, NULL, y, work, 1 << 20, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 1, 4, NULL, x, NULL, work, 1 << 20, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, NULL, x, NULL, y, work, 1 << 20, NULL),
                 SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_f64(plan, INT64_MAX / 2, 4, NULL, x, y, work, 1 << 20, NULL),
                 SIGAD_ERANGE);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 1, INT64_MAX / 2, NULL, x, y, work, 1 << 20, NULL),
                 SIGAD_ERANGE);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG, SIGAD_I64, 1, 1, &bytes), SIGAD_EDTYPE);
    cr_assert_eq(sigad_cuda_workspace(plan, (sigad_call)0, SIGAD_F64, 1, 1, &bytes), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_workspace(plan, (sigad_call)9, SIGAD_F64, 1, 1, &bytes), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG, SIGAD_F64, 1, 1, NULL), SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_workspace(NULL, SIGAD_CALL_SIG, SIGAD_F64, 1, 1, &bytes), SIGAD_EINVAL);
    device_release(work);
    device_release(x);
    device_release(y);
    sigad_plan_destroy(plan);
}

/* Each array in turn is the host's, or of another device, or pinned; also while work is captured.
 */
Test(cuda_arrays, memory_of_the_host)
{
    enum { X, BAR, OUT, LENGTHS, WORK, ARRAYS };
    const sg_cuda_runtime *runtime = &sg_cuda_runtime_of_build;
    sigad_plan *plan = plan_of(2, 3, 0);
    _Alignas(256) double of_host[64] = {0};
    void *array[ARRAYS], *stream, *graph, *pinned, *foreign;
    size_t bytes;
    emulated.devices = 2;
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG_BACKPROP, SIGAD_F64, 1, 4, &bytes),
                 SIGAD_OK);
    for (int i = 0; i < ARRAYS; i++) array[i] = device_take(bytes + sizeof of_host);
    runtime->set_device(1);
    foreign = device_take(bytes + sizeof of_host);
    runtime->set_device(0);
    cr_assert_eq(runtime->take_pinned(&pinned, sizeof of_host), 0);
    cr_assert_eq(runtime->create_stream(&stream), 0);
    cr_assert_eq(runtime->begin_capture(stream), 0);
    const int64_t launches = emulated.launches;
    void *const wrong[] = {of_host, foreign};
    for (int i = 0; i < 2 * ARRAYS; i++) {
        void *a[ARRAYS];
        memcpy(a, array, sizeof a);
        a[i / 2] = wrong[i % 2];
        cr_expect_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, a[LENGTHS], a[X], a[BAR], a[OUT],
                                                 a[WORK], bytes, stream),
                     SIGAD_EINVAL, "array %d", i);
    }
    cr_expect_eq(emulated.launches, launches);
    cr_expect_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, NULL, pinned, array[BAR], array[OUT],
                                             array[WORK], bytes, stream),
                 SIGAD_OK);
    cr_expect_eq(runtime->end_capture(stream, &graph), 0);
    cr_expect_null(sigad_cuda_why_not(array[X]));
    cr_expect_null(sigad_cuda_why_not(pinned));
    cr_expect_str_eq(sigad_cuda_why_not(of_host), "it is memory of the host: copy it to the "
                                                  "device, or have it pinned or managed");
    cr_expect_str_eq(sigad_cuda_why_not(foreign),
                     "it is memory of another device than the thread's current one");
    cr_expect_str_eq(sigad_cuda_why_not(NULL), "it is NULL");
    emulated.no_device = 1;
    cr_expect_str_eq(sigad_cuda_why_not(array[X]), "there is no CUDA device here");
    emulated.no_device = 0;
    runtime->destroy_graph(graph);
    runtime->destroy_stream(stream);
    runtime->release_pinned(pinned);
    for (int i = 0; i < ARRAYS; i++) device_release(array[i]);
    device_release(foreign);
    sigad_plan_destroy(plan);
    cr_expect_eq(emulation_blocks(), 0);
}

Test(cuda_arrays, workspace)
{
    sigad_plan *plan = plan_of(2, 3, 0);
    size_t bytes;
    double *x = device_take(8 * sizeof *x), *g = device_take(14 * sizeof *g);
    double *x_bar = device_take(8 * sizeof *x_bar);
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG_BACKPROP, SIGAD_F64, 1, 4, &bytes),
                 SIGAD_OK);
    cr_assert_gt(bytes, 0);
    char *work = device_take(bytes + 256);
    cr_assert_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, NULL, x, g, x_bar, work, bytes, NULL),
                 SIGAD_OK);
    cr_assert_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, NULL, x, g, x_bar, work, bytes - 1, NULL),
                 SIGAD_ESHAPE);
    cr_assert_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, NULL, x, g, x_bar, work + 8, bytes, NULL),
                 SIGAD_EINVAL);
    cr_assert_eq(sigad_cuda_sig_backprop_f64(plan, 1, 4, NULL, x, g, x_bar, NULL, bytes, NULL),
                 SIGAD_EINVAL);
    device_release(work);
    device_release(x);
    device_release(g);
    device_release(x_bar);
    sigad_plan_destroy(plan);
}

/* Scratch of the backward does not grow with the batch, but for z_bar, which is as large as the
 * paths. */
Test(cuda_arrays, workspace_of_many_paths)
{
    sigad_plan *plan = plan_of(4, 4, 0);
    size_t few, many, path = 100 * 4 * sizeof(double);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG_BACKPROP, SIGAD_F64, 10000, 100, &few),
                 SIGAD_OK);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG_BACKPROP, SIGAD_F64, 20000, 100, &many),
                 SIGAD_OK);
    cr_assert_leq(many - few, 10000 * path);
    sigad_plan_destroy(plan);
}

Test(cuda_arrays, nothing_to_do)
{
    sigad_plan *plan = plan_of(2, 3, 0);
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 0, 4, NULL, NULL, NULL, NULL, 0, NULL), SIGAD_OK);
    cr_assert_eq(sigad_cuda_sig_backprop_f64(plan, 0, 4, NULL, NULL, NULL, NULL, NULL, 0, NULL),
                 SIGAD_OK);
    sigad_plan_destroy(plan);
}

Test(cuda_arrays, too_many_words)
{
    sigad_plan *plan = plan_of(2, 31, 0);
    size_t bytes;
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG, SIGAD_F32, 1, 9, &bytes), SIGAD_ERANGE);
    sigad_plan_destroy(plan);
}

/* ---- lengths and batches ----------------------------------------------------------------------
 */

/* What lies outside 0 .. length is clamped, since nobody can look at it before the call. */
Test(cuda_arrays, lengths_are_clamped)
{
    enum { BATCH = 4, LENGTH = 6, D = 2, ENTRIES = 14 };
    const int64_t wild[BATCH] = {-7, 0, 100, 6}, tame[BATCH] = {0, 0, 6, 6};
    double x[BATCH * LENGTH * D], a[BATCH * ENTRIES], b[BATCH * ENTRIES];
    for (int i = 0; i < BATCH * LENGTH * D; i++) x[i] = sin(i);
    device_call c = {.call = SIGAD_CALL_SIG,
                     .dtype = SIGAD_F64,
                     .spec = {SIGAD_SIG_SPEC_INIT, .dimension = D, .degree = 3},
                     .batch = BATCH,
                     .length = LENGTH,
                     .lengths = wild,
                     .x = x};
    cr_assert_eq(call_on_device(&c, a), SIGAD_OK);
    c.lengths = tame;
    cr_assert_eq(call_on_device(&c, b), SIGAD_OK);
    cr_assert_arr_eq(a, b, sizeof a);
}

static float *numbers(int64_t n, int period)
{
    float *x = malloc(sizeof *x * (size_t)n + 1);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(i % period) / (float)period - 0.3f;
    return x;
}

/* More than a grid may have in its second and third directions. (The others would take the fibers
 * long: `sigad-device many`.) */
Test(cuda_arrays, more_paths_than_65535)
{
    emulated.multiprocessors = 132;
    for (int call = SIGAD_CALL_SIG; call <= SIGAD_CALL_SIG_BACKPROP; call++) {
        device_call c = {.call = (sigad_call)call,
                         .dtype = SIGAD_F32,
                         .spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 2},
                         .batch = 70000,
                         .length = 3};
        const int64_t n = call_out_entries(&c);
        float *x = numbers(c.batch * call_x_entries(&c), 97);
        float *g = numbers(c.batch * call_y_entries(&c), 89);
        float *found = malloc(sizeof *found * (size_t)n), *want = malloc(sizeof *want * (size_t)n);
        c.x = x;
        c.y_bar = call_is_backward(c.call) ? g : NULL;
        cr_assert_eq(call_on_device(&c, found), SIGAD_OK);
        cr_assert_eq(call_on_host(&c, want), SIGAD_OK);
        cr_expect_lt(call_distance(SIGAD_F32, n, found, want), 1e-6, "function %d", call);
        free(x);
        free(g);
        free(found);
        free(want);
    }
}

/* ---- faults of the device ---------------------------------------------------------------------
 */

Test(cuda_arrays, no_device)
{
    sigad_plan *plan = plan_of(2, 3, 2);
    size_t bytes = 1;
    emulated.no_device = 1;
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_EDEVICE);
    cr_assert_eq(sigad_cuda_workspace(plan, SIGAD_CALL_SIG, SIGAD_F64, 1, 4, &bytes),
                 SIGAD_EDEVICE);
    cr_assert_eq(bytes, 0);
    cr_assert_eq(sigad_cuda_sig_f64(plan, 0, 4, NULL, NULL, NULL, NULL, 0, NULL), SIGAD_EDEVICE);
    emulated.no_device = 0;
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    sigad_plan_destroy(plan);
}

/* Every launch of every function fails once. */
Test(cuda_arrays, failing_launches)
{
    double x[800], g[800], out[800];
    for (int i = 0; i < 800; i++) x[i] = g[i] = 0.01 * i;
    for (int call = SIGAD_CALL_SIG; call <= SIGAD_CALL_LOGSIG_TO_SIG_BACKPROP; call++)
        for (int32_t method = SIGAD_LYNDON_WORDS; method <= SIGAD_LYNDON_BRACKETS; method++) {
            device_call c = {
                .call = (sigad_call)call,
                .dtype = SIGAD_F64,
                .spec = {SIGAD_SIG_SPEC_INIT, .dimension = 2, .degree = 3, .method = method},
                .batch = 1,
                .length = 300,
                .x = x,
                .y_bar = call_is_backward((sigad_call)call) ? g : NULL};
            sigad_status status = SIGAD_ECUDA;
            int launches = 0;
            for (; status == SIGAD_ECUDA && launches < 20; launches++) {
                emulated.failing_launch = launches;
                status = call_on_device(&c, out);
            }
            cr_assert_eq(status, SIGAD_OK);
            cr_assert_gt(launches, 1);
            emulated.failing_launch = -1;
            cr_assert_eq(emulation_blocks(), 0);
        }
}

Test(cuda_arrays, lost_device)
{
    sigad_plan *plan = plan_of(2, 3, 0);
    double *x = device_take(8 * sizeof *x), *y = device_take(14 * sizeof *y);
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    emulated.losing_launch = 0;
    for (int i = 0; i < 3; i++)
        cr_expect_eq(sigad_cuda_sig_f64(plan, 1, 4, NULL, x, y, NULL, 0, NULL), SIGAD_ECUDA);
    cr_expect_str_eq(sigad_cuda_why_not(x),
                     "the CUDA runtime reports an error, so that it cannot say");
    sigad_plan_destroy(plan);
}

Test(cuda_arrays, tables)
{
    sigad_plan *plan = plan_of(3, 4, 2);
    emulated.failing_upload = 1;
    cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_ENOMEM);
    emulated.failing_upload = 0;
    cr_assert_eq(emulation_blocks(), 0);
    for (int i = 0; i < 3; i++) cr_assert_eq(sigad_cuda_prepare(plan), SIGAD_OK);
    cr_assert_eq(emulation_blocks(), 1);
    sigad_plan_destroy(plan);
    cr_assert_eq(emulation_blocks(), 0);
}

/* Each allocation of sigad_cuda_prepare fails once. */
Test(cuda_arrays, tables_out_of_memory)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = 3, .degree = 4, .method = 2};
    failing_allocator memory = {0};
    sigad_allocator hook = failing_allocator_hook(&memory);
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create_with(&spec, &hook, &plan), SIGAD_OK);
    sigad_status status = SIGAD_ENOMEM;
    for (int i = 1; status == SIGAD_ENOMEM && i < 100; i++) {
        failing_allocator_arm(&memory, i, false);
        status = sigad_cuda_prepare(plan);
    }
    cr_assert_eq(status, SIGAD_OK);
    sigad_plan_destroy(plan);
    cr_assert_eq(memory.live, 0);
    cr_assert_eq(emulation_blocks(), 0);
}

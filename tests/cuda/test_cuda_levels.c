/* Few letters: the kernels of two levels and of as many as registers hold, each where the launch
 * plan chooses it, against the functions on host memory. */
#include "device_call.h"
#include "emulation_control.h"
#include "ops/cuda/layout.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { LENGTH = 4, MOST_BATCH = 1 << 12 };

static int levels_for(const device_call *c)
{
    const sg_cuda_properties device = {.multiprocessors = 1, .shared_bytes = 96 << 10};
    const sg_cuda_shape shape = {c->batch,
                                 LENGTH - 1,
                                 c->spec.dimension,
                                 c->spec.degree,
                                 (int32_t)call_entry_bytes(c),
                                 call_is_backward(c->call)};
    sg_cuda_layout q;
    cr_assert(sg_cuda_lay_out(&shape, &device, &q));
    return q.levels;
}

static void *numbers(sigad_dtype dtype, int64_t n, double phase)
{
    void *x = malloc((size_t)n * sizeof(double) + 1);
    for (int64_t i = 0; i < n; i++) {
        double value = 0.6 * sin((double)i * 1.7 + phase);
        if (dtype == SIGAD_F32)
            ((float *)x)[i] = (float)value;
        else
            ((double *)x)[i] = value;
    }
    return x;
}

static void check(device_call *c)
{
    size_t bytes = (size_t)call_out_entries(c) * call_entry_bytes(c);
    void *x = numbers(c->dtype, c->batch * call_x_entries(c), 0.3);
    void *g = numbers(c->dtype, c->batch * call_y_entries(c), 0.8);
    void *found = malloc(bytes), *want = malloc(bytes);
    c->x = x;
    c->y_bar = call_is_backward(c->call) ? g : NULL;
    cr_assert_eq(call_on_device(c, found), SIGAD_OK);
    cr_assert_eq(call_on_host(c, want), SIGAD_OK);
    double error = call_distance(c->dtype, call_out_entries(c), found, want);
    cr_assert_lt(error, c->dtype == SIGAD_F32 ? 1e-4 : 1e-11, "%d letters, degree %d, batch %d",
                 c->spec.dimension, c->spec.degree, (int)c->batch);
    free(x);
    free(g);
    free(found);
    free(want);
}

/* Every kernel that some batch is given; whether the one of most levels was among them. */
static bool check_batches(device_call *c, int deepest)
{
    bool seen[8] = {false};
    emulated.multiprocessors = 1;
    for (c->batch = 1; c->batch <= MOST_BATCH && !seen[deepest]; c->batch *= 2) {
        int levels = levels_for(c);
        if (!seen[levels]) check(c);
        seen[levels] = true;
    }
    return seen[deepest];
}

Test(cuda_levels, two_and_most)
{
    int deepest_seen[SG_CUDA_MOST_LEAF_LETTERS + 1] = {0};
    int most_letters = 5, most_degree = 8, least_letters = 2, least_degree = 2;
#ifdef SIGAD_FEW_TILES
    most_letters = least_letters = 3;
    least_degree = 3;
    most_degree = 5;
#endif
    for (int letters = least_letters; letters <= most_letters; letters++)
        for (int degree = least_degree; degree <= most_degree && pow(letters, degree) < 5000;
             degree++)
            for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)
                for (int backward = 0; backward < 2; backward++) {
                    device_call c = {
                        .call = backward ? SIGAD_CALL_SIG_BACKPROP : SIGAD_CALL_SIG,
                        .dtype = (sigad_dtype)dtype,
                        .spec = {SIGAD_SIG_SPEC_INIT, .dimension = letters, .degree = degree},
                        .length = LENGTH};
                    const int bytes = (int)call_entry_bytes(&c);
                    deepest_seen[letters] +=
                        check_batches(&c, SG_CUDA_LEAF_LEVELS(letters, degree, bytes, backward));
                }
    for (int letters = least_letters; letters <= most_letters; letters++)
        cr_assert_geq(deepest_seen[letters], 6, "%d letters", letters);
}

#include "dense_problems.h"
#include "dense_pair.h"
#include "device_memory.h"
#include "train/rules/rules.h"

/* A failed launch is left in the place. */
typedef void (*problem)(pair *result);

static void sum(pair *result)
{
    const int64_t n = 5000;
    pair x = dense_drawn(SIGAD_F64, n, -1, 1);
    sg_sum plan;
    sg_sum_plan(&plan, 1, &n, 1);
    *result = dense_filled(SIGAD_F64, 1, 0);
    sg_cuda_dense_kernels.sum(&dense_device, &plan, SIGAD_F64, x.device, 1, result->device, false,
                              NULL);
    dense_release(&x);
}

static void softmax(pair *result)
{
    const sg_split s = {2, 300, 1};
    pair x = dense_drawn(SIGAD_F64, 600, -1, 1);
    *result = dense_filled(SIGAD_F64, 600, 0);
    sg_cuda_dense_kernels.softmax(&dense_device, SG_SOFTMAX_VALUE, SIGAD_F64, &s, x.device, NULL,
                                  NULL, result->device);
    dense_release(&x);
}

static void extreme(pair *result)
{
    const sg_split s = {2, 300, 1};
    pair x = dense_drawn(SIGAD_F64, 600, -1, 1);
    *result = dense_filled(SIGAD_I64, 2, 0);
    sg_cuda_dense_kernels.extreme(&dense_device, SIGAD_F64, s, true, x.device, result->device);
    dense_release(&x);
}

static void cumsum(pair *result)
{
    const sg_split s = {80, 300, 1};
    pair x = dense_drawn(SIGAD_F64, 24000, -1, 1);
    *result = dense_filled(SIGAD_F64, 24000, 0);
    sg_cuda_dense_kernels.cumsum(&dense_device, SIGAD_F64, s, false, x.device, result->device,
                                 false, NULL);
    dense_release(&x);
}

static void product(pair *result)
{
    const sg_gemm_plan p = {
        .dtype = SIGAD_F64, .m = 20, .n = 20, .k = 40, .lda = 40, .ldb = 20, .ldc = 20, .alpha = 1};
    pair a = dense_drawn(SIGAD_F64, 800, -1, 1), b = dense_drawn(SIGAD_F64, 800, -1, 1);
    *result = dense_filled(SIGAD_F64, 400, 0);
    sg_cuda_dense_kernels.gemm(&dense_device, &p, a.device, b.device, result->device);
    dense_release(&a);
    dense_release(&b);
}

static void scatter(pair *result)
{
    const sg_gather_shape s = {.outer = 1, .size = 9, .inner = 1, .count = 1500};
    pair index = dense_drawn(SIGAD_I64, s.count, 0, 9), y = dense_drawn(SIGAD_F64, s.count, -1, 1);
    pair work =
        dense_filled(SIGAD_I64, (int64_t)sg_cuda_dense_kernels.scatter_workspace(s.count) / 8, 0);
    *result = dense_filled(SIGAD_F64, 9, 0);
    sg_cuda_dense_kernels.scatter_add(&dense_device, SIGAD_F64, s, index.device, y.device,
                                      result->device, work.device);
    pair *all[] = {&index, &y, &work};
    for (int i = 0; i < 3; i++) dense_release(all[i]);
}

/* Bad indexes in the hands of several threads; the finding is the result. */
static void check_index(pair *result)
{
    const sg_finding nothing = {0};
    pair index = dense_drawn(SIGAD_I64, 700, 0, 2);
    *result = dense_filled(SIGAD_I64, 1, 0);
    device_put(dense_device.finding, &nothing, sizeof nothing);
    sg_cuda_dense_kernels.check_index(&dense_device, (sg_origin){.operation = "test"}, 700, 1,
                                      index.device);
    const int64_t entry = dense_finding().entry;
    device_put(result->device, &entry, sizeof entry);
    dense_release(&index);
}

static void squares(pair *result)
{
    pair g = dense_drawn(SIGAD_F64, 9000, -1, 1);
    *result = dense_filled(SIGAD_F64, 1, 0);
    const sg_update u = {.gradient = g.device, .count = g.n, .clip_value = 0.9};
    sg_cuda_rules.add_squares(&dense_device, SIGAD_F64, &u, result->device);
    dense_release(&g);
}

static const problem problems[DENSE_PROBLEMS] = {sum,     softmax, extreme,     cumsum,
                                                 product, scatter, check_index, squares};

size_t dense_problem_bytes(int which, char *bytes)
{
    pair result;
    dense_draws(which);
    problems[which](&result);
    const size_t count = (size_t)result.n * 8;
    const bool fault = dense_device.error != 0 || count > DENSE_PROBLEM_BYTES;
    if (!fault) device_get(bytes, result.device, count);
    dense_release(&result);
    return fault ? 0 : count;
}

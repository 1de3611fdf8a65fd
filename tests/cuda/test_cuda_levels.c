/* Few letters: the kernels of two levels and of as many as registers hold, each at the least shape
 * for which the launch plan chooses it, against the functions on host memory. */
#include "device_call.h"
#include "emulation_control.h"
#include "ops/cuda/layout.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_LEVELS = 5, MOST_BATCH = 1 << 16, MOST_STEPS = 20000 };

static const int multiprocessors[] = {1, 132};

/* The least problem that a kernel is chosen for; batch 0: there is none. */
typedef struct {
    int multiprocessors;
    int64_t batch, steps;
} problem;

static int levels_for(const device_call *c, const problem *p)
{
    const sg_cuda_properties device = {.multiprocessors = p->multiprocessors,
                                       .shared_bytes = 96 << 10};
    const sg_cuda_shape shape = {p->batch,
                                 p->steps,
                                 c->spec.dimension,
                                 c->spec.degree,
                                 (int32_t)call_entry_bytes(c),
                                 call_is_backward(c->call)};
    sg_cuda_layout q;
    cr_assert(sg_cuda_lay_out(&shape, &device, &q));
    return q.levels;
}

static void find_problems(const device_call *c, problem of[MOST_LEVELS + 1])
{
    for (int i = 0; i < 2; i++)
        for (int64_t steps = 1; steps < MOST_STEPS; steps *= 3)
            for (int64_t batch = 1; batch <= MOST_BATCH; batch += 1 + batch / 16) {
                problem p = {multiprocessors[i], batch, steps};
                problem *least = &of[levels_for(c, &p)];
                if (!least->batch || batch * steps < least->batch * least->steps) *least = p;
            }
}

static void check(device_call c, const problem *p)
{
    emulated.multiprocessors = p->multiprocessors;
    c.batch = p->batch;
    c.length = p->steps + 1;
    size_t bytes = (size_t)call_out_entries(&c) * call_entry_bytes(&c);
    void *x =
        call_numbers(c.dtype, c.batch * call_x_entries(&c), 0.6 / sqrt((double)p->steps), 0.3);
    void *g = call_numbers(c.dtype, c.batch * call_y_entries(&c), 0.6, 0.8);
    void *found = malloc(bytes), *want = malloc(bytes);
    c.x = x;
    c.y_bar = call_is_backward(c.call) ? g : NULL;
    cr_assert_eq(call_on_device(&c, found), SIGAD_OK);
    cr_assert_eq(call_on_host(&c, want), SIGAD_OK);
    double error = call_distance(c.dtype, call_out_entries(&c), found, want);
    cr_assert_lt(error, c.dtype == SIGAD_F32 ? 1e-4 : 1e-11,
                 "%d letters, degree %d, batch %d, %d steps: %g", c.spec.dimension, c.spec.degree,
                 (int)c.batch, (int)p->steps, error);
    free(x);
    free(g);
    free(found);
    free(want);
}

/* Every kernel that some shape is given; whether one of more than two levels was among them. */
static bool check_kernels(const device_call *c)
{
    const int bytes = (int)call_entry_bytes(c);
    const int most =
        SG_CUDA_LEAF_LEVELS(c->spec.dimension, c->spec.degree, bytes, call_is_backward(c->call));
    problem least[MOST_LEVELS + 1] = {{0}};
    find_problems(c, least);
    for (int levels = 1; levels <= MOST_LEVELS; levels++)
        if (least[levels].batch) check(*c, &least[levels]);
    return most > 2 && least[most].batch;
}

Test(cuda_levels, two_and_most)
{
    int most_letters = 5, most_degree = 8, least_letters = 2, least_degree = 2;
#ifdef SIGAD_FEW_TILES
    most_letters = least_letters = 3;
    least_degree = 3;
    most_degree = 5;
#endif
    for (int letters = least_letters; letters <= most_letters; letters++) {
        int deepest_seen = 0;
        for (int degree = least_degree; degree <= most_degree; degree++)
            for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)
                for (int backward = 0; backward < 2; backward++) {
                    const device_call c = {
                        .call = backward ? SIGAD_CALL_SIG_BACKPROP : SIGAD_CALL_SIG,
                        .dtype = (sigad_dtype)dtype,
                        .spec = {SIGAD_SIG_SPEC_INIT, .dimension = letters, .degree = degree}};
                    deepest_seen += check_kernels(&c);
                }
        cr_assert_gt(deepest_seen, 2, "%d letters", letters);
    }
}

#include "barrier_problems.h"
#include "device_call.h"
#include "emulation_control.h"
#include <math.h>
#include <stdlib.h>

static const struct {
    int32_t dimension, degree, method;
    int64_t batch, length;
    int multiprocessors;
} problem[BARRIER_PROBLEMS] = {
    {3, 3, SIGAD_LYNDON_BRACKETS, 20, 40, 1}, /* few blocks: each takes several tasks */
    {2, 3, SIGAD_LYNDON_WORDS, 1, 140, 8},    /* chunks of time */
    {3, 5, SIGAD_LYNDON_BRACKETS, 1, 4, 1},   /* brackets in several waves; slices */
    {3, 5, SIGAD_LYNDON_WORDS, 1, 90, 1},     /* pieces with more words than increments */
    {4, 1, SIGAD_LYNDON_WORDS, 30, 5, 1}};    /* one level */

static double *numbers(int64_t n, double phase)
{
    double *x = malloc((size_t)n * sizeof *x + 1);
    for (int64_t i = 0; x && i < n; i++) x[i] = 0.5 * sin((double)i * 1.7 + phase);
    return x;
}

static double *run(int which, int call, size_t *bytes,
                   sigad_status (*function)(const device_call *, void *))
{
    device_call c = {.call = (sigad_call)call,
                     .dtype = SIGAD_F64,
                     .spec = {SIGAD_SIG_SPEC_INIT, .dimension = problem[which].dimension,
                              .degree = problem[which].degree, .method = problem[which].method},
                     .batch = problem[which].batch,
                     .length = problem[which].length};
    double *x = numbers(c.batch * call_x_entries(&c), 0.3);
    double *g = numbers(c.batch * call_y_entries(&c), 0.9);
    c.x = x;
    c.y_bar = call_is_backward(c.call) ? g : NULL;
    emulated.multiprocessors = problem[which].multiprocessors;
    *bytes = (size_t)call_out_entries(&c) * sizeof(double);
    double *out = calloc(1, *bytes + 1);
    if (out && function(&c, out)) {
        free(out);
        out = NULL;
    }
    free(x);
    free(g);
    return out;
}

double *barrier_problem_on_device(int which, int call, size_t *bytes)
{
    return run(which, call, bytes, call_on_device);
}

double *barrier_problem_on_host(int which, int call, size_t *bytes)
{
    return run(which, call, bytes, call_on_host);
}

/* Threads of a block may run in any order between two barriers, and no barrier is there for
 * nothing: in every order the bits are the same, and without any one barrier they are not. */
#include "device_call.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Problems that meet every barrier with several blocks of steps, tasks to a block of threads,
 * slices and chunks. */
static const struct {
    int32_t dimension, degree, method;
    int64_t batch, length;
    int multiprocessors;
} problem[] = {{3, 3, SIGAD_LYNDON_BRACKETS, 20, 40, 1}, /* few blocks: each takes several tasks */
               {2, 3, SIGAD_LYNDON_WORDS, 1, 140, 8},    /* chunks of time */
               {3, 5, SIGAD_LYNDON_BRACKETS, 1, 4, 1},   /* brackets in several waves; slices */
               {4, 1, SIGAD_LYNDON_WORDS, 30, 5, 1}};    /* one level */
enum { PROBLEMS = sizeof problem / sizeof *problem };

static double *numbers(int64_t n, double phase)
{
    double *x = malloc((size_t)n * sizeof *x + 1);
    for (int64_t i = 0; i < n; i++) x[i] = 0.5 * sin((double)i * 1.7 + phase);
    return x;
}

/* A function applied to a problem; the result's bytes, NULL after a fault. */
static double *run(int which, int call, size_t *bytes)
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
    sigad_status status = call_on_device(&c, out);
    const char *fault = emulation_fault();
    cr_assert_eq(status == SIGAD_OK, fault == NULL);
    if (status) {
        free(out);
        out = NULL;
    }
    free(x);
    free(g);
    return out;
}

Test(cuda_barriers, any_order)
{
    for (int which = 0; which < PROBLEMS; which++)
        for (int call = SIGAD_CALL_SIG; call <= SIGAD_CALL_LOGSIG_TO_SIG_BACKPROP; call++) {
            size_t bytes;
            emulated.schedule = EMULATION_UPWARDS;
            double *first = run(which, call, &bytes);
            cr_assert_not_null(first);
            for (int s = EMULATION_UPWARDS + 1; s < EMULATION_SCHEDULES; s++) {
                emulated.schedule = s;
                double *other = run(which, call, &bytes);
                cr_assert_not_null(other);
                cr_assert_arr_eq(first, other, bytes, "problem %d, function %d, order %d", which,
                                 call, s);
                free(other);
            }
            free(first);
        }
}

/* Is the result different in some order without this barrier? */
static bool is_needed(int barrier, int which, int call, const double *good)
{
    size_t bytes;
    bool needed = false;
    emulated.skipped_barrier = barrier;
    for (int s = 0; s < EMULATION_SCHEDULES && !needed; s++) {
        emulated.schedule = s;
        double *found = run(which, call, &bytes);
        needed = !found || memcmp(good, found, bytes) != 0;
        free(found);
    }
    emulated.skipped_barrier = -1;
    return needed;
}

Test(cuda_barriers, none_is_superfluous)
{
    enum { MOST = 64 };
    bool needed[MOST] = {false};
    for (int which = 0; which < PROBLEMS; which++)
        for (int call = SIGAD_CALL_SIG; call <= SIGAD_CALL_LOGSIG_TO_SIG_BACKPROP; call++) {
            size_t bytes;
            bool met[MOST];
            emulated.schedule = EMULATION_UPWARDS;
            for (int i = 0; i < emulation_barriers(); i++) emulation_met(i);
            double *good = run(which, call, &bytes);
            for (int i = 0; i < emulation_barriers(); i++) met[i] = emulation_met(i);
            for (int i = 0; i < emulation_barriers(); i++)
                if (met[i] && !needed[i]) needed[i] = is_needed(i, which, call, good);
            free(good);
        }
    cr_assert_gt(emulation_barriers(), 5);
    for (int i = 0; i < emulation_barriers(); i++)
        cr_expect(needed[i], "the results are the same without %s", emulation_barrier(i));
}

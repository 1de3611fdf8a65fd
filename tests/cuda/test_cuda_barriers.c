/* Threads of a block may run in any order between two barriers, and no barrier is there for
 * nothing: in every order the bits are the same, and without any one barrier they are not. */
#include "barrier_problems.h"
#include "device_call.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static double *run(int which, int call, size_t *bytes)
{
    double *out = barrier_problem_on_device(which, call, bytes);
    const char *fault = emulation_fault();
    cr_assert_eq(out != NULL, fault == NULL);
    return out;
}

Test(cuda_barriers, any_order)
{
    for (int which = 0; which < BARRIER_PROBLEMS; which++)
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
    for (int which = 0; which < BARRIER_PROBLEMS; which++)
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

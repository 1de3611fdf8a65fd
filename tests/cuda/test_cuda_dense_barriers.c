/* As test_cuda_barriers.c, for the kernels of dense operations: in every order of threads the bits
 * are the same, and without any one barrier they are not. */
#include "dense_pair.h"
#include "dense_problems.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(cuda_dense_barriers, .init = dense_begin, .fini = dense_end);

/* 0 after a fault. */
static size_t run(int which, char *bytes)
{
    const size_t count = dense_problem_bytes(which, bytes);
    cr_assert_eq(emulation_fault() != NULL, count == 0);
    dense_device.error = 0;
    return count;
}

static char good[DENSE_PROBLEM_BYTES], found[DENSE_PROBLEM_BYTES];

Test(cuda_dense_barriers, any_order)
{
    for (int which = 0; which < DENSE_PROBLEMS; which++) {
        emulated.schedule = EMULATION_UPWARDS;
        const size_t bytes = run(which, good);
        cr_assert(bytes);
        for (int s = EMULATION_UPWARDS + 1; s < EMULATION_SCHEDULES; s++) {
            emulated.schedule = s;
            cr_assert_eq(run(which, found), bytes);
            cr_assert_arr_eq(good, found, bytes, "problem %d, order %d", which, s);
        }
    }
}

static bool is_needed(int barrier, int which, size_t bytes)
{
    bool needed = false;
    emulated.skipped_barrier = barrier;
    for (int s = 0; s < EMULATION_SCHEDULES && !needed; s++) {
        emulated.schedule = s;
        needed = run(which, found) != bytes || memcmp(good, found, bytes) != 0;
    }
    emulated.skipped_barrier = -1;
    return needed;
}

Test(cuda_dense_barriers, none_is_superfluous)
{
    enum { MOST = 64 };
    bool needed[MOST] = {false};
    for (int which = 0; which < DENSE_PROBLEMS; which++) {
        bool met[MOST];
        emulated.schedule = EMULATION_UPWARDS;
        for (int i = 0; i < emulation_barriers(); i++) emulation_met(i);
        const size_t bytes = run(which, good);
        for (int i = 0; i < emulation_barriers(); i++) met[i] = emulation_met(i);
        for (int i = 0; i < emulation_barriers(); i++)
            if (met[i] && !needed[i]) needed[i] = is_needed(i, which, bytes);
    }
    cr_assert_gt(emulation_barriers(), 5);
    for (int i = 0; i < emulation_barriers(); i++)
        cr_expect(needed[i], "the results are the same without %s", emulation_barrier(i));
}

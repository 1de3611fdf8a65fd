/* The kernels of dense operations that have shared memory, run by threads of the host for the
 * thread sanitizer to watch: it reports what no barrier orders. The bits are the same however they
 * run. */
#include "dense_pair.h"
#include "dense_problems.h"
#include <criterion/criterion.h>

TestSuite(race_dense, .init = dense_begin, .fini = dense_end);

Test(race_dense, twice_the_same)
{
    static char first[DENSE_PROBLEM_BYTES], second[DENSE_PROBLEM_BYTES];
    for (int which = 0; which < DENSE_PROBLEMS; which++) {
        const size_t bytes = dense_problem_bytes(which, first);
        cr_assert(bytes, "problem %d", which);
        cr_assert_eq(dense_problem_bytes(which, second), bytes);
        cr_assert_arr_eq(first, second, bytes, "problem %d", which);
    }
}

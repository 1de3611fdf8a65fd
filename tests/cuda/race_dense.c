/* race_dense: the kernels of dense operations that have shared memory, run by threads of the host
 * for the thread sanitizer to watch: it reports what no barrier orders. The bits are the same
 * however they run. Prints 'N passed, N failed'; exit status 1 if any failed. */
#include "dense_pair.h"
#include "dense_problems.h"
#include <stdio.h>
#include <string.h>

int main(void)
{
    static char first[DENSE_PROBLEM_BYTES], second[DENSE_PROBLEM_BYTES];
    int passed = 0;
    dense_begin();
    for (int which = 0; which < DENSE_PROBLEMS; which++) {
        const size_t bytes = dense_problem_bytes(which, first);
        passed += bytes && dense_problem_bytes(which, second) == bytes &&
                  memcmp(first, second, bytes) == 0;
    }
    printf("%d passed, %d failed\n", passed, DENSE_PROBLEMS - passed);
    return passed < DENSE_PROBLEMS;
}

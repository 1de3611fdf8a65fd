/* race_cuda: every kernel with shared memory, run by threads of the host for the thread sanitizer
 * to watch, against the functions on host memory. Prints 'N passed, N failed'; exit status 1 if any
 * failed (the sanitizer has its own). */
#include "barrier_problems.h"
#include "device_call.h"
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int passed = 0, failed = 0;
    for (int which = 0; which < BARRIER_PROBLEMS; which++)
        for (int call = SIGAD_CALL_SIG; call <= SIGAD_CALL_LOGSIG_TO_SIG_BACKPROP; call++) {
            size_t bytes;
            double *found = barrier_problem_on_device(which, call, &bytes);
            double *want = barrier_problem_on_host(which, call, &bytes);
            const int64_t n = (int64_t)(bytes / sizeof *want);
            const int good = found && want && call_distance(SIGAD_F64, n, found, want) <= 1e-10;
            if (!good) printf("problem %d, function %d\n", which, call);
            passed += good;
            failed += !good;
            free(found);
            free(want);
        }
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}

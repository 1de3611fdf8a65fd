/* Problems that meet every barrier of the kernels, with several blocks of steps, tasks to a block
 * of threads, slices, chunks and pieces of them. */
#ifndef BARRIER_PROBLEMS_H
#define BARRIER_PROBLEMS_H
#include <stddef.h>

enum { BARRIER_PROBLEMS = 5 };
/* Function `call` (a sigad_call) applied to problem `which`: the result, to be freed, NULL after a
 * failed launch; and of the functions on host memory. */
double *barrier_problem_on_device(int which, int call, size_t *bytes);
double *barrier_problem_on_host(int which, int call, size_t *bytes);
#endif

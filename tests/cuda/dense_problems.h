/* Problems that meet every barrier of the kernels of dense operations. */
#ifndef DENSE_PROBLEMS_H
#define DENSE_PROBLEMS_H
#include <stddef.h>

enum { DENSE_PROBLEMS = 8, DENSE_PROBLEM_BYTES = 1 << 18 };
/* Between dense_begin and dense_end: the bytes of problem `which`, the same each time; 0 after a
 * fault, which is left in dense_device. */
size_t dense_problem_bytes(int which, char *bytes);
#endif

/* Arrays of floats or doubles, and how far they are from what is wanted. */
#ifndef NUMBERS_H
#define NUMBERS_H
#include <stdbool.h>
#include <stdint.h>

double numbers_entry(bool single, const void *array, int64_t i);

/* Largest difference, relative to the largest wanted entry or 1; NaN if there is one. */
double numbers_distance(bool single, int64_t n, const void *found, const double *wanted);

#endif

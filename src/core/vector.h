/* The two loops over double vectors that need no more than this; their order of adding is fixed. */
#ifndef SG_VECTOR_H
#define SG_VECTOR_H
#include <stdint.h>

double sg_dot(const double *a, const double *b, int64_t n);
/* to += scale * from */
void sg_add_scaled(double *to, double scale, const double *from, int64_t n);
#endif

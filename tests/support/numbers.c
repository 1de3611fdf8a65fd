#include "support/numbers.h"
#include <math.h>

double numbers_entry(bool single, const void *array, int64_t i)
{
    return single ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

double numbers_distance(bool single, int64_t n, const void *found, const double *wanted)
{
    double worst = 0, size = 1;
    for (int64_t i = 0; i < n; i++) {
        double error = fabs(numbers_entry(single, found, i) - wanted[i]);
        if (!(error <= worst) && !isnan(worst)) worst = error;
        size = fmax(size, fabs(wanted[i]));
    }
    return worst / size;
}

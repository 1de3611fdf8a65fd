#include "io/ts.h"
#include <math.h>

static size_t next_known(const double *values, size_t i, size_t n)
{
    while (i < n && isnan(values[i])) i++;
    return i;
}

bool sg_ts_fill(int32_t missing, double *values, size_t n)
{
    if (missing == SIGAD_MISSING_REFUSE || missing == SIGAD_MISSING_NAN) return true;
    size_t right = next_known(values, 0, n);
    if (right == n) return false;
    for (size_t i = 0; i < right; i++) values[i] = values[right];
    for (size_t left = right; left < n; left = right) {
        right = next_known(values, left + 1, n);
        for (size_t i = left + 1; i < right; i++) {
            double share = missing == SIGAD_MISSING_LINEAR && right < n
                               ? (double)(i - left) / (double)(right - left)
                               : 0.0;
            values[i] =
                share > 0.0 ? values[left] * (1.0 - share) + values[right] * share : values[left];
        }
    }
    return true;
}

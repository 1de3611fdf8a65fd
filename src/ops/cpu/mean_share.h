/* What each term of a mean gets of the mean's cotangent g, one number in memory: g / count, and 1
 * where g is NULL. */
#ifndef SG_MEAN_SHARE_H
#define SG_MEAN_SHARE_H
#include "sigad/base.h"

typedef struct {
    const void *g;
    int64_t count;
} sg_mean_share;

static inline double sg_cpu_mean_share(int32_t dtype, sg_mean_share share)
{
    if (!share.g) return 1;
    double g = dtype == SIGAD_F64 ? *(const double *)share.g : (double)*(const float *)share.g;
    return g / (double)share.count;
}
#endif

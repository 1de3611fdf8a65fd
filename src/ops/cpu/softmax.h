/* Softmax and log-softmax along one axis of [outer, n, inner], and their derivatives. */
#ifndef SG_CPU_SOFTMAX_H
#define SG_CPU_SOFTMAX_H
#include "ops/place.h"
#include "ops/split.h"

/* y is the operation's result, g a cotangent of it, u a tangent of x. Where it is not a value, the
 * kernel adds to its output. */
typedef enum {
    SG_SOFTMAX_VALUE,      /* of x */
    SG_SOFTMAX_FIRST,      /* of y and of g or u: the Jacobian is symmetric */
    SG_SOFTMAX_SECOND,     /* of y, g, u */
    SG_LOG_SOFTMAX_VALUE,  /* of x */
    SG_LOG_SOFTMAX_VJP,    /* of y, g */
    SG_LOG_SOFTMAX_JVP,    /* of y, u */
    SG_LOG_SOFTMAX_SECOND, /* of y, g, u */
    SG_SOFTMAX_KERNELS
} sg_softmax_kernel;

void sg_cpu_softmax(sg_place *place, sg_softmax_kernel kernel, int32_t dtype, const sg_split *split,
                    const void *a, const void *b, const void *c, void *out);
#endif

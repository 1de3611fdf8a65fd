/* For sums over classes: the body for i = 0, step .. (n - 1) step, where e[k] is exp(x[i] - shift),
 * of REAL; and sums of them alone. */
#ifndef SG_EACH_EXP_H
#define SG_EACH_EXP_H
#include "ops/cpu/dense/dense.h"

enum { SG_EXPS = 128 }; /* are taken at once */

#define SG_DENSE_OF_REAL sg_dense_of(sizeof(REAL) == 8 ? SIGAD_F64 : SIGAD_F32)
#define SG_EACH_EXP(i, n, step, x, shift, body)                                      \
    for (int64_t done = 0; done < (n); done += SG_EXPS) {                            \
        const int64_t part = (n)-done < SG_EXPS ? (n)-done : SG_EXPS;                \
        REAL e[SG_EXPS];                                                             \
        SG_DENSE_OF_REAL->exps(part, (x) + done * (step), step, (double)(shift), e); \
        for (int64_t k = 0, i = done * (step); k < part; k++, i += (step)) body;     \
    }

/* sum, a double, += exp(x[i] - shift) */
#define SG_SUM_EXPS(sum, n, step, x, shift)                                                   \
    for (int64_t done = 0; done < (n); done += SG_EXPS) {                                     \
        const int64_t part = (n)-done < SG_EXPS ? (n)-done : SG_EXPS;                         \
        REAL e[SG_EXPS];                                                                      \
        (sum) += SG_DENSE_OF_REAL->exps(part, (x) + done * (step), step, (double)(shift), e); \
    }
#endif

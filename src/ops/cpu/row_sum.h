/* A sum over a row for kernels that are compiled for both reals: `result` becomes the sum of
 * `term`, an expression of i, over 0 <= i < n. Sixteen sums side by side let the compiler vectorise
 * it, in an order that n alone decides. */
#ifndef SG_CPU_ROW_SUM_H
#define SG_CPU_ROW_SUM_H

#define SG_ROW_SUM(result, n, term)                                   \
    do {                                                              \
        REAL lane[16] = {0};                                          \
        int64_t even = (n) - (n) % 16;                                \
        for (int64_t from = 0; from < even; from += 16)               \
            for (int64_t l = 0; l < 16; l++) {                        \
                const int64_t i = from + l;                           \
                lane[l] += term;                                      \
            }                                                         \
        for (int64_t i = even; i < (n); i++) lane[i - even] += term;  \
        for (int half = 8; half > 0; half /= 2)                       \
            for (int l = 0; l < half; l++) lane[l] += lane[l + half]; \
        (result) = lane[0];                                           \
    } while (0)
#endif

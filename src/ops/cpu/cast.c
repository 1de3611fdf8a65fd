#include "ops/cpu/cast.h"
#include "sigad/base.h"
#include <string.h>

#define CONVERT(FROM, TO)                                          \
    do {                                                           \
        const FROM *restrict source = from;                        \
        TO *restrict target = to;                                  \
        for (int64_t i = 0; i < n; i++) target[i] = (TO)source[i]; \
        return -1;                                                 \
    } while (0)

/* -2^63 and 2^63 are exact in both floating types; a NaN fails the comparison. */
#define CONVERT_TO_INTEGER(FROM)                                                     \
    do {                                                                             \
        const FROM *restrict source = from;                                          \
        int64_t *restrict target = to;                                               \
        for (int64_t i = 0; i < n; i++) {                                            \
            if (!(source[i] >= (FROM)-0x1p63 && source[i] < (FROM)0x1p63)) return i; \
            target[i] = (int64_t)source[i];                                          \
        }                                                                            \
        return -1;                                                                   \
    } while (0)

#define ADD(FROM, TO)                                               \
    do {                                                            \
        const FROM *restrict source = from;                         \
        TO *restrict target = to;                                   \
        for (int64_t i = 0; i < n; i++) target[i] += (TO)source[i]; \
        return;                                                     \
    } while (0)

int64_t sg_cpu_cast(sg_place *place, sg_origin origin, int64_t n, int32_t from_dtype,
                    const void *from, int32_t to_dtype, void *to)
{
    (void)place, (void)origin;
    if (from_dtype == to_dtype && n) memcpy(to, from, (size_t)n * (to_dtype == SIGAD_F32 ? 4 : 8));
    if (from_dtype == to_dtype) return -1;
    if (from_dtype == SIGAD_F32 && to_dtype == SIGAD_F64) CONVERT(float, double);
    if (from_dtype == SIGAD_F64 && to_dtype == SIGAD_F32) CONVERT(double, float);
    if (from_dtype == SIGAD_I64 && to_dtype == SIGAD_F64) CONVERT(int64_t, double);
    if (from_dtype == SIGAD_I64 && to_dtype == SIGAD_F32) CONVERT(int64_t, float);
    if (from_dtype == SIGAD_F32) CONVERT_TO_INTEGER(float);
    CONVERT_TO_INTEGER(double);
}

void sg_cpu_cast_add(sg_place *place, int64_t n, int32_t from_dtype, const void *from,
                     int32_t to_dtype, void *to)
{
    (void)place;
    if (from_dtype == SIGAD_F32 && to_dtype == SIGAD_F32) ADD(float, float);
    if (from_dtype == SIGAD_F32) ADD(float, double);
    if (to_dtype == SIGAD_F32) ADD(double, float);
    ADD(double, double);
}

/* CPU kernels of conversions between element types. */
#ifndef SG_CPU_CAST_H
#define SG_CPU_CAST_H
#include "ops/place.h"

/* to = from. To SIGAD_I64 it rounds towards zero; returns the position of the first entry that has
 * no int64 value, or -1 if all have one. On a device: -1, and such an entry is noted in the place.
 */
int64_t sg_cpu_cast(sg_place *place, sg_origin origin, int64_t n, int32_t from_dtype,
                    const void *from, int32_t to_dtype, void *to);
/* to += from, between floating types. */
void sg_cpu_cast_add(sg_place *place, int64_t n, int32_t from_dtype, const void *from,
                     int32_t to_dtype, void *to);
#endif

#include "dense_pair.h"
#include "device_memory.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void dense_end(void)
{
    const char *fault = emulation_fault();
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(dense_device.error, 0, "a launch failed with %d", dense_device.error);
    device_release(dense_device.finding);
    device_release(dense_device.scratch);
}

static double entry(int32_t dtype, const void *array, int64_t i)
{
    return dtype == SIGAD_F32   ? (double)((const float *)array)[i]
           : dtype == SIGAD_F64 ? ((const double *)array)[i]
                                : (double)((const int64_t *)array)[i];
}

void dense_expect(const pair *p, double rtol32, double rtol64, const char *format, ...)
{
    char text[200];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    const double rtol = p->dtype == SIGAD_F32 ? rtol32 : p->dtype == SIGAD_F64 ? rtol64 : 0;
    void *got = malloc(dense_bytes(p) + 1);
    device_get(got, p->device, dense_bytes(p));
    for (int64_t i = 0; i < p->n; i++) {
        const double a = entry(p->dtype, got, i), b = entry(p->dtype, p->host, i);
        if (a == b || (a != a && b != b)) continue;
        cr_assert(fabs(a - b) <= rtol * fmax(1.0, fabs(b)),
                  "%s, dtype %d: entry %lld is %.17g, %.17g", text, p->dtype, (long long)i, a, b);
    }
    free(got);
}

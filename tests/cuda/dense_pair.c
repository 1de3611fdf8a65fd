#include "dense_pair.h"
#include "core/random.h"
#include "device_memory.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

sg_place dense_host, dense_device;
static uint64_t draws;

void dense_begin(void)
{
    const sg_finding nothing = {0};
    draws = 0;
    dense_host = (sg_place){.kernels = &sg_cpu_kernels, .device = SIGAD_CPU, .threads = 1};
    dense_device = (sg_place){.kernels = &sg_cuda_dense_kernels,
                              .device = SIGAD_CUDA,
                              .finding = device_take(sizeof nothing),
                              .scratch = device_take(SG_PLACE_SCRATCH * sizeof(double))};
    device_put(dense_device.finding, &nothing, sizeof nothing);
}

void dense_end(void)
{
    const char *fault = emulation_fault();
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(dense_device.error, 0, "a launch failed with %d", dense_device.error);
    device_release(dense_device.finding);
    device_release(dense_device.scratch);
}

sg_finding dense_finding(void)
{
    sg_finding found;
    device_get(&found, dense_device.finding, sizeof found);
    return found;
}

void dense_draws(int number)
{
    draws = (uint64_t)number << 32;
}

double dense_number(double low, double high)
{
    return low + (high - low) * sg_random_uniform(77, draws++);
}

int64_t dense_integer(int64_t low, int64_t high)
{
    return low + (int64_t)(dense_number(0, 1) * (double)(high - low));
}

static size_t bytes_of(const pair *p)
{
    return (size_t)p->n * (p->dtype == SIGAD_F32 ? 4 : 8);
}

static void set(const pair *p, int64_t i, double value)
{
    if (p->dtype == SIGAD_F32)
        ((float *)p->host)[i] = (float)value;
    else if (p->dtype == SIGAD_F64)
        ((double *)p->host)[i] = value;
    else
        ((int64_t *)p->host)[i] = (int64_t)floor(value);
}

pair dense_drawn(int32_t dtype, int64_t n, double low, double high)
{
    pair p = {.dtype = dtype, .n = n};
    p.host = malloc(bytes_of(&p) + 1);
    p.device = device_take(bytes_of(&p));
    for (int64_t i = 0; i < n; i++) set(&p, i, dense_number(low, high));
    dense_upload(&p);
    return p;
}

pair dense_filled(int32_t dtype, int64_t n, double value)
{
    return dense_drawn(dtype, n, value, value);
}

void dense_upload(const pair *p)
{
    device_put(p->device, p->host, bytes_of(p));
}

void dense_release(pair *p)
{
    free(p->host);
    device_release(p->device);
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
    void *got = malloc(bytes_of(p) + 1);
    device_get(got, p->device, bytes_of(p));
    for (int64_t i = 0; i < p->n; i++) {
        const double a = entry(p->dtype, got, i), b = entry(p->dtype, p->host, i);
        if (a == b || (a != a && b != b)) continue;
        cr_assert(fabs(a - b) <= rtol * fmax(1.0, fabs(b)),
                  "%s, dtype %d: entry %lld is %.17g, %.17g", text, p->dtype, (long long)i, a, b);
    }
    free(got);
}

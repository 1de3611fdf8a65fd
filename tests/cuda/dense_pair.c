#include "dense_pair.h"
#include "core/random.h"
#include "device_memory.h"
#include <math.h>
#include <stdlib.h>

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

size_t dense_bytes(const pair *p)
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
    p.host = malloc(dense_bytes(&p) + 1);
    p.device = device_take(dense_bytes(&p));
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
    device_put(p->device, p->host, dense_bytes(p));
}

void dense_release(pair *p)
{
    free(p->host);
    device_release(p->device);
}

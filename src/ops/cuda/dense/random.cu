// Random numbers: the draws of ops/cpu/random.h.
#include "core/philox.h"
#include "ops/cuda/dense/common.cuh"

SG_KERNEL(BLOCK) set_key_kernel(uint64_t key, uint64_t *to)
{
    if (thread_index() == 0) *to = key;
}

void sg_cuda_set_key(sg_place *place, uint64_t key, uint64_t *to)
{
    queue(place, set_key_kernel, 1, WARP, 0, key, to);
}

template <class T>
SG_KERNEL(BLOCK)
uniform_kernel(uint64_t key, double low, double width, int64_t n, T *y)
{
    SG_MINE(i, n)
    {
        const double unit = sg_uniform_at(key, static_cast<uint64_t>(i));
        y[i] = static_cast<T>(low + width * unit);
    }
}

template <class T> SG_KERNEL(BLOCK) normal_kernel(uint64_t key, int64_t n, T *y)
{
    SG_MINE(i, n) y[i] = static_cast<T>(sg_normal_at(key, static_cast<uint64_t>(i)));
}

// A thread for the four entries that one block of words decides on.
template <class T>
SG_KERNEL(BLOCK)
dropout_kernel(const uint64_t *key, double threshold, T scale, int64_t n, const T *x, T *y,
               bool add)
{
    SG_MINE(four, (n + 3) / 4)
    {
        const int64_t first = 4 * four;
        const sg_random_block block = sg_philox_block(*key, 0, static_cast<uint64_t>(first));
        for (int k = 0; k < 4 && first + k < n; k++) {
            const int64_t i = first + k;
            const T kept = block.word[k] >= threshold ? x[i] * scale : T(0);
            y[i] = add ? y[i] + kept : kept;
        }
    }
}

template <class T>
static void queue_uniform(sg_place *place, uint64_t key, double low, double high, int64_t n,
                          void *y)
{
    queue_entries(place, uniform_kernel<T>, n, key, low, high - low, n, out<T>(y));
}

template <class T> static void queue_normal(sg_place *place, uint64_t key, int64_t n, void *y)
{
    queue_entries(place, normal_kernel<T>, n, key, n, out<T>(y));
}

template <class T>
static void queue_dropout(sg_place *place, const uint64_t *key, double rate, int64_t n,
                          const void *x, void *y, bool add)
{
    queue_entries(place, dropout_kernel<T>, (n + 3) / 4, key, rate * 4294967296.0,
                  static_cast<T>(1.0 / (1.0 - rate)), n, in<T>(x), out<T>(y), add);
}

void sg_cuda_uniform(sg_place *place, uint64_t key, double low, double high, int64_t n,
                     int32_t dtype, void *y)
{
    SG_BY_REAL(dtype, queue_uniform, place, key, low, high, n, y);
}

void sg_cuda_normal(sg_place *place, uint64_t key, int64_t n, int32_t dtype, void *y)
{
    SG_BY_REAL(dtype, queue_normal, place, key, n, y);
}

void sg_cuda_dropout(sg_place *place, const uint64_t *key, double rate, int64_t n, int32_t dtype,
                     const void *x, void *y, bool add)
{
    SG_BY_REAL(dtype, queue_dropout, place, key, rate, n, x, y, add);
}

// x at the index += y, in the order of y and without atomics: positions are sorted by their index
// (Batcher's bitonic network, "Sorting networks and their applications", 1968), and the first
// position of an index adds up all of them.
#include "ops/cuda/dense/common.cuh"

// index * count + position: less than 2^64, since a device's memory holds both arrays.
constexpr uint64_t NOWHERE = UINT64_MAX; // of an index out of bounds, and of padding

enum { SORTED = 1024 }; // keys that a block sorts in shared memory

static int64_t padded(int64_t count)
{
    int64_t keys = SORTED;
    while (keys < count) keys *= 2;
    return keys;
}

size_t sg_cuda_scatter_workspace(int64_t count)
{
    return static_cast<size_t>(padded(count)) * sizeof(uint64_t);
}

SG_KERNEL(BLOCK)
keys_kernel(int64_t keys, int64_t count, int64_t size, const int64_t *index, uint64_t *key)
{
    SG_MINE(i, keys)
    {
        const bool inside = i < count && index[i] >= 0 && index[i] < size;
        key[i] = inside ? static_cast<uint64_t>(index[i]) * static_cast<uint64_t>(count) +
                              static_cast<uint64_t>(i)
                        : NOWHERE;
    }
}

// Pair number p of those that lie `away` apart, of keys that begin at `start`: in order, upwards or
// downwards in turns of `run`.
SG_DEVICE void put_in_order(uint64_t *key, int64_t start, int64_t p, int64_t away, int64_t run)
{
    const int64_t a = 2 * p - (p & (away - 1)), b = a + away;
    const uint64_t low = key[a], high = key[b];
    const bool upwards = ((start + a) & run) == 0;
    if (upwards ? low <= high : low >= high) return;
    key[a] = high;
    key[b] = low;
}

// All steps within SORTED keys, for runs of first_run to last_run.
SG_KERNEL(BLOCK) sort_block_kernel(int64_t first_run, int64_t last_run, uint64_t *key)
{
    SG_SHARED(uint64_t, here);
    const int me = thread_index();
    const int64_t start = block_index() * SORTED;
    for (int i = me; i < SORTED; i += block_threads()) here[i] = key[start + i];
    for (int64_t run = first_run; run <= last_run; run *= 2)
        for (int64_t away = run / 2 < SORTED / 2 ? run / 2 : SORTED / 2; away > 0; away /= 2) {
            __syncthreads();
            for (int p = me; p < SORTED / 2; p += block_threads())
                put_in_order(here, start, p, away, run);
        }
    __syncthreads();
    for (int i = me; i < SORTED; i += block_threads()) key[start + i] = here[i];
}

SG_KERNEL(BLOCK) sort_step_kernel(int64_t keys, int64_t away, int64_t run, uint64_t *key)
{
    SG_MINE(p, keys / 2) put_in_order(key, 0, p, away, run);
}

static void queue_sort(sg_place *place, int64_t keys, uint64_t *key)
{
    const size_t shared = SORTED * sizeof(uint64_t);
    queue(place, sort_block_kernel, keys / SORTED, BLOCK, shared, 2, SORTED, key);
    for (int64_t run = 2 * SORTED; run <= keys; run *= 2) {
        for (int64_t away = run / 2; away >= SORTED; away /= 2)
            queue_entries(place, sort_step_kernel, keys / 2, keys, away, run, key);
        queue(place, sort_block_kernel, keys / SORTED, BLOCK, shared, run, run, key);
    }
}

template <class T>
SG_KERNEL(BLOCK)
scatter_kernel(sg_gather_shape s, const uint64_t *key, const T *y, T *x)
{
    const uint64_t count = static_cast<uint64_t>(s.count);
    SG_MINE(i, s.outer * s.count * s.inner)
    {
        const int64_t row = i / s.inner, outer = row / s.count, column = i % s.inner;
        int64_t p = row % s.count;
        const uint64_t index = key[p] / count;
        if (key[p] == NOWHERE || (p > 0 && key[p - 1] / count == index)) continue;
        T *const to = x + (outer * s.size + static_cast<int64_t>(index)) * s.inner + column;
        T sum = *to;
        for (; p < s.count && key[p] != NOWHERE && key[p] / count == index; p++)
            sum += y[(outer * s.count + static_cast<int64_t>(key[p] % count)) * s.inner + column];
        *to = sum;
    }
}

template <class T>
static void queue_scatter(sg_place *place, sg_gather_shape s, const uint64_t *key, const void *y,
                          void *x)
{
    queue_entries(place, scatter_kernel<T>, s.outer * s.count * s.inner, s, key, in<T>(y),
                  out<T>(x));
}

void sg_cuda_scatter_add(sg_place *place, int32_t dtype, sg_gather_shape shape,
                         const int64_t *index, const void *y, void *x, void *workspace)
{
    const int64_t keys = padded(shape.count);
    uint64_t *const key = out<uint64_t>(workspace);
    if (shape.outer * shape.count * shape.inner == 0) return;
    queue_entries(place, keys_kernel, keys, keys, shape.count, shape.size, index, key);
    queue_sort(place, keys, key);
    SG_BY_REAL(dtype, queue_scatter, place, shape, key, y, x);
}

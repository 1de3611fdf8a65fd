// Sums over any set of axes (ops/cpu/sum.h). Long ones are cut into the plan's chunks, whose sums
// are added up by a second kernel.
#include "ops/cuda/dense/tiling.cuh"

// Entries of one result, as a range of numbers.
struct summed {
    int64_t length, chunk; // all, and of a chunk
    int64_t chunks, run, columns;
    int kept_axes, axes; // but the innermost one
    int64_t kept_size[SIGAD_MAX_RANK], kept_stride[SIGAD_MAX_RANK];
    int64_t size[SIGAD_MAX_RANK], stride[SIGAD_MAX_RANK];
};

SG_DEVICE int64_t offset_of(int axes, const int64_t *size, const int64_t *stride, int64_t i)
{
    int64_t offset = 0;
    for (int axis = axes - 1; axis > 0; axis--) {
        offset += i % size[axis] * stride[axis];
        i /= size[axis];
    }
    return axes ? offset + i * stride[0] : 0;
}

template <class T>
SG_KERNEL(BLOCK)
sum_kernel(tiling t, summed s, const T *x, T divisor, T *y, bool add, T *chunk_sums)
{
    SG_SHARED(T, buffer);
    const tile_place p(t);
    const int64_t tiles = (t.results + t.across - 1) / t.across;
    for (int64_t task = block_index(); task < tiles * s.chunks; task += grid_blocks()) {
        const int64_t result = task % tiles * t.across + p.column, chunk = task / tiles;
        const int64_t end = (chunk + 1) * s.chunk < s.length ? (chunk + 1) * s.chunk : s.length;
        T sum = T(0);
        if (result < t.results) {
            const T *const from =
                x + offset_of(s.kept_axes, s.kept_size, s.kept_stride, result / s.columns) +
                result % s.columns;
            for (int64_t i = chunk * s.chunk + p.lane; i < end; i += p.lanes)
                sum += s.axes == 0
                           ? from[i]
                           : from[offset_of(s.axes, s.size, s.stride, i / s.run) + i % s.run];
        }
        sum = joined(p, buffer, sum, sum_of_two<T>());
        if (p.lane || result >= t.results) continue;
        if (chunk_sums)
            chunk_sums[chunk * t.results + result] = sum;
        else
            y[result] = (add ? y[result] : T(0)) + sum / divisor;
    }
}

static summed summed_of(const sg_sum *plan)
{
    summed s = {};
    s.length = plan->units / plan->pieces * plan->run;
    s.chunks = plan->chunks;
    s.chunk = (s.length + plan->chunks - 1) / plan->chunks;
    s.run = plan->run;
    s.columns = plan->columns;
    s.kept_axes = plan->kept_axes;
    s.axes = plan->summed_axes;
    for (int i = 0; i < plan->kept_axes; i++) {
        s.kept_size[i] = plan->kept_size[i];
        s.kept_stride[i] = plan->kept_stride[i];
    }
    for (int i = 0; i < plan->summed_axes; i++) {
        s.size[i] = plan->summed_size[i];
        s.stride[i] = plan->summed_stride[i];
    }
    return s;
}

template <class T>
static void queue_sum(sg_place *place, const sg_sum *plan, const void *x, double divisor, void *y,
                      bool add, void *workspace)
{
    const summed s = summed_of(plan);
    const tiling t = tiling_of(plan->outputs, s.chunk, plan->run == 1);
    T *const chunk_sums = plan->chunks > 1 ? out<T>(workspace) : nullptr;
    queue_tiles(place, sum_kernel<T>, t, s.chunks, sizeof(T), t, s, in<T>(x),
                static_cast<T>(divisor), out<T>(y), add, chunk_sums);
    if (!chunk_sums) return;
    const int64_t shape[] = {plan->chunks, plan->outputs};
    sg_sum last;
    sg_sum_plan(&last, 2, shape, 1);
    last.chunks = 1;
    queue_sum<T>(place, &last, workspace, divisor, y, add, nullptr);
}

void sg_cuda_sum(sg_place *place, const sg_sum *plan, int32_t dtype, const void *x, double divisor,
                 void *y, bool add, void *workspace)
{
    if (plan->outputs == 0) return;
    if (plan->units == 0) {
        if (!add)
            sg_cuda_clear(place, y,
                          static_cast<size_t>(plan->outputs) * (dtype == SIGAD_F64 ? 8 : 4));
        return;
    }
    SG_BY_REAL(dtype, queue_sum, place, plan, x, divisor, y, add, workspace);
}

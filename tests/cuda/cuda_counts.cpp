// cuda-counts: for the shapes below on a device of the size of an H100, the launch plan and plans
// with other cuts of time beside it, and the operations that one thread does for one step, counted
// by running the kernels on numbers that count. tools/cuda-model makes a table of times of it.
#include "counted_kernels.h"
#include "ops/cuda/layout.h"
#include <stdio.h>

operation_counts counts;

namespace
{
struct shape_row {
    int64_t batch, length;
    int32_t letters, degree;
};
// Those of whose speed something is asked, the benchmarks' grid, and few or long paths.
const shape_row shapes[] = {{256, 1000, 3, 5},  {256, 1000, 4, 4},  {256, 1000, 5, 4},
                            {256, 1000, 8, 3},  {256, 1000, 8, 4},  {256, 1000, 16, 3},
                            {256, 10000, 2, 2}, {256, 10000, 4, 3}, {256, 10000, 16, 2},
                            {32, 2000, 8, 3},   {512, 20, 3, 4},    {64, 100, 3, 6},
                            {32, 100, 5, 5},    {16, 100, 8, 4},    {1, 100000, 3, 5}};
enum { H100_MULTIPROCESSORS = 132, MOST_CHUNKS = 4096, MOST_BATCH = 4096 };

sg_cuda_properties device_of(int multiprocessors)
{
    sg_cuda_properties device = {};
    device.multiprocessors = multiprocessors;
    device.shared_bytes = 227 << 10;
    return device;
}

// Operations of one thread for one step: what a second block of steps adds to a launch of one block
// of threads.
void print_counts(sg_cuda_shape shape, int levels)
{
    const sg_cuda_properties small = device_of(1);
    sg_cuda_layout q;
    int64_t batch = 1; // for which as many levels are chosen
    for (; batch < MOST_BATCH; batch *= 2) {
        shape.batch = batch;
        sg_cuda_lay_out_chunks(&shape, &small, 1, 32, &q);
        if (q.levels == levels) break;
    }
    operation_counts of[2];
    int64_t steps[2];
    for (int i = 0; i < 2; i++) {
        sg_cuda_lay_out_chunks(&shape, &small, 1, steps[i] = q.block_steps * (i + 1), &q);
        of[i] = (shape.scalar_bytes == 4 ? count_f32 : count_f64)(q, batch, shape.backward);
    }
    const int64_t paths = (batch + q.groups - 1) / q.groups * q.groups; // empty places walk along
    const double thread_steps =
        static_cast<double>(paths * q.slices * q.per_group * (steps[1] - steps[0]));
    printf(" %.3f %.3f %.3f", static_cast<double>(of[1].fma - of[0].fma) / thread_steps,
           static_cast<double>(of[1].mul - of[0].mul) / thread_steps,
           static_cast<double>(of[1].add - of[0].add) / thread_steps);
}

void print_plan(const sg_cuda_layout &q, const char *which)
{
    printf("%s %d %d %d %d %d %d %d %d %d %lld %lld %lld %zu %d", which, q.levels, q.tile_k,
           q.tile_q, q.threads, q.per_group, q.groups, q.slices, q.parts, q.blocks,
           static_cast<long long>(q.tasks), static_cast<long long>(q.chunks),
           static_cast<long long>(q.chunk_steps), q.shared_bytes, q.kept);
}

void print_shape(const shape_row &row, int scalar_bytes, bool backward)
{
    const sg_cuda_properties device = device_of(H100_MULTIPROCESSORS);
    const sg_cuda_shape shape = {row.batch,  row.length - 1, row.letters,
                                 row.degree, scalar_bytes,   backward};
    sg_cuda_layout q;
    printf("shape %s f%d %lld %lld %d %d", backward ? "backward" : "forward", scalar_bytes * 8,
           static_cast<long long>(row.batch), static_cast<long long>(row.length), row.letters,
           row.degree);
    sg_cuda_lay_out(&shape, &device, &q);
    print_counts(shape, q.levels);
    print_plan(q, "\nchosen");
    for (int64_t chunks = 1; chunks <= MOST_CHUNKS && shape.steps / chunks >= 8; chunks *= 2) {
        const int64_t steps = (shape.steps + chunks - 1) / chunks;
        sg_cuda_lay_out_chunks(&shape, &device, (shape.steps + steps - 1) / steps, steps, &q);
        print_plan(q, "\nother");
    }
    printf("\n");
}
} // namespace

int main()
{
    for (int backward = 0; backward < 2; backward++)
        for (int bytes = 4; bytes <= 8; bytes += 4)
            for (const shape_row &row : shapes) print_shape(row, bytes, backward);
}

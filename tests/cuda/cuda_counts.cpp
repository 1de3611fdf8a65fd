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
enum { H100_MULTIPROCESSORS = 132, MOST_CHUNKS = 4096 };

sg_cuda_properties device_of(int multiprocessors)
{
    sg_cuda_properties device = {};
    device.multiprocessors = multiprocessors;
    device.shared_bytes = 227 << 10;
    return device;
}

struct operations {
    double fma, mul, add;
};

operation_counts count(const sg_cuda_shape &shape, const sg_cuda_layout &q, int64_t batch)
{
    return (shape.scalar_bytes == 4 ? count_f32 : count_f64)(q, batch, shape.backward);
}

// Operations of one thread for one step: what a second block of steps adds to a launch that has a
// path for each group of a block.
operations count_step(const sg_cuda_shape &shape, sg_cuda_layout q)
{
    operation_counts of[2];
    q.pieces = 1;
    q.chunks = 1;
    q.tasks = q.blocks = q.parts;
    q.whole = 0;
    for (int i = 0; i < 2; i++) {
        q.chunk_steps = q.piece_steps = q.block_steps * (i + 1);
        of[i] = count(shape, q, q.groups);
    }
    const double thread_steps =
        static_cast<double>(q.groups) * q.slices * q.per_group * q.block_steps;
    return {static_cast<double>(of[1].fma - of[0].fma) / thread_steps,
            static_cast<double>(of[1].mul - of[0].mul) / thread_steps,
            static_cast<double>(of[1].add - of[0].add) / thread_steps};
}

// Operations by which one block joins its pieces: what a launch of one step for each does more.
double count_join(const sg_cuda_shape &shape, sg_cuda_layout q, const operations &step)
{
    if (q.pieces == 1) return 0;
    q.blocks = 1;
    q.tasks = q.chunks = q.piece_steps = 1;
    q.chunk_steps = q.pieces;
    q.whole = 0;
    const operation_counts all = count(shape, q, 1);
    return static_cast<double>(all.fma + all.mul + all.add) -
           (step.fma + step.mul + step.add) * q.per_group * q.pieces;
}

void print_plan(const sg_cuda_shape &shape, const sg_cuda_layout &q, const operations &step,
                int levels, const char *which)
{
    int64_t rounds = 0, products = 0;
    for (int64_t chunks = q.chunks, run; chunks > 1; chunks = (chunks + run - 1) / run) {
        run = sg_cuda_run_of(chunks);
        rounds++;
        products += run;
    }
    printf("%s %d %d %d %d %d %d %d %d %d %lld %lld %d %lld %zu %d %d %lld %lld %.0f", which,
           q.levels, q.tile_k, q.tile_q, q.threads, q.per_group, q.groups, q.slices, q.parts,
           q.blocks, static_cast<long long>(q.tasks), static_cast<long long>(q.chunks), q.pieces,
           static_cast<long long>(q.piece_steps), q.shared_bytes, q.kept, q.whole,
           static_cast<long long>(rounds), static_cast<long long>(products),
           q.levels == levels ? count_join(shape, q, step) : 0.0);
}

void print_shape(const shape_row &row, int scalar_bytes, bool backward)
{
    const sg_cuda_properties device = device_of(H100_MULTIPROCESSORS);
    const sg_cuda_shape shape = {row.batch,  row.length - 1, row.letters,
                                 row.degree, scalar_bytes,   backward};
    sg_cuda_layout q;
    sg_cuda_lay_out(&shape, &device, &q);
    const int levels = q.levels;
    const operations step = count_step(shape, q);
    printf("shape %s f%d %lld %lld %d %d %.3f %.3f %.3f", backward ? "backward" : "forward",
           scalar_bytes * 8, static_cast<long long>(row.batch), static_cast<long long>(row.length),
           row.letters, row.degree, step.fma, step.mul, step.add);
    print_plan(shape, q, step, levels, "\nchosen");
    for (int64_t chunks = 1; chunks <= MOST_CHUNKS && shape.steps / chunks >= 8; chunks *= 2) {
        sg_cuda_lay_out_chunks(&shape, &device, chunks, &q);
        print_plan(shape, q, step, levels, "\nother");
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

// Products of matrices: by cuBLAS where the place has it, else by one kernel, a block of threads a
// tile of C. Either adds in an order that the shape decides.
#include "ops/cuda/dense/blas.h"
#include "ops/cuda/dense/common.cuh"

enum { SIDE = 64, DEPTH = 16, PER_THREAD = 4, EDGE = SIDE / PER_THREAD }; // EDGE^2 threads

struct gemm_shape {
    sg_gemm_plan plan;
    int64_t outputs, sums; // how many C there are, and how many products are added up in each
    int64_t tile_rows, tile_columns;
};

// Moves by as many steps as `index` says along the axes whose products are added up, or the others.
SG_DEVICE void move_along(const sg_gemm_plan &p, bool summed, int64_t index, int64_t (&offset)[3])
{
    for (int i = p.axes - 1; i >= 0; i--) {
        const sg_gemm_axis &axis = p.axis[i];
        if ((axis.c == 0) != summed) continue;
        const int64_t at = index % axis.size;
        index /= axis.size;
        offset[0] += at * axis.a;
        offset[1] += at * axis.b;
        offset[2] += at * axis.c;
    }
}

// tile[depth][entry] of a matrix [entries, depths] stored by rows, or by columns if `by_depth`.
template <class T>
SG_DEVICE void load_tile(T *tile, const T *x, int64_t ld, bool by_depth, int64_t entries,
                         int64_t depths)
{
    for (int e = thread_index(); e < SIDE * DEPTH; e += EDGE * EDGE) {
        const int entry = by_depth ? e % SIDE : e / DEPTH, depth = by_depth ? e / SIDE : e % DEPTH;
        T value = T(0);
        if (entry < entries && depth < depths)
            value = by_depth ? x[depth * ld + entry] : x[entry * ld + depth];
        tile[depth * SIDE + entry] = value;
    }
}

template <class T> SG_DEVICE void add_tile(const T *a, const T *b, T (&sum)[PER_THREAD][PER_THREAD])
{
    const int row = thread_index() / EDGE, column = thread_index() % EDGE;
    for (int depth = 0; depth < DEPTH; depth++) {
        T left[PER_THREAD], right[PER_THREAD];
        SG_UNROLL(4)
        for (int i = 0; i < PER_THREAD; i++) {
            left[i] = a[depth * SIDE + row + i * EDGE];
            right[i] = b[depth * SIDE + column + i * EDGE];
        }
        SG_UNROLL(4)
        for (int i = 0; i < PER_THREAD; i++) {
            SG_UNROLL(4)
            for (int j = 0; j < PER_THREAD; j++) sum[i][j] += left[i] * right[j];
        }
    }
}

template <class T>
SG_DEVICE void store_tile(const sg_gemm_plan &p, int64_t rows, int64_t columns,
                          const T (&sum)[PER_THREAD][PER_THREAD], T *c)
{
    const T alpha = static_cast<T>(p.alpha), beta = static_cast<T>(p.beta);
    for (int i = 0; i < PER_THREAD; i++)
        for (int j = 0; j < PER_THREAD; j++) {
            const int64_t row = thread_index() / EDGE + i * EDGE;
            const int64_t column = thread_index() % EDGE + j * EDGE;
            if (row >= rows || column >= columns) continue;
            T *const to = c + row * p.ldc + column;
            *to = alpha * sum[i][j] + (beta == T(0) ? T(0) : beta * *to);
        }
}

template <class T> SG_KERNEL(EDGE *EDGE) gemm_kernel(gemm_shape s, const T *a, const T *b, T *c)
{
    SG_SHARED(T, shared);
    T *const a_tile = shared, *const b_tile = shared + SIDE * DEPTH;
    const sg_gemm_plan &p = s.plan;
    const int64_t tiles = s.tile_rows * s.tile_columns;
    for (int64_t task = block_index(); task < tiles * s.outputs; task += grid_blocks()) {
        const int64_t row = task / s.tile_columns % s.tile_rows * SIDE;
        const int64_t column = task % s.tile_columns * SIDE;
        int64_t start[3] = {row * (p.transpose_a ? 1 : p.lda), column * (p.transpose_b ? p.ldb : 1),
                            row * p.ldc + column};
        T sum[PER_THREAD][PER_THREAD] = {};
        move_along(p, false, task / tiles, start);
        for (int64_t n = 0; n < s.sums; n++) {
            int64_t at[3] = {start[0], start[1], 0};
            move_along(p, true, n, at);
            for (int64_t k = 0; k < p.k; k += DEPTH) {
                load_tile(a_tile, a + at[0] + k * (p.transpose_a ? p.lda : 1), p.lda, p.transpose_a,
                          p.m - row, p.k - k);
                load_tile(b_tile, b + at[1] + k * (p.transpose_b ? 1 : p.ldb), p.ldb,
                          !p.transpose_b, p.n - column, p.k - k);
                __syncthreads();
                add_tile(a_tile, b_tile, sum);
                __syncthreads(); // the tiles are free again
            }
        }
        store_tile(p, p.m - row, p.n - column, sum, c + start[2]);
    }
}

template <class T>
static void queue_gemm(sg_place *place, const gemm_shape &s, const void *a, const void *b, void *c)
{
    const int64_t tasks = s.tile_rows * s.tile_columns * s.outputs;
    if (tasks > 0)
        queue(place, gemm_kernel<T>, grid_of(tasks), EDGE * EDGE, 2 * SIDE * DEPTH * sizeof(T), s,
              in<T>(a), in<T>(b), out<T>(c));
}

void sg_cuda_gemm(sg_place *place, const sg_gemm_plan *plan, const void *a, const void *b, void *c)
{
    gemm_shape s = {*plan, 1, 1, (plan->m + SIDE - 1) / SIDE, (plan->n + SIDE - 1) / SIDE};
    for (int i = 0; i < plan->axes; i++)
        *(plan->axis[i].c ? &s.outputs : &s.sums) *= plan->axis[i].size;
    if (!place->blas || !plan->k || !s.sums) {
        SG_BY_REAL(plan->dtype, queue_gemm, place, s, a, b, c);
        return;
    }
    if (!plan->m || !plan->n || !s.outputs) return;
    const sg_cuda_blas *blas = static_cast<const sg_cuda_blas *>(place->blas);
    sg_gemm_plan merged = *plan;
    sg_gemm_merge(&merged);
    const int error = blas->gemm(blas, &merged, a, b, c);
    if (error && !place->error) place->error = error;
}

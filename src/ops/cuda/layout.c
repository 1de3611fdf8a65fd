#include "ops/cuda/layout.h"
#include "core/memory.h"

enum {
    WARP = 32,
    BLOCK = 256,           /* threads of a block at most */
    DEEP_BLOCK = 64,       /* where the degree asks for much memory for each thread */
    MOST_TILED_DEGREE = 5, /* kernels that are compiled for a degree */
    MOST_EXACT_DEGREE = 8, /* the same, without tiles */
    MOST_WHOLE_TILE = 5,   /* letters that one thread can take all of */
    TILE = 8,              /* else */
    BLOCK_STEPS = 32,
    STAGED_BYTES = 24 << 10, /* of increments in shared memory */
    SUMMED_BYTES = 40 << 10, /* of columns to be summed there */
    MOST_STAGED = 256,       /* letters; wider increments come from memory */
    BUSY_WARPS = 16,         /* of a multiprocessor */
    BUSY_BLOCKS = 8
};

static int64_t round_up(int64_t n, int64_t to)
{
    return (n + to - 1) / to * to;
}

static int64_t ceiling(int64_t n, int64_t of)
{
    return (n + of - 1) / of;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* letters^exponent; false beyond 31 bits. */
static bool power(int32_t letters, int32_t exponent, int64_t *result)
{
    *result = 1;
    while (exponent-- > 0)
        if ((*result *= letters) > INT32_MAX) return false;
    return true;
}

/* Paths of few threads: as many of them in a block as leave the fewest lanes idle. */
static int32_t groups_in_block(int64_t per_path, int64_t wanted, int32_t most_threads)
{
    int64_t most = smaller(most_threads / per_path, wanted), best = 1, best_idle = most_threads;
    for (int64_t g = 1; g <= most; g++) {
        int64_t threads = g * per_path, idle = round_up(threads, WARP) - threads;
        if (threads * 2 < most_threads && g < most) continue;
        if (idle * best <= best_idle * g) { /* idle lanes for each path */
            best = g;
            best_idle = idle;
        }
    }
    return (int32_t)best;
}

/* Dual numbers have the kernels for any degree alone. */
static bool is_dual(const sg_cuda_shape *shape)
{
    return shape->scalar_bytes == SG_CUDA_DUAL_BYTES;
}

/* Which kernel: two levels to a thread in tiles of letters by letters where it is compiled for the
 * degree (choose.cuh), else one level for any degree. */
static void choose_tile(const sg_cuda_shape *shape, sg_cuda_layout *q)
{
    int32_t least = 2, most = MOST_TILED_DEGREE, tile = TILE;
    if (shape->letters <= MOST_WHOLE_TILE) tile = shape->letters;
#ifdef SIGAD_FEW_TILES
    least = 3;
    most = 4;
    if (tile != 3 && tile != TILE) most = 0;
#endif
    bool tiled = shape->degree >= least && shape->degree <= most && !is_dual(shape);
    q->tile_q = tiled ? tile : 0;
    q->tile_k = tiled ? tile : SG_CUDA_TILE;
    if (tiled && tile == TILE && shape->scalar_bytes == 8) q->tile_k = TILE / 2; /* registers */
    int32_t below = shape->degree - (tiled ? 2 : 1);
    int64_t nodes;
    power(shape->letters, below, &nodes);
    q->nodes = (int32_t)nodes;
    q->tiles = (int32_t)ceiling(shape->letters, q->tile_k);
    if (tiled) q->tiles *= (int32_t)ceiling(shape->letters, q->tile_q);
    q->sum_rows = q->tile_k + q->tile_q + below;
    q->kept = below + (tiled ? q->tile_k : 0);
}

static void lay_out_words(const sg_cuda_shape *shape, int64_t per_path, sg_cuda_layout *q)
{
    const bool deep = shape->degree > MOST_EXACT_DEGREE || is_dual(shape);
    int32_t most = deep ? DEEP_BLOCK : BLOCK;
    int64_t all = shape->batch * q->chunks;
    if (per_path <= most) {
        q->slices = 1;
        q->per_group = (int32_t)per_path;
        q->groups = groups_in_block(per_path, all ? all : 1, most);
    } else {
        q->slices = (int32_t)ceiling(per_path, most);
        q->per_group = (int32_t)ceiling(per_path, q->slices);
        q->groups = 1;
    }
}

/* Increments for as many steps as fit, halved until they do; then fewer groups. */
static void lay_out_steps(const sg_cuda_shape *shape, sg_cuda_layout *q)
{
    q->width = (int32_t)round_up(shape->letters, q->tile_q == TILE ? TILE : SG_CUDA_TILE);
    q->stored = shape->letters > MOST_STAGED;
    q->block_steps = BLOCK_STEPS;
    if (q->stored) return;
    int64_t row = (int64_t)q->width * shape->scalar_bytes;
    while (q->block_steps > 4 && row * (q->block_steps + 1) > STAGED_BYTES) q->block_steps /= 2;
    int64_t most = STAGED_BYTES / (row * (q->block_steps + 1));
    if (q->groups > most) q->groups = (int32_t)most;
}

static void lay_out_sums(const sg_cuda_shape *shape, sg_cuda_layout *q)
{
    int64_t step_bytes = (int64_t)q->sum_rows * q->threads * shape->scalar_bytes;
    int64_t steps = smaller(SUMMED_BYTES / step_bytes, ceiling(WARP, shape->letters));
    q->sum_steps = steps < 1 ? 1 : (int32_t)steps;
    int64_t pairs = (int64_t)q->groups * q->sum_steps * shape->letters;
    q->sum_lanes = 1;
    while (q->sum_lanes < WARP && q->sum_lanes * 2 <= q->per_group &&
           pairs * q->sum_lanes * 2 <= q->threads)
        q->sum_lanes *= 2;
}

static void lay_out_blocks(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                           sg_cuda_layout *q)
{
    int64_t busy = (int64_t)device->multiprocessors * BUSY_BLOCKS;
    int64_t group_blocks = ceiling(shape->batch * q->chunks, q->groups);
    q->parts = (int32_t)smaller(q->slices, group_blocks ? ceiling(busy, group_blocks) : 1);
    q->tasks = group_blocks * q->parts;
    q->blocks = (int32_t)smaller(q->tasks, busy);
    size_t rows = q->stored ? 0 : (size_t)q->groups * (size_t)(q->block_steps + 1) * q->width;
    size_t columns =
        shape->backward ? (size_t)q->sum_steps * (size_t)q->sum_rows * (size_t)q->threads : 0;
    q->shared_bytes =
        (size_t)q->groups * SG_CUDA_TRACK_BYTES + (rows + columns) * shape->scalar_bytes;
}

bool sg_cuda_lay_out_chunks(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                            int64_t chunks, int64_t chunk_steps, sg_cuda_layout *q)
{
    int64_t words;
    if (!power(shape->letters, shape->degree, &words)) return false;
    *q = (sg_cuda_layout){.letters = shape->letters,
                          .degree = shape->degree,
                          .chunks = chunks,
                          .chunk_steps = chunk_steps};
    choose_tile(shape, q);
    lay_out_words(shape, (int64_t)q->nodes * q->tiles, q);
    lay_out_steps(shape, q);
    q->threads = (int32_t)round_up((int64_t)q->groups * q->per_group, WARP);
    if (shape->backward) lay_out_sums(shape, q);
    lay_out_blocks(shape, device, q);
    return true;
}

bool sg_cuda_lay_out(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                     sg_cuda_layout *q)
{
    int64_t chunks = 1, steps = shape->steps, words;
    if (!power(shape->letters, shape->degree, &words)) return false;
    *q = (sg_cuda_layout){.degree = shape->degree};
    choose_tile(shape, q);
    int64_t busy = (int64_t)device->multiprocessors * BUSY_WARPS * WARP;
    int64_t threads = smaller(shape->batch, busy) * q->nodes * q->tiles;
    if (shape->degree > 1 && shape->batch)
        while (chunks * threads < busy && steps / (chunks * 2) >= SG_CUDA_LEAST_CHUNK) chunks *= 2;
    int64_t chunk_steps = ceiling(steps, chunks);
    if (chunk_steps) chunks = ceiling(steps, chunk_steps);
    return sg_cuda_lay_out_chunks(shape, device, chunks, chunk_steps, q);
}

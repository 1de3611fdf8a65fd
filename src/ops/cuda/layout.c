#include "ops/cuda/layout.h"
#include "core/memory.h"
#include <math.h>

enum {
    WARP = 32,
    BLOCK = 256,           /* threads of a block at most */
    DEEP_BLOCK = 64,       /* where the degree asks for much memory for each thread */
    MOST_TILED_DEGREE = 5, /* kernels in tiles that are compiled for a degree */
    MOST_EXACT_DEGREE = 8, /* the same, without tiles */
    TILE = 8,              /* letters of a thread, of many */
    BLOCK_STEPS = 32,
    STAGED_BYTES = 24 << 10, /* of each of two blocks of increments in shared memory */
    SUMMED_BYTES = 40 << 10, /* of columns to be summed there */
    MOST_STAGED = 256,       /* letters; wider increments come from memory */
    BUSY_BLOCKS = 8          /* of a multiprocessor */
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

/* Which kernel (choose.cuh): for few letters, all of them and two or more levels to a thread; for
 * many, two levels in tiles of letters by letters where it is compiled for the degree; else one
 * level, for any degree. */
static void choose_tile(const sg_cuda_shape *shape, bool deep, sg_cuda_layout *q)
{
    int32_t letters = shape->letters, degree = shape->degree, least = 2,
            deepest = SG_CUDA_MOST_LEAF_DEGREE;
    bool few = letters <= SG_CUDA_MOST_LEAF_LETTERS;
    if (!few) deepest = MOST_TILED_DEGREE;
#ifdef SIGAD_FEW_TILES
    least = 3;
    deepest = few && letters != 3 ? 0 : few ? 5 : 4;
#endif
    if (degree < least || degree > deepest || is_dual(shape)) {
        q->levels = 1;
        q->tile_k = SG_CUDA_TILE;
    } else if (few) {
        q->levels = 2;
        if (deep)
            q->levels = SG_CUDA_LEAF_LEVELS(letters, degree, shape->scalar_bytes, shape->backward);
        q->tile_k = letters;
    } else {
        q->levels = 2;
        q->tile_q = TILE;
        q->tile_k = shape->scalar_bytes == 8 ? TILE / 2 : TILE; /* registers */
    }
    int32_t below = degree - q->levels;
    int64_t nodes;
    power(letters, below, &nodes);
    q->nodes = (int32_t)nodes;
    q->tiles = (int32_t)ceiling(letters, q->tile_k);
    if (q->tile_q) q->tiles *= (int32_t)ceiling(letters, q->tile_q);
    q->sum_rows = q->tile_k + q->tile_q + below;
    q->kept = below;
    for (int32_t level = 1, words = q->tile_k; level < q->levels; level++, words *= letters)
        q->kept += words;
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
    size_t rows = q->stored ? 0 : 2 * (size_t)q->groups * (size_t)(q->block_steps + 1) * q->width;
    size_t columns =
        shape->backward ? (size_t)q->sum_steps * (size_t)q->sum_rows * (size_t)q->threads : 0;
    q->shared_bytes =
        (size_t)q->groups * SG_CUDA_TRACK_BYTES + (rows + columns) * shape->scalar_bytes;
}

static void lay_out(const sg_cuda_shape *shape, const sg_cuda_properties *device, bool deep,
                    int64_t chunks, int64_t chunk_steps, sg_cuda_layout *q)
{
    *q = (sg_cuda_layout){.letters = shape->letters,
                          .degree = shape->degree,
                          .chunks = chunks,
                          .chunk_steps = chunk_steps};
    choose_tile(shape, deep, q);
    lay_out_words(shape, (int64_t)q->nodes * q->tiles, q);
    lay_out_steps(shape, q);
    q->threads = (int32_t)round_up((int64_t)q->groups * q->per_group, WARP);
    if (shape->backward) lay_out_sums(shape, q);
    lay_out_blocks(shape, device, q);
}

/* ---- the model of time ---------------------------------------------------------------------- */

/* Of a multiprocessor, in cycles: what docs/gpu/model.md assumes, too. None has been measured. */
enum { SCHEDULERS = 4, REGISTERS = 65536, LAUNCH = 5000, PRODUCT = 800, BYTES_OF_ALL = 1700 };

/* Instructions of a thread for one step: the chain's, then the tile's. */
static double slots_of(const sg_cuda_shape *shape, const sg_cuda_layout *q)
{
    double words = q->tile_k, slots = 0;
    for (int32_t level = q->levels; level > 0; level--) {
        slots += words * (2 * level - 1);
        words *= q->tile_q ? q->tile_q : q->tile_k;
    }
    for (int32_t j = 1; j <= shape->degree - q->levels; j++) slots += 2 * (shape->degree - j) + 1;
    return slots * (shape->backward ? 3 : 1) * (shape->scalar_bytes == 8 ? 2 : 1);
}

/* What it takes of a thread, as the compiler's reports have it (docs/gpu/resources.md), more or
 * less. */
static double registers_of(const sg_cuda_shape *shape, const sg_cuda_layout *q)
{
    double level = q->tile_k, words = shape->backward ? q->kept : 0;
    for (int32_t i = q->levels; i > 0; i--) {
        words += level;
        level *= q->tile_q ? q->tile_q : q->tile_k;
    }
    words *= shape->scalar_bytes / 4;
    return shape->backward ? 60 + 1.9 * words : 50 + 1.1 * words;
}

/* Few warps cannot hide the time that an instruction takes. */
static double slowness(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                       const sg_cuda_layout *q)
{
    static const double of[] = {1.6, 1.6, 1.25, 1.08};
    int64_t blocks = ceiling(q->blocks, device->multiprocessors);
    int64_t room = (int64_t)(REGISTERS / (registers_of(shape, q) * q->threads));
    int64_t warps = smaller(blocks, room > 1 ? room : 1) * (q->threads / WARP) / SCHEDULERS;
    return warps < 4 ? of[warps] : 1.0;
}

static double joining(const sg_cuda_shape *shape, const sg_cuda_layout *q)
{
    double words = pow(shape->letters, shape->degree);
    double moved = 2.0 * (double)shape->batch * (double)q->chunks * words * shape->scalar_bytes;
    double rounds = 0;
    for (int64_t chunks = q->chunks; chunks > 1; chunks = ceiling(chunks, SG_CUDA_RUN))
        rounds += LAUNCH + (double)smaller(chunks, SG_CUDA_RUN) * PRODUCT;
    return (shape->backward ? 3 : 1) * (rounds + moved / BYTES_OF_ALL);
}

double sg_cuda_cycles(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                      const sg_cuda_layout *q)
{
    int64_t tasks = ceiling(q->tasks, device->multiprocessors) * ceiling(q->slices, q->parts);
    double per_step = slots_of(shape, q) * slowness(shape, device, q);
    return (double)(tasks * (q->threads / WARP)) / SCHEDULERS * per_step * (double)q->chunk_steps +
           joining(shape, q);
}

/* Makes the layout `best` if it is modelled better. */
static void consider(const sg_cuda_shape *shape, const sg_cuda_properties *device, bool deep,
                     int64_t chunks, int64_t chunk_steps, sg_cuda_layout *best, double *least)
{
    static const double WORTH_CUTTING = 0.97; /* since more chunks need more memory */
    sg_cuda_layout q;
    lay_out(shape, device, deep, chunks, chunk_steps, &q);
    double cycles = sg_cuda_cycles(shape, device, &q);
    if (*least >= 0 && cycles >= WORTH_CUTTING * *least) return;
    *least = cycles;
    *best = q;
}

static bool best_of_levels(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                           int64_t chunks, int64_t chunk_steps, sg_cuda_layout *q, double *least)
{
    int64_t words;
    if (!power(shape->letters, shape->degree, &words)) return false;
    consider(shape, device, false, chunks, chunk_steps, q, least);
    if (shape->letters <= SG_CUDA_MOST_LEAF_LETTERS)
        consider(shape, device, true, chunks, chunk_steps, q, least);
    return true;
}

bool sg_cuda_lay_out_chunks(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                            int64_t chunks, int64_t chunk_steps, sg_cuda_layout *q)
{
    double least = -1;
    return best_of_levels(shape, device, chunks, chunk_steps, q, &least);
}

bool sg_cuda_lay_out(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                     sg_cuda_layout *q)
{
    double least = -1;
    if (!best_of_levels(shape, device, 1, shape->steps, q, &least)) return false;
    if (shape->degree == 1 || !shape->batch) return true;
    for (int64_t chunks = 2; shape->steps / chunks >= SG_CUDA_LEAST_CHUNK; chunks *= 2) {
        int64_t chunk_steps = ceiling(shape->steps, chunks);
        best_of_levels(shape, device, ceiling(shape->steps, chunk_steps), chunk_steps, q, &least);
    }
    return true;
}

#include "ops/cuda/layout.h"
#include "core/memory.h"
#include <math.h>

enum {
    WARP = 32,
    MOST_TILED_DEGREE = 5, /* kernels in tiles that are compiled for a degree */
    MOST_EXACT_DEGREE = 8, /* the same, without tiles */
    TILE = 8,              /* letters of a thread, of many */
    BLOCK_STEPS = 32,
    STAGED_BYTES = 24 << 10, /* of each of two blocks of increments in shared memory */
    SUMMED_BYTES = 40 << 10, /* of columns to be summed there */
    MOST_STAGED = 256,       /* letters; wider increments come from memory */
    MOST_SHARED = 90 << 10,  /* where pieces are joined: two blocks of a multiprocessor */
    LEAST_PIECE = 8,         /* steps */
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
static int32_t levels_of(const sg_cuda_shape *shape, bool deep)
{
    int32_t letters = shape->letters, degree = shape->degree, least = 2;
    bool few = letters <= SG_CUDA_MOST_LEAF_LETTERS;
    int32_t most = few ? SG_CUDA_MOST_LEAF_DEGREE : MOST_TILED_DEGREE;
#ifdef SIGAD_FEW_TILES
    least = 3;
    most = few && letters != 3 ? 0 : few ? 5 : 4;
#endif
    if (degree < least || degree > most || is_dual(shape)) return 1;
    if (!few || !deep) return 2;
    return SG_CUDA_LEAF_LEVELS(letters, degree, shape->scalar_bytes, shape->backward);
}

static void choose_tile(const sg_cuda_shape *shape, int32_t levels, sg_cuda_layout *q)
{
    int32_t letters = shape->letters, degree = shape->degree;
    q->levels = levels;
    q->tile_k = SG_CUDA_TILE;
    if (levels > 1 && letters <= SG_CUDA_MOST_LEAF_LETTERS) {
        q->tile_k = letters;
    } else if (levels > 1) {
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

static sg_cuda_kind kind_of(const sg_cuda_shape *shape, const sg_cuda_layout *q)
{
    return (sg_cuda_kind){q->levels,     q->tile_k,           q->tile_q,
                          shape->degree, shape->scalar_bytes, shape->backward};
}

static void lay_out_words(const sg_cuda_shape *shape, int64_t per_path, sg_cuda_layout *q)
{
    const bool deep = shape->degree > MOST_EXACT_DEGREE || is_dual(shape);
    int32_t most = deep ? SG_CUDA_DEEP_BLOCK : sg_cuda_most_threads(kind_of(shape, q));
    int64_t all = shape->batch * q->chunks;
    if (per_path <= most) {
        q->slices = 1;
        q->per_group = (int32_t)per_path;
        q->groups = q->pieces > 1 ? q->pieces : groups_in_block(per_path, all ? all : 1, most);
    } else {
        q->slices = (int32_t)ceiling(per_path, most);
        q->per_group = (int32_t)ceiling(per_path, q->slices);
        q->groups = 1;
    }
}

/* Increments for as many steps as fit, halved until they do; then fewer groups, or none at all
 * where they are pieces of one chunk. */
static void lay_out_steps(const sg_cuda_shape *shape, sg_cuda_layout *q)
{
    q->width = (int32_t)round_up(shape->letters, q->tile_q == TILE ? TILE : SG_CUDA_TILE);
    q->stored = shape->letters > MOST_STAGED;
    q->block_steps = BLOCK_STEPS;
    if (q->stored) return;
    int64_t row = (int64_t)q->width * shape->scalar_bytes;
    while (q->block_steps > 4 && row * (q->block_steps + 1) > STAGED_BYTES) q->block_steps /= 2;
    if (q->pieces > 1) {
        while (q->block_steps > 4 && row * (q->block_steps + 1) * q->groups > STAGED_BYTES)
            q->block_steps /= 2;
        int64_t blocks = ceiling(q->piece_steps, q->block_steps);
        q->block_steps = (int32_t)ceiling(q->piece_steps, blocks);
    }
    int64_t most = STAGED_BYTES / (row * (q->block_steps + 1));
    if (q->groups > most) q->groups = (int32_t)most;
}

/* Of the tensors by which pieces are joined (pieces.cuh). */
static size_t join_bytes(const sg_cuda_shape *shape, const sg_cuda_layout *q)
{
    int64_t low = 0, words = 1, entries;
    if (q->pieces == 1) return 0;
    for (int32_t n = 1; n < shape->degree; n++) low += words *= shape->letters;
    words *= shape->letters;
    entries = shape->backward ? 3 * low : words > 2 * low ? words : 2 * low;
    return (size_t)(q->pieces * entries * shape->scalar_bytes);
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
    int64_t group_blocks = ceiling(shape->batch * q->chunks * q->pieces, q->groups);
    q->parts = (int32_t)smaller(q->slices, group_blocks ? ceiling(busy, group_blocks) : 1);
    q->tasks = group_blocks * q->parts;
    q->blocks = (int32_t)smaller(q->tasks, busy);
    q->whole = q->slices == 1 && q->chunks == 1 && shape->steps > 0;
    size_t rows = q->stored ? 0 : 2 * (size_t)q->groups * (size_t)(q->block_steps + 1) * q->width;
    size_t columns = (size_t)q->sum_steps * (size_t)q->sum_rows * (size_t)q->threads;
    size_t row_bytes = rows * shape->scalar_bytes, column_bytes = columns * shape->scalar_bytes;
    size_t join = join_bytes(shape, q);
    q->shared_bytes = (size_t)q->groups * SG_CUDA_TRACK_BYTES;
    if (shape->backward)
        q->shared_bytes += row_bytes + (join > column_bytes ? join : column_bytes);
    else
        q->shared_bytes += join > row_bytes ? join : row_bytes;
}

/* What there is to choose. */
typedef struct {
    int64_t chunks, chunk_steps;
    int32_t pieces, levels;
} cut;

/* False: the pieces do not fit into a block. */
static bool lay_out(const sg_cuda_shape *shape, const sg_cuda_properties *device, const cut *c,
                    sg_cuda_layout *q)
{
    *q = (sg_cuda_layout){.letters = shape->letters,
                          .degree = shape->degree,
                          .chunks = c->chunks,
                          .chunk_steps = c->chunk_steps,
                          .pieces = c->pieces,
                          .piece_steps = ceiling(c->chunk_steps, c->pieces)};
    choose_tile(shape, c->levels, q);
    lay_out_words(shape, (int64_t)q->nodes * q->tiles, q);
    lay_out_steps(shape, q);
    q->threads = (int32_t)round_up((int64_t)q->groups * q->per_group, WARP);
    if (shape->backward) lay_out_sums(shape, q);
    lay_out_blocks(shape, device, q);
    return c->pieces == 1 || (q->groups == c->pieces && q->slices == 1 && q->levels > 1 &&
                              !q->stored && q->shared_bytes <= MOST_SHARED);
}

/* ---- the model of time ---------------------------------------------------------------------- */

/* Of a multiprocessor, in cycles: what docs/gpu/model.md assumes, too. None has been measured. */
enum {
    SCHEDULERS = 4,
    RESERVED = 1 << 10, /* bytes of shared memory of a block */
    LAUNCH = 5000,
    PRODUCT = 500, /* of chunks, one after the other: a wait for the L2 cache, mostly */
    SCANNED = 70,  /* a piece, in the scan over pieces */
    BYTES_OF_ALL = 1700
};

/* Of a thread for one step: the chain's, then the tile's. */
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

/* Blocks that a multiprocessor runs side by side. */
static int64_t resident(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                        const sg_cuda_layout *q)
{
    sg_cuda_kind kind = kind_of(shape, q);
    int64_t bound = SG_CUDA_REGISTERS / SG_CUDA_SIDE_BY_SIDE / sg_cuda_most_threads(kind);
    int64_t registers = smaller(sg_cuda_registers(kind), bound);
    int64_t room = SG_CUDA_REGISTERS / (registers * q->threads);
    room = smaller(room, (int64_t)(device->shared_bytes / (q->shared_bytes + RESERVED)));
    return smaller(ceiling(q->blocks, device->multiprocessors), room > 1 ? room : 1);
}

/* Few warps cannot hide the time that an instruction takes. */
static double slowness(const sg_cuda_layout *q, int64_t blocks)
{
    static const double of[] = {1.6, 1.6, 1.25, 1.08};
    int64_t warps = blocks * (q->threads / WARP) / SCHEDULERS;
    return warps < 4 ? of[warps] : 1.0;
}

/* The least run by which `rounds` rounds leave one product. */
static int64_t run_in(int64_t chunks, int32_t rounds)
{
    const int64_t root = (int64_t)pow((double)chunks, 1.0 / rounds);
    for (int64_t run = root > 3 ? root - 1 : 2;; run++) {
        int64_t left = chunks;
        for (int32_t i = 0; i < rounds; i++) left = ceiling(left, run);
        if (left <= 1) return run;
    }
}

int64_t sg_cuda_run_of(int64_t chunks)
{
    int64_t best = run_in(chunks, 1), cycles = LAUNCH + best * PRODUCT;
    for (int32_t rounds = 2; rounds * LAUNCH < cycles; rounds++) {
        int64_t run = run_in(chunks, rounds), all = rounds * (LAUNCH + run * PRODUCT);
        if (all >= cycles) continue;
        best = run;
        cycles = all;
    }
    return best;
}

/* Of chunks, by products in global memory. */
static double joining(const sg_cuda_shape *shape, const sg_cuda_layout *q)
{
    double words = pow(shape->letters, shape->degree);
    double moved = 2.0 * (double)shape->batch * (double)q->chunks * words * shape->scalar_bytes;
    double rounds = 0;
    for (int64_t chunks = q->chunks, run; chunks > 1; chunks = ceiling(chunks, run)) {
        run = sg_cuda_run_of(chunks);
        rounds += LAUNCH + (double)run * PRODUCT;
    }
    return (shape->backward ? 3 : 1) * (rounds + moved / BYTES_OF_ALL);
}

/* Of the pieces of `tasks` blocks, by pieces.cuh: instructions of all of their threads, about two
 * for each product of two numbers, three in the backward, which contracts twice; and the scan, in
 * which each piece waits for the one before. */
static double joining_pieces(const sg_cuda_shape *shape, const sg_cuda_layout *q, int64_t tasks,
                             int64_t blocks)
{
    double top = pow(shape->letters, shape->degree), products = (shape->degree - 1) * top;
    double scan = shape->degree * (shape->degree - 1) * top / shape->letters;
    double slots = shape->backward ? 6 * products + 2 * scan : 2 * (products + top) + scan;
    if (q->pieces == 1) return 0;
    int64_t lanes = smaller(blocks * q->threads, WARP * SCHEDULERS);
    return (double)tasks * q->pieces * slots / (double)lanes +
           (double)ceiling(tasks, blocks) * q->pieces * SCANNED;
}

double sg_cuda_cycles(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                      const sg_cuda_layout *q)
{
    int64_t tasks = ceiling(q->tasks, device->multiprocessors) * ceiling(q->slices, q->parts);
    int64_t blocks = resident(shape, device, q);
    int64_t warps = ceiling(tasks * (q->threads / WARP), SCHEDULERS);
    double launches = shape->backward && !q->whole ? LAUNCH : 0;
    return (double)warps * slots_of(shape, q) * slowness(q, blocks) * (double)q->piece_steps +
           joining_pieces(shape, q, tasks, blocks) + joining(shape, q) + launches;
}

typedef struct {
    const sg_cuda_shape *shape;
    const sg_cuda_properties *device;
    sg_cuda_layout *best;
    double cycles; /* of the best; negative: there is none */
} search;

/* The groups that a block has room for. */
static int64_t consider(search *s, const cut *c)
{
    static const double WORTH_CUTTING = 0.97; /* since more chunks need more memory */
    sg_cuda_layout q;
    if (!lay_out(s->shape, s->device, c, &q)) return 0;
    double cycles = sg_cuda_cycles(s->shape, s->device, &q);
    if (s->cycles < 0 || cycles < WORTH_CUTTING * s->cycles) {
        s->cycles = cycles;
        *s->best = q;
    }
    return sg_cuda_most_threads(kind_of(s->shape, &q)) / ((int64_t)q.nodes * q.tiles);
}

/* Pieces are worth it where paths alone do not fill the device: as many of them as a block of
 * threads takes, and three quarters, half, a quarter of that. */
static void consider_pieces(search *s, cut c)
{
    int64_t most = consider(s, &c);
    int64_t blocks = s->shape->batch * c.chunks;
    if (!blocks || blocks > (int64_t)s->device->multiprocessors * BUSY_BLOCKS) return;
    for (int quarters = 4; quarters > 0 && c.levels > 1; quarters--) {
        c.pieces = (int32_t)smaller(most * quarters / 4, c.chunk_steps / LEAST_PIECE);
        if (c.pieces > 1) consider(s, &c);
    }
}

static bool consider_levels(search *s, int64_t chunks)
{
    const sg_cuda_shape *shape = s->shape;
    int32_t levels = levels_of(shape, false), deepest = levels_of(shape, true);
    int64_t words, steps = ceiling(shape->steps, chunks);
    if (!power(shape->letters, shape->degree, &words)) return false;
    cut c = {steps ? ceiling(shape->steps, steps) : 1, steps, 1, levels};
    consider_pieces(s, c);
    c.levels = deepest;
    if (deepest != levels) consider_pieces(s, c);
    return true;
}

bool sg_cuda_lay_out_chunks(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                            int64_t chunks, sg_cuda_layout *q)
{
    search s = {shape, device, q, -1};
    return consider_levels(&s, chunks);
}

bool sg_cuda_lay_out(const sg_cuda_shape *shape, const sg_cuda_properties *device,
                     sg_cuda_layout *q)
{
    search s = {shape, device, q, -1};
    if (!consider_levels(&s, 1)) return false;
    int64_t busy = (int64_t)device->multiprocessors * BUSY_BLOCKS;
    if (shape->degree == 1 || !shape->batch || q->tasks > 2 * busy) return true;
    for (int64_t chunks = 2; shape->steps / chunks >= SG_CUDA_LEAST_CHUNK; chunks *= 2)
        consider_levels(&s, chunks);
    return true;
}

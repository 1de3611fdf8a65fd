#include "ops/cuda/run.h"
#include "ops/cpu/steps.h"

/* One pass over a call: it takes workspace and queues kernels; or, without kernels, it only counts.
 * The first failure ends it. */
typedef struct {
    const sg_cuda_call *call;
    const sg_cuda_kernels *kernels;
    char *work; /* NULL while counting */
    void *stream;
    int64_t used;
    sigad_status status;
} pass;

enum { ALIGNMENT = 256 };

static void *take(pass *p, int64_t rows, int64_t entries)
{
    int64_t bytes, total;
    if (!sg_multiply(rows, entries, &bytes) || !sg_multiply(bytes, p->call->scalar_bytes, &bytes) ||
        !sg_add(bytes, ALIGNMENT - 1, &bytes) ||
        !sg_add(p->used, bytes / ALIGNMENT * ALIGNMENT, &total)) {
        p->status = SIGAD_ERANGE;
        return NULL;
    }
    void *block = p->work ? p->work + p->used : NULL;
    p->used = total;
    return block;
}

static bool queues(const pass *p)
{
    return p->kernels && !p->status;
}

static void check(pass *p, int error)
{
    if (error) p->status = SIGAD_ECUDA;
}
#define QUEUE(p, kernel, ...) \
    (queues(p) ? check(p, (p)->kernels->kernel(__VA_ARGS__, (p)->stream)) : (void)0)

static sg_cuda_rows rows_of(const void *data, int64_t stride, int32_t scalar)
{
    return (sg_cuda_rows){(void *)(uintptr_t)data, stride, scalar};
}

static sg_cuda_rows sig_rows(const sigad_plan *plan, const void *data)
{
    return rows_of(data, plan->sig_length, plan->spec.scalar_term);
}

static sg_cuda_rows log_rows(const sigad_plan *plan, const void *data)
{
    return rows_of(data, plan->log_sig_length,
                   sg_plan_has_tables(plan) ? 0 : plan->spec.scalar_term);
}

/* ---- signatures ----------------------------------------------------------------------------- */

static sg_cuda_paths paths_of(const sg_cuda_call *c)
{
    const sigad_sig_spec *spec = &c->plan->spec;
    return (sg_cuda_paths){.x = c->x,
                           .lengths = c->lengths,
                           .batch = c->batch,
                           .length = c->length,
                           .dimension = spec->dimension,
                           .letters = c->plan->letters,
                           .time_aug = spec->time_aug,
                           .lead_lag = spec->lead_lag,
                           .end_time = spec->end_time};
}

static sg_cuda_shape shape_of(const sg_cuda_call *c, bool backward)
{
    return (sg_cuda_shape){.batch = c->batch,
                           .steps = sg_steps(c->plan, c->length),
                           .letters = c->plan->letters,
                           .degree = c->plan->degree,
                           .scalar_bytes = c->scalar_bytes,
                           .backward = backward};
}

/* With the chunks of `like`, if it is given. */
static bool lay_out(pass *p, const sg_cuda_shape *shape, const sg_cuda_layout *like,
                    sg_cuda_layout *q)
{
    const sg_cuda_call *c = p->call;
    sg_cuda_remembered *remembered = c->tables ? c->tables->remembered : NULL;
    if (!sg_cuda_lay_out_again(remembered, shape, &c->device, like, q)) p->status = SIGAD_ERANGE;
    return !p->status;
}

/* Increments too wide for shared memory: made once for all kernels of the call. */
static void *stored_increments(pass *p, const sg_cuda_paths *paths, const sg_cuda_layout *q)
{
    if (!q->stored) return NULL;
    void *z = take(p, paths->batch * q->chunks * q->chunk_steps, q->width);
    if (q->chunk_steps) QUEUE(p, increments, paths, q, z);
    return z;
}

/* ---- products of chunks --------------------------------------------------------------------- */

static sg_cuda_runs runs_of(const pass *p, const sg_cuda_layout *q)
{
    return (sg_cuda_runs){.letters = q->letters,
                          .degree = q->degree,
                          .batch = p->call->batch,
                          .chunks = q->chunks,
                          .run = sg_cuda_run_of(q->chunks)};
}

static int64_t words_of(const pass *p, const sg_cuda_runs *r)
{
    return p->call->plan->offset[r->degree + 1];
}

/* The product of each run; r then says how these are to be multiplied. */
static void *join_runs(pass *p, sg_cuda_runs *r, const void *chunk)
{
    int64_t words = words_of(p, r), runs = (r->chunks + r->run - 1) / r->run;
    void *joined = take(p, r->batch * runs, words);
    QUEUE(p, join, r, chunk, rows_of(joined, words, 0));
    r->chunks = runs;
    r->run = sg_cuda_run_of(runs);
    return joined;
}

static void queue_join(pass *p, sg_cuda_runs r, const void *chunk, sg_cuda_rows out)
{
    while (r.run < r.chunks) chunk = join_runs(p, &r, chunk);
    QUEUE(p, join, &r, chunk, out);
}

/* What stands before and after each chunk, of which the same is found for the runs first. */
static void queue_scan(pass *p, sg_cuda_runs r, const void *chunk, void *before, void *after)
{
    if (r.run == r.chunks) {
        QUEUE(p, scan, &r, chunk, NULL, NULL, before, after);
        return;
    }
    sg_cuda_runs of_runs = r;
    const void *joined = join_runs(p, &of_runs, chunk);
    int64_t words = words_of(p, &r), runs = r.batch * of_runs.chunks;
    void *before_run = take(p, runs, words), *after_run = take(p, runs, words);
    queue_scan(p, of_runs, joined, before_run, after_run);
    QUEUE(p, scan, &r, chunk, before_run, after_run, before, after);
}

static void queue_sig(pass *p, sg_cuda_rows out)
{
    const sg_cuda_call *c = p->call;
    sg_cuda_paths paths = paths_of(c);
    sg_cuda_shape shape = shape_of(c, false);
    sg_cuda_layout q;
    if (paths.letters == 1) {
        QUEUE(p, line, &paths, c->plan->degree, out);
        return;
    }
    if (!lay_out(p, &shape, NULL, &q)) return;
    void *z = stored_increments(p, &paths, &q);
    if (q.chunks == 1) {
        QUEUE(p, forward, &paths, &q, z, out);
        return;
    }
    int64_t words = sg_plan_words(c->plan);
    void *chunk = take(p, c->batch * q.chunks, words);
    QUEUE(p, forward, &paths, &q, z, rows_of(chunk, words, 0));
    queue_join(p, runs_of(p, &q), chunk, out);
}

/* S = P C Q with a chunk's C, so that chunk's cotangent is the whole one contracted with P from the
 * left and Q from the right; P and Q are needed below the top level only. */
static sg_cuda_rows chunk_cotangents(pass *p, const sg_cuda_paths *paths, const sg_cuda_layout *q,
                                     const void *z, sg_cuda_rows cotangent)
{
    const sg_cuda_call *c = p->call;
    int64_t chunks = c->batch * q->chunks, low = sg_plan_low_words(c->plan);
    int64_t all = sg_plan_words(c->plan);
    sg_cuda_shape shape = shape_of(c, false);
    sg_cuda_layout below;
    shape.degree--;
    if (!lay_out(p, &shape, q, &below)) return rows_of(NULL, all, 0);
    void *chunk = take(p, chunks, low), *before = take(p, chunks, low);
    void *after = take(p, chunks, low), *half = take(p, chunks, all), *out = take(p, chunks, all);
    QUEUE(p, forward, paths, &below, z, rows_of(chunk, low, 0));
    queue_scan(p, runs_of(p, &below), chunk, before, after);
    QUEUE(p, chunk_bar, q, c->batch, cotangent, before, after, half, out);
    return rows_of(out, all, 0);
}

static void queue_sig_bar(pass *p, sg_cuda_rows cotangent, void *path_bar)
{
    const sg_cuda_call *c = p->call;
    sg_cuda_paths paths = paths_of(c);
    sg_cuda_shape shape = shape_of(c, true);
    sg_cuda_layout q;
    if (paths.letters == 1) {
        QUEUE(p, line_bar, &paths, c->plan->degree, cotangent, path_bar);
        return;
    }
    if (!lay_out(p, &shape, NULL, &q)) return;
    void *z = stored_increments(p, &paths, &q);
    if (q.chunks > 1) cotangent = chunk_cotangents(p, &paths, &q, z, cotangent);
    int64_t blocks = (q.piece_steps + q.block_steps - 1) / q.block_steps;
    void *kept = take(p, q.blocks * blocks, (int64_t)q.kept * q.threads);
    void *z_bar = take(p, c->batch * q.parts, shape.steps * q.letters);
    if (q.chunk_steps) QUEUE(p, backward, &paths, &q, z, cotangent, kept, z_bar, path_bar);
    if (!q.whole) QUEUE(p, path_bar, &paths, q.parts, z_bar, path_bar);
}

/* ---- between signatures and log-signatures ----------------------------------------------------
 */

enum { SERIES_BLOCKS = 1024, SERIES_WORK = 1 << 26 /* entries, about */ };

/* Blocks take items in turn, so that scratch does not grow with the batch. */
static sg_cuda_series series_of(const sg_cuda_call *c, bool exponential, bool words_only,
                                int64_t work_stride)
{
    int64_t blocks = work_stride > 0 ? SERIES_WORK / work_stride : SERIES_BLOCKS;
    if (blocks > SERIES_BLOCKS) blocks = SERIES_BLOCKS;
    if (blocks > c->batch) blocks = c->batch;
    return (sg_cuda_series){.letters = c->plan->letters,
                            .degree = c->plan->degree,
                            .exponential = exponential,
                            .place = words_only && c->tables ? c->tables->place : NULL,
                            .count = words_only ? c->plan->log_sig_length : 0,
                            .batch = c->batch,
                            .blocks = blocks < 1 ? 1 : (int32_t)blocks,
                            .threads = sg_plan_words(c->plan) < 256 ? 64 : 256,
                            .work_stride = work_stride};
}

static void queue_series(pass *p, bool exponential, bool words_only, sg_cuda_rows x, sg_cuda_rows y)
{
    const sigad_plan *plan = p->call->plan;
    sg_cuda_series s = series_of(p->call, exponential, words_only, 2 * sg_plan_low_words(plan));
    void *work = take(p, s.blocks, s.work_stride);
    QUEUE(p, series, &s, x, y, work);
}

static void queue_series_bar(pass *p, bool exponential, bool words_only, sg_cuda_rows x,
                             sg_cuda_rows y_bar, sg_cuda_rows x_bar)
{
    const sigad_plan *plan = p->call->plan;
    int64_t entries = 2 * sg_plan_low_words(plan) + (words_only ? sg_plan_words(plan) : 0);
    for (int32_t k = 2; k <= plan->degree; k++) /* Y_k has levels 1 .. degree + 1 - k */
        if (!sg_add(entries, plan->offset[plan->degree + 2 - k], &entries))
            p->status = SIGAD_ERANGE;
    sg_cuda_series s = series_of(p->call, exponential, words_only, entries);
    void *work = take(p, s.blocks, s.work_stride);
    QUEUE(p, series_bar, &s, x, y_bar, x_bar, work);
}

static void queue_log(pass *p, sg_cuda_rows sig, sg_cuda_rows log_sig)
{
    const sg_cuda_call *c = p->call;
    queue_series(p, false, sg_plan_has_tables(c->plan), sig, log_sig);
    if (c->plan->spec.method == SIGAD_LYNDON_BRACKETS)
        QUEUE(p, solve, &c->tables->to_brackets, c->batch, log_sig);
}

static void queue_log_bar(pass *p, sg_cuda_rows sig, const void *y_bar, sg_cuda_rows sig_bar)
{
    const sg_cuda_call *c = p->call;
    sg_cuda_rows cotangent = log_rows(c->plan, y_bar);
    if (c->plan->spec.method == SIGAD_LYNDON_BRACKETS) {
        int64_t count = c->plan->log_sig_length;
        sg_cuda_rows own = rows_of(take(p, c->batch, count), count, 0);
        QUEUE(p, copy, c->batch, count, cotangent, own);
        QUEUE(p, solve, &c->tables->to_brackets_bar, c->batch, own);
        cotangent = own;
    }
    queue_series_bar(p, false, sg_plan_has_tables(c->plan), sig, cotangent, sig_bar);
}

/* The tensor that the coordinates x stand for. */
static sg_cuda_rows tensor_of(pass *p)
{
    const sg_cuda_call *c = p->call;
    int64_t words = sg_plan_words(c->plan), count = c->plan->log_sig_length;
    sg_cuda_rows coordinates = log_rows(c->plan, c->x);
    if (!sg_plan_has_tables(c->plan)) return coordinates;
    if (c->plan->spec.method == SIGAD_LYNDON_WORDS) {
        sg_cuda_rows own = rows_of(take(p, c->batch, count), count, 0);
        QUEUE(p, copy, c->batch, count, coordinates, own);
        QUEUE(p, solve, &c->tables->to_brackets, c->batch, own);
        coordinates = own;
    }
    sg_cuda_rows tensor = rows_of(take(p, c->batch, words), words, 0);
    QUEUE(p, gather, &c->tables->expand, c->batch, coordinates, tensor);
    return tensor;
}

static void queue_exp_bar(pass *p, void *x_bar)
{
    const sg_cuda_call *c = p->call;
    int64_t words = sg_plan_words(c->plan);
    sg_cuda_rows tensor = tensor_of(p), cotangent = sig_rows(c->plan, c->y_bar);
    sg_cuda_rows out = log_rows(c->plan, x_bar);
    if (!sg_plan_has_tables(c->plan)) {
        queue_series_bar(p, true, false, tensor, cotangent, out);
        return;
    }
    sg_cuda_rows tensor_bar = rows_of(take(p, c->batch, words), words, 0);
    queue_series_bar(p, true, false, tensor, cotangent, tensor_bar);
    QUEUE(p, gather, &c->tables->expand_bar, c->batch, tensor_bar, out);
    if (c->plan->spec.method == SIGAD_LYNDON_WORDS)
        QUEUE(p, solve, &c->tables->to_brackets_bar, c->batch, out);
}

/* ---- the operations ---------------------------------------------------------------------------
 */

static void queue_log_sig(pass *p)
{
    const sg_cuda_call *c = p->call;
    sg_cuda_rows sig = sig_rows(c->plan, take(p, c->batch, c->plan->sig_length));
    queue_sig(p, sig);
    if (!c->backward) {
        queue_log(p, sig, log_rows(c->plan, c->out));
        return;
    }
    sg_cuda_rows sig_bar = sig_rows(c->plan, take(p, c->batch, c->plan->sig_length));
    queue_log_bar(p, sig, c->y_bar, sig_bar);
    queue_sig_bar(p, sig_bar, c->out);
}

static void queue_call(pass *p)
{
    const sg_cuda_call *c = p->call;
    const sigad_plan *plan = c->plan;
    switch (c->operation) {
    case SG_CUDA_SIG:
        if (c->backward)
            queue_sig_bar(p, sig_rows(plan, c->y_bar), c->out);
        else
            queue_sig(p, sig_rows(plan, c->out));
        break;
    case SG_CUDA_LOG_SIG:
        queue_log_sig(p);
        break;
    case SG_CUDA_SIG_TO_LOG_SIG:
        if (c->backward)
            queue_log_bar(p, sig_rows(plan, c->x), c->y_bar, sig_rows(plan, c->out));
        else
            queue_log(p, sig_rows(plan, c->x), log_rows(plan, c->out));
        break;
    default:
        if (c->backward)
            queue_exp_bar(p, c->out);
        else
            queue_series(p, true, false, tensor_of(p), sig_rows(plan, c->out));
    }
}

int64_t sg_cuda_x_entries(const sg_cuda_call *c)
{
    if (c->operation <= SG_CUDA_LOG_SIG) return c->length * c->plan->spec.dimension;
    return c->operation == SG_CUDA_SIG_TO_LOG_SIG ? c->plan->sig_length : c->plan->log_sig_length;
}

int64_t sg_cuda_y_entries(const sg_cuda_call *c)
{
    bool to_sig = c->operation == SG_CUDA_SIG || c->operation == SG_CUDA_LOGSIG_TO_SIG;
    return to_sig ? c->plan->sig_length : c->plan->log_sig_length;
}

sigad_status sg_cuda_work_bytes(const sg_cuda_call *call, int64_t *bytes)
{
    pass p = {.call = call};
    queue_call(&p);
    *bytes = p.used;
    return p.status;
}

sigad_status sg_cuda_run(const sg_cuda_call *call, const sg_cuda_kernels *kernels, void *work,
                         void *stream)
{
    pass p = {.call = call, .kernels = kernels, .work = work, .stream = stream};
    queue_call(&p);
    return p.status;
}

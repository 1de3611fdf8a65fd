#include "core/options.h"
#include "core/random.h"
#include "graph/tape.h"
#include "sigad/train.h"
#include "train/option.h"
#include <string.h>

/* One array of the user's. */
typedef struct {
    sigad_array row; /* of a fixed-size row; of series: of one point, [channels] */
    const char *data;
    const int64_t *offsets; /* [count + 1]; NULL: rows of a fixed size */
} source;

struct sigad_batches {
    sg_owned owned;
    sigad_context *context;
    sigad_batches_options options;
    source *sources;
    size_t source_count, source_capacity;
    int64_t *order;      /* [count] */
    int64_t order_epoch; /* that `order` is of; -1: none yet */
    int64_t epoch, position;
};

/* ---- life ------------------------------------------------------------------------------------ */

static size_t order_bytes(const sigad_batches *b)
{
    return (size_t)b->options.count * sizeof *b->order;
}

static void destroy_owned(sg_owned *owned)
{
    sigad_batches_destroy((sigad_batches *)(void *)owned);
}

static sigad_status read_options(sigad_context *context, const sigad_batches_options *given,
                                 sigad_batches_options *o)
{
    sg_error *error = &context->error;
    if (sg_options(error, "sigad_batches_options", given, o, sizeof *o) ||
        sg_option_reserved(context, "sigad_batches_create", o->reserved))
        return error->status;
    if (o->count < 0 || o->batch < 0)
        return sg_fail(error, SIGAD_EINVAL,
                       "sigad_batches_create: count %lld, batch %lld: neither may be negative",
                       (long long)o->count, (long long)o->batch);
    if (o->count > INT64_MAX / (int64_t)sizeof(int64_t))
        return sg_fail(error, SIGAD_ERANGE, "sigad_batches_create: %lld rows are too many",
                       (long long)o->count);
    if (!o->batch) o->batch = 32;
    return SIGAD_OK;
}

sigad_status sigad_batches_create(sigad_context *context, const sigad_batches_options *given,
                                  sigad_batches **result)
{
    sigad_batches_options options;
    if (result) *result = NULL;
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    if (!result)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "sigad_batches_create: there is no place for the result");
    if (read_options(context, given, &options)) return context->error.status;

    sigad_batches *b = sg_context_allocate(context, sizeof *b);
    if (!b) return sg_context_no_memory(context, "sigad_batches_create", sizeof *b);
    *b = (sigad_batches){.context = context, .options = options, .order_epoch = -1};
    b->owned.destroy = destroy_owned;
    sg_context_own(context, &b->owned);
    size_t bytes = order_bytes(b);
    if (bytes && !options.in_order) b->order = sg_context_allocate(context, bytes);
    if (bytes && !options.in_order && !b->order) {
        sigad_batches_destroy(b);
        return sg_context_no_memory(context, "sigad_batches_create", bytes);
    }
    *result = b;
    return SIGAD_OK;
}

void sigad_batches_destroy(sigad_batches *b)
{
    if (!b) return;
    const sigad_allocator *allocator = &b->context->allocator;
    sg_owned_detach(&b->owned);
    sg_release(allocator, b->order, order_bytes(b));
    sg_release(allocator, b->sources, b->source_capacity * sizeof *b->sources);
    sg_release(allocator, b, sizeof *b);
}

/* ---- what the batches are of ----------------------------------------------------------------- */

static sigad_status add(sigad_batches *b, const char *caller, const source *added)
{
    sigad_context *context = b->context;
    size_t size = sg_dtype_bytes(added->row.dtype);
    int64_t rows = added->offsets ? added->offsets[b->options.count] : b->options.count;
    if (!added->data && added->row.elements && rows)
        return sg_fail(&context->error, SIGAD_EINVAL, "%s: data is NULL, but there are %lld rows",
                       caller, (long long)rows);
    if ((uintptr_t)added->data % size)
        return sg_fail(&context->error, SIGAD_EINVAL, "%s: data of %s must be aligned to %zu bytes",
                       caller, sg_dtype_name(added->row.dtype), size);
    if (!sg_grow(&context->allocator, (void **)&b->sources, b->source_count, &b->source_capacity,
                 sizeof *b->sources))
        return sg_context_no_memory(context, caller, sizeof *b->sources);
    b->sources[b->source_count++] = *added;
    return SIGAD_OK;
}

/* Refuses a row of which `count` would be more than can be. */
static sigad_status describe(sigad_batches *b, const char *caller, sigad_dtype dtype, int rank,
                             const int64_t *shape, int64_t count, sigad_array *row)
{
    sg_error *error = &b->context->error;
    int64_t bytes;
    if (sg_array_describe(error, caller, dtype, rank, shape, row)) return error->status;
    if (rank >= SIGAD_MAX_RANK)
        return sg_fail(error, SIGAD_ESHAPE, "%s: rows of rank %d; the largest that fits is %d",
                       caller, rank, SIGAD_MAX_RANK - 1);
    if (!sg_multiply(row->elements * (int64_t)sg_dtype_bytes(row->dtype), count, &bytes))
        return sg_fail(error, SIGAD_ERANGE, "%s: %lld rows of this size are too many", caller,
                       (long long)count);
    return SIGAD_OK;
}

sigad_status sigad_batches_add(sigad_batches *b, sigad_dtype dtype, int rank, const int64_t *shape,
                               const void *data)
{
    static const char caller[] = "sigad_batches_add";
    source added = {.data = data};
    if (!b) return SIGAD_EINVAL;
    if (b->context->error.status) return b->context->error.status;
    if (describe(b, caller, dtype, rank, shape, b->options.count, &added.row))
        return b->context->error.status;
    return add(b, caller, &added);
}

sigad_status sigad_batches_add_series(sigad_batches *b, sigad_dtype dtype, int64_t channels,
                                      const int64_t *offsets, const void *points)
{
    static const char caller[] = "sigad_batches_add_series";
    source added = {.data = points, .offsets = offsets};
    if (!b) return SIGAD_EINVAL;
    sg_error *error = &b->context->error;
    if (error->status) return error->status;
    if (!offsets || offsets[0] != 0)
        return sg_fail(error, SIGAD_EINVAL, "%s: offsets must be there and start at 0", caller);
    for (int64_t i = 0; i < b->options.count; i++)
        if (offsets[i + 1] < offsets[i])
            return sg_fail(error, SIGAD_EINVAL,
                           "%s: series %lld ends at point %lld, before its start at %lld", caller,
                           (long long)i, (long long)offsets[i + 1], (long long)offsets[i]);
    if (describe(b, caller, dtype, 1, &channels, offsets[b->options.count], &added.row))
        return error->status;
    return add(b, caller, &added);
}

/* ---- copying a batch ------------------------------------------------------------------------- */

static int64_t row_at(const sigad_batches *b, int64_t i)
{
    return b->options.in_order ? b->position + i : b->order[b->position + i];
}

static const char next_caller[] = "sigad_batches_next";

/* Begins a tensor of the tape of the shape [rows, leading (if not negative), row ...]; NULL with
 * the error set. */
static void *begin_leaf(sigad_tape *tape, const sigad_array *row, int64_t rows, int64_t leading,
                        sg_draft *draft)
{
    sigad_array value;
    int64_t shape[SIGAD_MAX_RANK] = {rows, leading};
    int fresh = leading < 0 ? 1 : 2;
    memcpy(shape + fresh, row->shape, (size_t)row->rank * sizeof *shape);
    if (sg_array_describe(&tape->context->error, next_caller, (sigad_dtype)row->dtype,
                          row->rank + fresh, shape, &value))
        return NULL;
    return sg_tape_leaf_begin(tape, next_caller, &value, draft);
}

static bool end_leaf(sigad_tape *tape, const sg_draft *draft, sigad_tensor *tensor)
{
    *tensor = sg_tape_leaf_end(tape, next_caller, draft);
    return tensor->generation != 0;
}

static bool copy_rows(const sigad_batches *b, const source *s, sigad_tape *tape, int64_t rows,
                      sigad_tensor *tensor)
{
    size_t bytes = sg_array_bytes(&s->row);
    sg_draft draft;
    char *to = begin_leaf(tape, &s->row, rows, -1, &draft);
    if (!to) return false;
    for (int64_t i = 0; bytes && i < rows; i++)
        memcpy(to + (size_t)i * bytes, s->data + (size_t)row_at(b, i) * bytes, bytes);
    return end_leaf(tape, &draft, tensor);
}

static int64_t length_of(const source *s, int64_t row)
{
    return s->offsets[row + 1] - s->offsets[row];
}

/* One series, then its last point again until there are `longest`; zeros if it has none. */
static void copy_padded(const source *s, int64_t row, int64_t longest, char *to)
{
    size_t bytes = sg_array_bytes(&s->row);
    int64_t length = length_of(s, row);
    if (!bytes || !longest) return;
    if (length)
        memcpy(to, s->data + (size_t)s->offsets[row] * bytes, (size_t)length * bytes);
    else
        memset(to, 0, (size_t)longest * bytes);
    for (int64_t i = length; length && i < longest; i++)
        memcpy(to + (size_t)i * bytes, to + (size_t)(length - 1) * bytes, bytes);
}

static bool copy_paths(const sigad_batches *b, const source *s, sigad_tape *tape, int64_t rows,
                       int64_t longest, sigad_tensor *path)
{
    size_t bytes = sg_array_bytes(&s->row);
    sg_draft draft;
    char *points = begin_leaf(tape, &s->row, rows, longest, &draft);
    if (!points) return false;
    for (int64_t i = 0; i < rows; i++)
        copy_padded(s, row_at(b, i), longest, points + (size_t)(i * longest) * bytes);
    return end_leaf(tape, &draft, path);
}

static bool copy_series(const sigad_batches *b, const source *s, sigad_tape *tape, int64_t rows,
                        sigad_tensor *path, sigad_tensor *lengths)
{
    static const sigad_array length = {.dtype = SIGAD_I64, .elements = 1};
    int64_t longest = 0, *counts;
    sg_draft draft;
    for (int64_t i = 0; i < rows; i++) {
        int64_t here = length_of(s, row_at(b, i));
        if (here > longest) longest = here;
    }
    if (!copy_paths(b, s, tape, rows, longest, path)) return false;
    counts = begin_leaf(tape, &length, rows, -1, &draft);
    if (!counts) return false;
    for (int64_t i = 0; i < rows; i++) counts[i] = length_of(s, row_at(b, i));
    return end_leaf(tape, &draft, lengths);
}

static bool copy_all(const sigad_batches *b, sigad_tape *tape, int64_t rows, sigad_tensor *tensors)
{
    for (size_t i = 0; i < b->source_count; i++) {
        const source *s = &b->sources[i];
        if (s->offsets ? !copy_series(b, s, tape, rows, tensors, tensors + 1)
                       : !copy_rows(b, s, tape, rows, tensors))
            return false;
        tensors += s->offsets ? 2 : 1;
    }
    return true;
}

/* ---- going through the rows ------------------------------------------------------------------ */

static int tensors_of(const sigad_batches *b)
{
    int count = 0;
    for (size_t i = 0; i < b->source_count; i++) count += b->sources[i].offsets ? 2 : 1;
    return count;
}

static void clear(int n, sigad_tensor *tensors)
{
    for (int i = 0; tensors && i < n; i++) tensors[i] = (sigad_tensor){0, 0};
}

int sigad_batches_next(sigad_batches *b, sigad_tape *tape, int n, sigad_tensor *tensors)
{
    clear(n, tensors);
    if (!sg_tape_ready(tape)) return 0;
    sg_error *error = &tape->context->error;
    if (!b) {
        sg_fail(error, SIGAD_EINVAL, "sigad_batches_next: batches is NULL");
        return 0;
    }
    if (n != tensors_of(b) || (n && !tensors)) {
        sg_fail(error, SIGAD_EINVAL,
                "sigad_batches_next: there is place for %d tensors, not for %d", tensors ? n : 0,
                tensors_of(b));
        return 0;
    }
    int64_t rows = b->options.count - b->position;
    if (rows > b->options.batch) rows = b->options.batch;
    if (!rows || (b->options.drop_last && rows < b->options.batch)) {
        b->epoch++;
        b->position = 0;
        return 0;
    }
    if (!b->options.in_order && b->order_epoch != b->epoch) {
        uint64_t key = sg_random_key(b->options.seed, (uint64_t)b->epoch);
        sg_random_permutation(key, b->options.count, b->order);
        b->order_epoch = b->epoch;
    }
    if (!copy_all(b, tape, rows, tensors)) {
        clear(n, tensors);
        return 0;
    }
    b->position += rows;
    return 1;
}

int64_t sigad_batches_per_epoch(const sigad_batches *b)
{
    if (!b) return 0;
    int64_t full = b->options.count / b->options.batch;
    return full + (!b->options.drop_last && b->options.count % b->options.batch);
}

int64_t sigad_batches_epoch(const sigad_batches *b)
{
    return b ? b->epoch : 0;
}

int64_t sigad_batches_position(const sigad_batches *b)
{
    return b ? b->position : 0;
}

sigad_status sigad_batches_seek(sigad_batches *b, int64_t epoch, int64_t position)
{
    if (!b) return SIGAD_EINVAL;
    sg_error *error = &b->context->error;
    if (error->status) return error->status;
    if (epoch < 0 || position < 0 || position > b->options.count)
        return sg_fail(error, SIGAD_ERANGE,
                       "sigad_batches_seek: epoch %lld, position %lld: the epoch must not be "
                       "negative, the position lies in 0 .. %lld",
                       (long long)epoch, (long long)position, (long long)b->options.count);
    b->epoch = epoch;
    b->position = position;
    return SIGAD_OK;
}

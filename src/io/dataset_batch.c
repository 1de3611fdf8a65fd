#include "core/random.h"
#include "graph/tape.h"
#include "io/dataset.h"
#include <string.h>

static const char *const caller = "sigad_dataset_batch";

static int64_t series_of(const int64_t *index, int64_t i)
{
    return index ? index[i] : i;
}

static int64_t length_of(const sigad_dataset *dataset, int64_t series)
{
    return dataset->starts[series + 1] - dataset->starts[series];
}

static sigad_status check(sg_error *error, const sigad_dataset *dataset, int64_t count,
                          const int64_t *index, bool labels)
{
    if (!dataset) return sg_fail(error, SIGAD_EINVAL, "%s: dataset is NULL", caller);
    const long long there = dataset->count;
    if (count < 0)
        return sg_fail(error, SIGAD_EINVAL, "%s: count is %lld", caller, (long long)count);
    if (!index && count > there)
        return sg_fail(error, SIGAD_ERANGE, "%s: count is %lld, the data set has %lld series",
                       caller, (long long)count, there);
    for (int64_t i = 0; index && i < count; i++)
        if (index[i] < 0 || index[i] >= there)
            return sg_fail(error, SIGAD_ERANGE,
                           "%s: index[%lld] is %lld, the data set has %lld series", caller,
                           (long long)i, (long long)index[i], there);
    if (labels && !dataset->labels)
        return sg_fail(error, SIGAD_EINVAL, "%s: the data set has no classes, pass NULL for labels",
                       caller);
    return SIGAD_OK;
}

/* Begins a leaf of this shape, whose bytes the caller fills before it calls finish; NULL with the
 * error set. */
static void *begin(sigad_tape *tape, int32_t dtype, int rank, const int64_t *shape, sg_draft *draft)
{
    sigad_array array;
    sg_error *error = &tape->context->error;
    if (sg_array_describe(error, caller, (sigad_dtype)dtype, rank, shape, &array)) return NULL;
    return sg_tape_leaf_begin(tape, caller, &array, draft);
}

static sigad_status finish(sigad_tape *tape, const sg_draft *draft, sigad_tensor *result)
{
    *result = sg_tape_leaf_end(tape, caller, draft);
    return tape->context->error.status;
}

/* [count, longest, channels]; a series repeats its last point to the end. */
static void fill_path(const sigad_dataset *dataset, int64_t count, const int64_t *index,
                      int64_t longest, unsigned char *out)
{
    const size_t point = (size_t)dataset->channels * sg_dtype_bytes(dataset->dtype);
    for (int64_t i = 0; i < count; i++) {
        int64_t series = series_of(index, i), length = length_of(dataset, series);
        const unsigned char *from = dataset->values + (size_t)dataset->starts[series] * point;
        memcpy(out, from, (size_t)length * point);
        const unsigned char *last = from + (size_t)(length - 1) * point;
        for (int64_t t = length; t < longest; t++) memcpy(out + (size_t)t * point, last, point);
        out += (size_t)longest * point;
    }
}

static sigad_status make_path(sigad_tape *tape, const sigad_dataset *dataset, int64_t count,
                              const int64_t *index, sigad_tensor *path)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t length = length_of(dataset, series_of(index, i));
        if (length > longest) longest = length;
    }
    sg_draft draft;
    const int64_t shape[] = {count, longest, dataset->channels};
    unsigned char *out = begin(tape, dataset->dtype, 3, shape, &draft);
    if (!out) return tape->context->error.status;
    fill_path(dataset, count, index, longest, out);
    return finish(tape, &draft, path);
}

static sigad_status make_lengths(sigad_tape *tape, const sigad_dataset *dataset, int64_t count,
                                 const int64_t *index, sigad_tensor *lengths)
{
    sg_draft draft;
    int64_t *out = begin(tape, SIGAD_I64, 1, &count, &draft);
    for (int64_t i = 0; out && i < count; i++) out[i] = length_of(dataset, series_of(index, i));
    return out ? finish(tape, &draft, lengths) : tape->context->error.status;
}

static sigad_status make_labels(sigad_tape *tape, const sigad_dataset *dataset, int64_t count,
                                const int64_t *index, sigad_tensor *labels)
{
    sg_draft draft;
    int64_t *out = begin(tape, SIGAD_I64, 1, &count, &draft);
    for (int64_t i = 0; out && i < count; i++) out[i] = dataset->labels[series_of(index, i)];
    return out ? finish(tape, &draft, labels) : tape->context->error.status;
}

sigad_status sigad_dataset_batch(sigad_tape *tape, const sigad_dataset *dataset, int64_t count,
                                 const int64_t *index, sigad_tensor *path, sigad_tensor *lengths,
                                 sigad_tensor *labels)
{
    sigad_tensor *const results[] = {path, lengths, labels};
    for (int i = 0; i < 3; i++)
        if (results[i]) *results[i] = (sigad_tensor){0, 0};
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    sigad_status status = check(error, dataset, count, index, labels != NULL);
    if (!status && path) status = make_path(tape, dataset, count, index, path);
    if (!status && lengths) status = make_lengths(tape, dataset, count, index, lengths);
    if (!status && labels) status = make_labels(tape, dataset, count, index, labels);
    for (int i = 0; i < 3 && status; i++)
        if (results[i]) *results[i] = (sigad_tensor){0, 0};
    return status;
}

void sigad_permutation(uint64_t seed, uint64_t epoch, int64_t n, int64_t *index)
{
    if (index) sg_random_permutation(sg_random_key(seed, epoch), n, index);
}

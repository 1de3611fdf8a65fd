#include "io/dataset.h"
#include "core/options.h"
#include "io/file.h"
#include "io/ts.h"
#include <string.h>

static void destroy(sg_owned *object)
{
    sigad_dataset *dataset = (sigad_dataset *)(void *)object;
    sg_owned_detach(object);
    sg_release(&dataset->context->allocator, dataset, dataset->bytes);
}

/* Cuts `bytes` from a block, aligned; only counts while there is none. */
static void *cut(unsigned char *block, size_t *used, size_t bytes)
{
    size_t at = (*used + SG_ALIGNMENT - 1) / SG_ALIGNMENT * SG_ALIGNMENT;
    *used = at + bytes;
    return block ? block + at : NULL;
}

/* Places the parts of a data set in its block and fills them; returns the bytes of the block. */
static size_t lay_out(const sg_series *series, sigad_dataset *dataset)
{
    unsigned char *block = (unsigned char *)dataset;
    size_t used = sizeof *dataset;
    void *starts = cut(block, &used, series->starts.count + sizeof *dataset->starts);
    void *labels = cut(block, &used, series->labels.count);
    void *names = cut(block, &used, (size_t)series->classes * sizeof *dataset->names);
    char *text = cut(block, &used, series->names.count);
    void *values = cut(block, &used, series->values.count);
    if (!dataset) return used;
    *dataset = (sigad_dataset){.bytes = used,
                               .dtype = series->dtype,
                               .count = series->count,
                               .channels = series->channels,
                               .longest = series->longest,
                               .classes = series->classes,
                               .starts = starts,
                               .labels = series->classes ? labels : NULL,
                               .names = names,
                               .values = values};
    memcpy(starts, series->starts.bytes, series->starts.count);
    dataset->starts[series->count] = series->points;
    memcpy(values, series->values.bytes, series->values.count);
    if (!series->classes) return used;
    memcpy(labels, series->labels.bytes, series->labels.count);
    memcpy(text, series->names.bytes, series->names.count);
    for (int64_t i = 0; i < series->classes; i++, text += strlen(text) + 1)
        dataset->names[i] = text;
    return used;
}

static sigad_status make(sigad_context *context, const sg_series *series, sigad_dataset **dataset)
{
    size_t bytes = lay_out(series, NULL);
    *dataset = sg_context_allocate(context, bytes);
    if (!*dataset) return sg_context_no_memory(context, "sigad_dataset_read_ts", bytes);
    lay_out(series, *dataset);
    (*dataset)->context = context;
    (*dataset)->owned.destroy = destroy;
    sg_context_own(context, &(*dataset)->owned);
    return SIGAD_OK;
}

static sigad_status check(sg_error *error, const char *path, sigad_dtype dtype,
                          const sigad_ts_options *options)
{
    const char *caller = "sigad_dataset_read_ts";
    if (!path) return sg_fail(error, SIGAD_EINVAL, "%s: path is NULL", caller);
    if (dtype != SIGAD_F32 && dtype != SIGAD_F64)
        return sg_fail(error, SIGAD_EDTYPE, "%s: dtype is %s, use SIGAD_F32 or SIGAD_F64", caller,
                       sg_dtype_name((int32_t)dtype));
    if (options->missing < SIGAD_MISSING_REFUSE || options->missing > SIGAD_MISSING_LINEAR)
        return sg_fail(error, SIGAD_EINVAL, "%s: missing is %d, use SIGAD_MISSING_...", caller,
                       (int)options->missing);
    return SIGAD_OK;
}

sigad_status sigad_dataset_read_ts_with(sigad_context *context, const char *path, sigad_dtype dtype,
                                        const sigad_ts_options *given, sigad_dataset **dataset)
{
    sigad_ts_options options;
    if (dataset) *dataset = NULL;
    if (!context) return SIGAD_EINVAL;
    sg_error *error = &context->error;
    if (error->status) return error->status;
    if (!dataset) return sg_fail(error, SIGAD_EINVAL, "sigad_dataset_read_ts: dataset is NULL");
    sigad_status status = sg_options(error, "sigad_ts_options", given, &options, sizeof options);
    if (!status) status = check(error, path, dtype, &options);
    if (status) return status;
    sg_buffer file = {.allocator = &context->allocator};
    sg_series series;
    status = sg_file_read(error, path, &file);
    if (status) return status;
    sg_source source = {error, &context->allocator, path, file.bytes, file.count, 0};
    status = sg_ts_parse(&source, (int32_t)dtype, options.missing, &series);
    sg_buffer_destroy(&file);
    if (!status) status = make(context, &series, dataset);
    sg_series_destroy(&series);
    return status;
}

sigad_status sigad_dataset_read_ts(sigad_context *context, const char *path, sigad_dtype dtype,
                                   sigad_dataset **dataset)
{
    return sigad_dataset_read_ts_with(context, path, dtype, NULL, dataset);
}

void sigad_dataset_destroy(sigad_dataset *dataset)
{
    if (dataset) destroy(&dataset->owned);
}

int64_t sigad_dataset_count(const sigad_dataset *dataset)
{
    return dataset ? dataset->count : 0;
}

int64_t sigad_dataset_channels(const sigad_dataset *dataset)
{
    return dataset ? dataset->channels : 0;
}

int64_t sigad_dataset_length(const sigad_dataset *dataset)
{
    return dataset ? dataset->longest : 0;
}

int64_t sigad_dataset_classes(const sigad_dataset *dataset)
{
    return dataset ? dataset->classes : 0;
}

const char *sigad_dataset_class(const sigad_dataset *dataset, int64_t label)
{
    return dataset && label >= 0 && label < dataset->classes ? dataset->names[label] : NULL;
}

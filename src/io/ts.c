#include "io/ts.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

sigad_status sg_ts_fail(const sg_ts *ts, sigad_status status, const char *at, const char *format,
                        ...)
{
    char reason[512];
    va_list values;
    va_start(values, format);
    vsnprintf(reason, sizeof reason, format, values);
    va_end(values);
    return sg_fail(ts->source->error, status, "%.400s: line %zu, byte %zu: %s", ts->source->path,
                   ts->line, (size_t)(at - (const char *)ts->source->bytes), reason);
}

/* The next line that is neither empty nor a comment; false at the end. */
static bool next_line(sg_ts *ts)
{
    const char *end = (const char *)ts->source->bytes + ts->source->count;
    while (ts->next < end) {
        const char *newline = memchr(ts->next, '\n', (size_t)(end - ts->next));
        ts->begin = ts->next;
        ts->end = newline ? newline : end;
        ts->next = newline ? newline + 1 : end;
        ts->line++;
        while (ts->begin < ts->end && sg_ts_blank(*ts->begin)) ts->begin++;
        while (ts->begin < ts->end && sg_ts_blank(ts->end[-1])) ts->end--;
        if (ts->begin < ts->end && *ts->begin != '#' && *ts->begin != '%') return true;
    }
    ts->begin = ts->end = end;
    return false;
}

static bool is_data(const sg_ts *ts)
{
    return ts->end - ts->begin == 5 && !strncasecmp(ts->begin, "@data", 5);
}

static sigad_status parse_headers(sg_ts *ts)
{
    sigad_status status = SIGAD_OK;
    for (;;) {
        if (!next_line(ts)) return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin, "no line @data");
        if (is_data(ts)) break;
        status = sg_ts_header(ts);
        if (status) return status;
    }
    if (ts->class_label || ts->target_label) return SIGAD_OK;
    return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin, "no line @classLabel before @data");
}

static sigad_status parse(sg_ts *ts)
{
    sigad_status status = parse_headers(ts);
    while (!status && next_line(ts)) status = sg_ts_case(ts);
    if (!status && !ts->series->count)
        return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin, "no case follows @data");
    return status;
}

sigad_status sg_ts_parse(const sg_source *source, int32_t dtype, int32_t missing, sg_series *series)
{
    sg_buffer empty = {.allocator = source->allocator};
    sg_ts ts = {.source = source,
                .series = series,
                .next = (const char *)source->bytes,
                .missing = missing,
                .scratch = empty};
    *series = (sg_series){
        .dtype = dtype, .values = empty, .starts = empty, .labels = empty, .names = empty};
    sigad_status status = parse(&ts);
    sg_buffer_destroy(&ts.scratch);
    if (status) sg_series_destroy(series);
    return status;
}

void sg_series_destroy(sg_series *series)
{
    sg_buffer_destroy(&series->values);
    sg_buffer_destroy(&series->starts);
    sg_buffer_destroy(&series->labels);
    sg_buffer_destroy(&series->names);
}

int64_t sg_series_class(const sg_series *series, const char *name, size_t length)
{
    const char *known = (const char *)series->names.bytes;
    for (int64_t i = 0; i < series->classes; i++, known += strlen(known) + 1)
        if (strlen(known) == length && !memcmp(known, name, length)) return i;
    return -1;
}

#include "io/ts.h"
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct {
    const char *begin, *end;
} word;

static size_t word_length(word w)
{
    return (size_t)(w.end - w.begin);
}

/* The word at or behind *at, which moves behind it; an empty one at the end of the line. */
static word next_word(const sg_ts *ts, const char **at)
{
    while (*at < ts->end && sg_ts_blank(**at)) ++*at;
    word w = {*at, *at};
    while (w.end < ts->end && !sg_ts_blank(*w.end)) w.end++;
    *at = w.end;
    return w;
}

static bool word_is(word w, const char *text)
{
    return word_length(w) == strlen(text) && !strncasecmp(w.begin, text, word_length(w));
}

/* A word may not follow. */
static sigad_status end_of_line(const sg_ts *ts, const char *at)
{
    char quote[SG_QUOTE_BYTES];
    word w = next_word(ts, &at);
    if (w.begin == w.end) return SIGAD_OK;
    return sg_ts_fail(ts, SIGAD_EFORMAT, w.begin, "the line should end before '%s'",
                      sg_quote(w.begin, word_length(w), quote));
}

static sigad_status parse_flag(const sg_ts *ts, const char **at, int64_t *flag)
{
    char quote[SG_QUOTE_BYTES];
    word w = next_word(ts, at);
    *flag = word_is(w, "true") ? SG_TS_TRUE : word_is(w, "false") ? SG_TS_FALSE : SG_TS_UNSTATED;
    if (*flag) return SIGAD_OK;
    return sg_ts_fail(ts, SIGAD_EFORMAT, w.begin, "expected true or false, not '%s'",
                      sg_quote(w.begin, word_length(w), quote));
}

static sigad_status parse_count(const sg_ts *ts, const char **at, int64_t *count)
{
    char quote[SG_QUOTE_BYTES];
    word w = next_word(ts, at);
    bool good = w.begin < w.end;
    *count = 0;
    for (const char *c = w.begin; c < w.end && good; c++)
        good = *c >= '0' && *c <= '9' && sg_multiply(*count, 10, count) &&
               sg_add(*count, *c - '0', count);
    if (good && *count) return SIGAD_OK;
    return sg_ts_fail(ts, SIGAD_EFORMAT, w.begin, "expected a whole number above 0, not '%s'",
                      sg_quote(w.begin, word_length(w), quote));
}

static sigad_status add_class(const sg_ts *ts, word w)
{
    sg_series *series = ts->series;
    char quote[SG_QUOTE_BYTES];
    const size_t length = word_length(w);
    if (memchr(w.begin, '\0', length))
        return sg_ts_fail(ts, SIGAD_EFORMAT, w.begin, "a zero byte in the name of a class");
    if (sg_series_class(series, w.begin, length) >= 0)
        return sg_ts_fail(ts, SIGAD_EFORMAT, w.begin, "class '%s' stands there twice",
                          sg_quote(w.begin, length, quote));
    if (!sg_buffer_append(&series->names, w.begin, length) ||
        !sg_buffer_append(&series->names, "", 1))
        return sg_source_no_memory(ts->source, "the names of the classes", series->names.count);
    series->classes++;
    return SIGAD_OK;
}

static sigad_status parse_classes(const sg_ts *ts, const char **at, int64_t *flag)
{
    sigad_status status = parse_flag(ts, at, flag);
    if (status || *flag != SG_TS_TRUE) return status;
    for (word w; !status && (w = next_word(ts, at), w.begin < w.end);) status = add_class(ts, w);
    if (status || ts->series->classes) return status;
    return sg_ts_fail(ts, SIGAD_EFORMAT, ts->end, "the names of the classes are missing");
}

static sigad_status parse_target(const sg_ts *ts, const char **at, int64_t *flag)
{
    sigad_status status = parse_flag(ts, at, flag);
    if (status || *flag != SG_TS_TRUE) return status;
    return sg_ts_fail(ts, SIGAD_ENOTSUP, ts->begin,
                      "regression targets cannot be read, only files with @classLabel");
}

sigad_status sg_ts_header(sg_ts *ts)
{
    static const struct {
        const char *name;
        sigad_status (*parse)(const sg_ts *ts, const char **at, int64_t *field);
        size_t field;
    } tags[] = {
        {"@timeStamps", parse_flag, offsetof(sg_ts, time_stamps)},
        {"@missing", parse_flag, offsetof(sg_ts, missing_values)},
        {"@univariate", parse_flag, offsetof(sg_ts, univariate)},
        {"@equalLength", parse_flag, offsetof(sg_ts, equal_length)},
        {"@dimensions", parse_count, offsetof(sg_ts, dimensions)},
        {"@dimension", parse_count, offsetof(sg_ts, dimensions)},
        {"@seriesLength", parse_count, offsetof(sg_ts, series_length)},
        {"@classLabel", parse_classes, offsetof(sg_ts, class_label)},
        {"@targetLabel", parse_target, offsetof(sg_ts, target_label)},
    };
    const char *at = ts->begin;
    char quote[SG_QUOTE_BYTES];
    word name = next_word(ts, &at);
    if (word_is(name, "@problemName")) return SIGAD_OK;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (!word_is(name, tags[i].name)) continue;
        int64_t *field = (int64_t *)(void *)((char *)ts + tags[i].field);
        if (*field)
            return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin, "%s for the second time", tags[i].name);
        sigad_status status = tags[i].parse(ts, &at, field);
        return status ? status : end_of_line(ts, at);
    }
    return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin,
                      "'%s' is no header of a .ts file; cases follow a line @data",
                      sg_quote(name.begin, word_length(name), quote));
}

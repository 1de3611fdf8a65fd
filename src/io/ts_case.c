#include "io/number.h"
#include "io/ts.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* The present case, as far as it is parsed. */
typedef struct {
    int64_t dimensions, length /* of the first dimension */;
    int64_t values; /* in the dimension that is being read */
} progress;

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && sg_ts_blank(*at)) at++;
    return at;
}

static bool is_missing(const char *at, const char *end, size_t *length)
{
    *length = *at == '?' ? 1 : 3;
    return *at == '?' ||
           (end - at >= 3 && (*at == 'n' || *at == 'N') && !strncasecmp(at, "nan", 3));
}

static sigad_status not_a_number(const sg_ts *ts, const char *at, const char *end)
{
    char quote[SG_QUOTE_BYTES];
    const char *stop = at;
    while (stop < end && *stop != ',') stop++;
    return sg_ts_fail(ts, SIGAD_EFORMAT, at, "expected a number, not '%s'",
                      sg_quote(at, (size_t)(stop - at), quote));
}

/* One number or sign of a missing one before `end`, which stands behind *at after it. */
static sigad_status parse_value(const sg_ts *ts, const char **at, const char *end, double *value)
{
    const char *begin = *at = skip_blanks(*at, end);
    size_t length;
    if (begin == end) return not_a_number(ts, begin, end);
    if (is_missing(begin, end, &length)) {
        *value = NAN;
        if (ts->missing == SIGAD_MISSING_REFUSE)
            return sg_ts_fail(ts, SIGAD_EFORMAT, begin,
                              "a missing value; sigad_ts_options say what to do with it");
    } else {
        length = sg_number(begin, value);
        if (!length) return not_a_number(ts, begin, end);
        if (!isfinite(ts->series->dtype == SIGAD_F32 ? (double)(float)*value : *value))
            return sg_ts_fail(ts, SIGAD_EFORMAT, begin, "the number is too large");
    }
    *at = skip_blanks(begin + length, end);
    return SIGAD_OK;
}

/* "(STAMP,VALUE)": the stamp, a number or a date, is dropped. */
static sigad_status parse_stamped(const sg_ts *ts, const char **at, const char *end, double *value)
{
    const char *open = skip_blanks(*at, end);
    const char *close = open < end ? memchr(open, ')', (size_t)(end - open)) : NULL;
    const char *comma = close;
    while (comma && comma > open && *comma != ',') comma--;
    if (!close || *open != '(' || *comma != ',')
        return sg_ts_fail(ts, SIGAD_EFORMAT, open, "expected (TIME,VALUE), as @timeStamps says");
    const char *inner = comma + 1;
    sigad_status status = parse_value(ts, &inner, close, value);
    if (!status && inner != close) status = not_a_number(ts, comma + 1, close);
    *at = skip_blanks(close + 1, end);
    return status;
}

/* Values separated by commas, which must fill the text up to `end`; appends to the scratch buffer.
 */
static sigad_status parse_values(sg_ts *ts, const char *begin, const char *end, progress *now)
{
    const char *at = begin;
    sigad_status status = SIGAD_OK;
    now->values = 0;
    for (;;) {
        double value;
        status = ts->time_stamps == SG_TS_TRUE ? parse_stamped(ts, &at, end, &value)
                                               : parse_value(ts, &at, end, &value);
        if (status) return status;
        if (!sg_buffer_append(&ts->scratch, &value, sizeof value))
            return sg_source_no_memory(ts->source, "a case", ts->scratch.count);
        now->values++;
        if (at == end) return SIGAD_OK;
        if (*at != ',')
            return sg_ts_fail(ts, SIGAD_EFORMAT, at, "expected a comma or a colon behind a number");
        at++;
    }
}

static sigad_status parse_dimension(sg_ts *ts, const char *begin, const char *end, progress *now)
{
    int64_t number = now->dimensions + 1;
    if (skip_blanks(begin, end) == end)
        return sg_ts_fail(ts, SIGAD_EFORMAT, begin, "dimension %" PRId64 " has no values", number);
    sigad_status status = parse_values(ts, begin, end, now);
    if (status) return status;
    if (now->dimensions++ == 0) now->length = now->values;
    if (now->values != now->length)
        return sg_ts_fail(ts, SIGAD_EFORMAT, begin,
                          "dimension %" PRId64 " has %" PRId64 " values, dimension 1 has %" PRId64,
                          number, now->values, now->length);
    double *values = (double *)(void *)ts->scratch.bytes + ts->scratch.count / sizeof(double);
    if (!sg_ts_fill(ts->missing, values - now->values, (size_t)now->values))
        return sg_ts_fail(ts, SIGAD_EFORMAT, begin,
                          "every value of dimension %" PRId64 " is missing", number);
    return SIGAD_OK;
}

static sigad_status parse_label(sg_ts *ts, const char *begin)
{
    char quote[SG_QUOTE_BYTES];
    begin = skip_blanks(begin, ts->end);
    size_t length = (size_t)(ts->end - begin);
    int64_t label = sg_series_class(ts->series, begin, length);
    if (label < 0)
        return sg_ts_fail(ts, SIGAD_EFORMAT, begin, "'%s' is not one of the classes of @classLabel",
                          sg_quote(begin, length, quote));
    if (!sg_buffer_append(&ts->series->labels, &label, sizeof label))
        return sg_source_no_memory(ts->source, "the labels", ts->series->labels.count);
    return SIGAD_OK;
}

/* The colon at or behind `at`, or the end of the line; time stamps may hold colons of their own. */
static const char *find_colon(const sg_ts *ts, const char *at)
{
    if (ts->time_stamps != SG_TS_TRUE) {
        const char *colon = memchr(at, ':', (size_t)(ts->end - at));
        return colon ? colon : ts->end;
    }
    for (bool inside = false; at < ts->end && (inside || *at != ':'); at++)
        inside = *at == '(' || (inside && *at != ')');
    return at;
}

static sigad_status parse_line(sg_ts *ts, progress *now)
{
    const char *at = ts->begin;
    for (;;) {
        const char *colon = find_colon(ts, at);
        if (colon == ts->end && ts->class_label == SG_TS_TRUE) break;
        sigad_status status = parse_dimension(ts, at, colon, now);
        if (status) return status;
        if (colon == ts->end) return SIGAD_OK;
        at = colon + 1;
    }
    if (!now->dimensions)
        return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin, "expected VALUE,VALUE,...:CLASS");
    return parse_label(ts, at);
}

/* The case against the header and the case before it. */
static sigad_status check_case(const sg_ts *ts, const progress *now)
{
    const sg_series *series = ts->series;
    int64_t wanted = ts->univariate == SG_TS_TRUE ? 1 : ts->dimensions;
    const char *who = ts->univariate == SG_TS_TRUE ? "@univariate" : "@dimensions";
    if (!wanted) {
        wanted = series->channels;
        who = "the first case";
    }
    if (wanted && now->dimensions != wanted)
        return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin,
                          "%" PRId64 " dimensions, but %s says %" PRId64, now->dimensions, who,
                          wanted);
    wanted = ts->series_length;
    who = "@seriesLength";
    if (!wanted && ts->equal_length == SG_TS_TRUE) {
        wanted = series->longest;
        who = "the first case under @equalLength";
    }
    if (wanted && ts->equal_length != SG_TS_FALSE && now->length != wanted)
        return sg_ts_fail(ts, SIGAD_EFORMAT, ts->begin, "%" PRId64 " values, but %s says %" PRId64,
                          now->length, who, wanted);
    return SIGAD_OK;
}

/* From [dimension, length] to [length, dimension]. */
static void store(const double *from, int64_t dimensions, int64_t length, int32_t dtype, void *to)
{
    for (int64_t t = 0; t < length; t++)
        for (int64_t d = 0; d < dimensions; d++) {
            double value = from[d * length + t];
            if (dtype == SIGAD_F32)
                ((float *)to)[t * dimensions + d] = (float)value;
            else
                ((double *)to)[t * dimensions + d] = value;
        }
}

sigad_status sg_ts_case(sg_ts *ts)
{
    progress now = {0};
    sg_series *series = ts->series;
    ts->scratch.count = 0;
    sigad_status status = parse_line(ts, &now);
    if (!status) status = check_case(ts, &now);
    if (status) return status;
    size_t width = series->dtype == SIGAD_F32 ? sizeof(float) : sizeof(double);
    size_t bytes = ts->scratch.count / sizeof(double) * width;
    if (!sg_buffer_reserve(&series->values, bytes) ||
        !sg_buffer_append(&series->starts, &series->points, sizeof series->points))
        return sg_source_no_memory(ts->source, "the series", series->values.count + bytes);
    store((const double *)(const void *)ts->scratch.bytes, now.dimensions, now.length,
          series->dtype, series->values.bytes + series->values.count);
    series->values.count += bytes;
    series->channels = now.dimensions;
    series->points += now.length;
    series->count++;
    if (now.length > series->longest) series->longest = now.length;
    return SIGAD_OK;
}

/* The .ts format of the UEA and UCR archives (Bagnall et al. 2018, "The UEA multivariate time
 * series classification archive", section 3): lines of "@NAME VALUE", the line
 * @data, and one case a line: DIMENSION:DIMENSION:...:CLASS, each dimension a list of numbers
 * separated by commas. Lines that begin with # or % are comments. */
#ifndef SG_TS_H
#define SG_TS_H
#include "io/buffer.h"
#include "io/source.h"
#include "sigad/io.h"

/* What a file holds. Its buffers are empty after a failure. */
typedef struct {
    int32_t dtype;
    int64_t count, channels, points /* of all series */, longest, classes;
    sg_buffer values; /* [points, channels] of dtype */
    sg_buffer starts; /* int64 [count]: the first point of each */
    sg_buffer labels; /* int64 [count]; empty if there are no classes */
    sg_buffer names;  /* of the classes, each with a 0 behind it */
} sg_series;

/* The source's bytes end with a 0 that is not counted. `missing` is one of SIGAD_MISSING_.... */
sigad_status sg_ts_parse(const sg_source *source, int32_t dtype, int32_t missing,
                         sg_series *series);
void sg_series_destroy(sg_series *series);
/* The label of a class by name, -1 if there is none. */
int64_t sg_series_class(const sg_series *series, const char *name, size_t length);

/* ---- between the parts of the parser ---- */

typedef enum { SG_TS_UNSTATED = 0, SG_TS_FALSE, SG_TS_TRUE } sg_ts_flag;

typedef struct {
    const sg_source *source;
    sg_series *series;
    const char *begin, *end; /* of the present line, without surrounding blanks */
    const char *next;        /* line */
    size_t line;             /* number, from 1 */
    int64_t time_stamps, univariate, missing_values, equal_length, class_label; /* sg_ts_flag */
    int64_t target_label;
    int64_t dimensions, series_length; /* 0: not stated */
    int32_t missing;                   /* what to do */
    sg_buffer scratch;                 /* double [dimensions, length] of the present case */
} sg_ts;

/* "PATH: line LINE, byte OFFSET: ..." */
sigad_status sg_ts_fail(const sg_ts *ts, sigad_status status, const char *at, const char *format,
                        ...) SIGAD_PRINTF(4, 5);

static inline bool sg_ts_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One line that begins with @. */
sigad_status sg_ts_header(sg_ts *ts);
/* One line behind @data. */
sigad_status sg_ts_case(sg_ts *ts);
/* Replaces each NaN among the n values; false if `missing` wants a neighbour and there is none. */
bool sg_ts_fill(int32_t missing, double *values, size_t n);
#endif

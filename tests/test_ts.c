/* The reader of .ts files: what is in them, what is refused and with which words, and what no byte
 * may bring about. */
#include "core/random.h"
#include "io/file.h"
#include "io/number.h"
#include "io/ts.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD                                                                                     \
    "@problemName x\n@univariate false\n@dimensions 2\n@equalLength false\n@classLabel true up " \
    "down\n@data\n"

static sigad_status read_f64(const sg_source *source)
{
    sg_series series;
    sigad_status status = sg_ts_parse(source, SIGAD_F64, SIGAD_MISSING_REFUSE, &series);
    sg_series_destroy(&series);
    return status;
}

static sigad_status read_f32_linear(const sg_source *source)
{
    sg_series series;
    sigad_status status = sg_ts_parse(source, SIGAD_F32, SIGAD_MISSING_LINEAR, &series);
    sg_series_destroy(&series);
    return status;
}

/* Parses a text that must be good; the caller destroys the series. */
static sg_series parse(const char *text, int32_t dtype, int32_t missing)
{
    static sigad_allocator allocator;
    allocator = sg_allocator_or_default((sigad_allocator){0});
    sg_error error = {0};
    sg_series series;
    sg_source source = {&error, &allocator, "FILE", (const unsigned char *)text, strlen(text), 0};
    cr_assert_eq(sg_ts_parse(&source, dtype, missing, &series), SIGAD_OK, "%s", error.message);
    return series;
}

static void refused(const char *text, sigad_status status, const char *message)
{
    char got[SG_MESSAGE_BYTES];
    cr_expect_eq(hostile_try(read_f64, text, strlen(text), got), status, "%s", got);
    cr_expect_str_eq(got, message);
}

static void malformed(const char *text, const char *message)
{
    refused(text, SIGAD_EFORMAT, message);
}

static const double *values_of(const sg_series *series)
{
    return (const double *)(const void *)series->values.bytes;
}
static const int64_t *integers_of(const sg_buffer *buffer)
{
    return (const int64_t *)(const void *)buffer->bytes;
}

Test(ts, cases_are_transposed_and_labelled)
{
    sg_series s = parse(HEAD "1,2,3:-4,5e-1,+6.:down\n\n% a comment\n .25 , 1E2 : 7,8 : up \r\n",
                        SIGAD_F64, 0);
    const double want[] = {1, -4, 2, .5, 3, 6, .25, 7, 100, 8};
    cr_assert(s.count == 2 && s.channels == 2 && s.longest == 3 && s.points == 5 && s.classes == 2);
    cr_assert_eq(s.values.count, sizeof want);
    cr_assert_eq(memcmp(s.values.bytes, want, sizeof want), 0);
    cr_assert(integers_of(&s.starts)[0] == 0 && integers_of(&s.starts)[1] == 3);
    cr_assert(integers_of(&s.labels)[0] == 1 && integers_of(&s.labels)[1] == 0);
    cr_assert_eq(memcmp(s.names.bytes, "up\0down", 8), 0);
    sg_series_destroy(&s);
}

Test(ts, headers_in_any_case_and_line_ending)
{
    sg_series s = parse("# c\r\n@PROBLEMNAME a b c\r\n@TimeStamps FALSE\r\n@missing "
                        "true\r\n@Univariate True\r\n@SERIESLENGTH 2\r\n@equallength TRUE\r\n"
                        "@CLASSLABEL True A a\r\n@DATA\r\n1,2:a\r\n3,4:A",
                        SIGAD_F32, 0);
    const float want[] = {1, 2, 3, 4};
    cr_assert_eq(memcmp(s.values.bytes, want, sizeof want), 0);
    cr_assert(integers_of(&s.labels)[0] == 1 && integers_of(&s.labels)[1] == 0);
    sg_series_destroy(&s);
}

Test(ts, without_classes_the_last_field_is_a_dimension)
{
    sg_series s = parse("@classLabel false\n@data\n1,2:3,4\n", SIGAD_F64, 0);
    cr_assert(s.channels == 2 && s.classes == 0 && s.labels.count == 0);
    sg_series_destroy(&s);
}

Test(ts, time_stamps_are_dropped)
{
    sg_series s = parse("@timeStamps true\n@classLabel true a\n@data\n(2007-01-01 "
                        "00:00:00,1.5),(2007-01-01 00:01:00,2):(0,3),( 1 , 4 ):a\n",
                        SIGAD_F64, 0);
    const double want[] = {1.5, 3, 2, 4};
    cr_assert(s.channels == 2 && s.longest == 2);
    cr_assert_eq(memcmp(s.values.bytes, want, sizeof want), 0);
    sg_series_destroy(&s);
    malformed("@timeStamps true\n@classLabel true a\n@data\n(0,1),2:a\n",
              "FILE: line 4, byte 48: expected (TIME,VALUE), as @timeStamps says");
    malformed("@timeStamps true\n@classLabel true a\n@data\n(0,1:a\n",
              "FILE: line 4, byte 42: expected VALUE,VALUE,...:CLASS");
    malformed("@timeStamps true\n@classLabel true a\n@data\n(0,1x):a\n",
              "FILE: line 4, byte 45: expected a number, not '1x'");
}

Test(ts, missing_values)
{
    const char *text = "@classLabel true a\n@data\n?,1,NaN,nan,4,?:a\n";
    const struct {
        int32_t missing;
        double want[6];
    } modes[] = {{SIGAD_MISSING_NAN, {NAN, 1, NAN, NAN, 4, NAN}},
                 {SIGAD_MISSING_PREVIOUS, {1, 1, 1, 1, 4, 4}},
                 {SIGAD_MISSING_LINEAR, {1, 1, 2, 3, 4, 4}}};
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        sg_series s = parse(text, SIGAD_F64, modes[m].missing);
        for (int i = 0; i < 6; i++)
            cr_expect(isnan(modes[m].want[i]) ? isnan(values_of(&s)[i])
                                              : fabs(modes[m].want[i] - values_of(&s)[i]) < 1e-15,
                      "mode %d, value %d: %g", modes[m].missing, i, values_of(&s)[i]);
        sg_series_destroy(&s);
    }
    malformed(text,
              "FILE: line 3, byte 25: a missing value; sigad_ts_options say what to do with it");
    char got[SG_MESSAGE_BYTES];
    const char *nothing = "@classLabel true a\n@data\n1:?:a\n";
    cr_expect_eq(hostile_try(read_f32_linear, nothing, strlen(nothing), got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: line 3, byte 27: every value of dimension 2 is missing");
}

Test(ts, interpolation_does_not_overflow)
{
    double values[] = {1.7e308, NAN, -1.7e308};
    cr_assert(sg_ts_fill(SIGAD_MISSING_LINEAR, values, 3));
    cr_assert_eq(values[1], 0.0);
}

Test(ts, refusals_say_where_and_why)
{
    malformed("", "FILE: line 0, byte 0: no line @data");
    malformed("@classLabel true a\n", "FILE: line 1, byte 19: no line @data");
    malformed("@data\n1:a\n", "FILE: line 1, byte 0: no line @classLabel before @data");
    malformed("@classLabel true a\n@data\n# none\n",
              "FILE: line 3, byte 32: no case follows @data");
    malformed("@classLabel true\n@data\n",
              "FILE: line 1, byte 16: the names of the classes are missing");
    malformed("@classLabel true a b a\n", "FILE: line 1, byte 21: class 'a' stands there twice");
    malformed("@classLabel yes\n", "FILE: line 1, byte 12: expected true or false, not 'yes'");
    malformed("@missing\n", "FILE: line 1, byte 8: expected true or false, not ''");
    malformed("\n@missing false true\n",
              "FILE: line 2, byte 16: the line should end before 'true'");
    malformed("@missing false\n@Missing false\n",
              "FILE: line 2, byte 15: @missing for the second time");
    malformed("@dimensions 0\n", "FILE: line 1, byte 12: expected a whole number above 0, not '0'");
    malformed("@dimensions 99999999999999999999\n",
              "FILE: line 1, byte 12: expected a whole number above 0, not '99999999999999999999'");
    malformed("@seriesLength 1.5\n",
              "FILE: line 1, byte 14: expected a whole number above 0, not '1.5'");
    malformed(
        "@relation x\n",
        "FILE: line 1, byte 0: '@relation' is no header of a .ts file; cases follow a line @data");
    malformed(
        "1,2,3:a\n",
        "FILE: line 1, byte 0: '1,2,3:a' is no header of a .ts file; cases follow a line @data");
    refused("@targetLabel true\n@data\n", SIGAD_ENOTSUP,
            "FILE: line 1, byte 0: regression targets cannot be read, only files with @classLabel");
}

Test(ts, refusals_of_cases)
{
    malformed(HEAD "1,2,3:4,5:up\n",
              "FILE: line 7, byte 103: dimension 2 has 2 values, dimension 1 has 3");
    malformed(HEAD "1,2:up\n", "FILE: line 7, byte 97: 1 dimensions, but @dimensions says 2");
    malformed(HEAD "1:2:3:up\n", "FILE: line 7, byte 97: 3 dimensions, but @dimensions says 2");
    malformed(HEAD "1:2:sideways\n",
              "FILE: line 7, byte 101: 'sideways' is not one of the classes of @classLabel");
    malformed(HEAD "1:2:\n", "FILE: line 7, byte 101: '' is not one of the classes of @classLabel");
    malformed(HEAD "up\n", "FILE: line 7, byte 97: expected VALUE,VALUE,...:CLASS");
    malformed(HEAD "1:2:up\n1,2::up\n", "FILE: line 8, byte 108: dimension 2 has no values");
    malformed(HEAD "1,:2:up\n", "FILE: line 7, byte 99: expected a number, not ''");
    malformed(HEAD "1,two\x01:2:up\n", "FILE: line 7, byte 99: expected a number, not 'two.'");
    malformed(HEAD "1 2:2:up\n",
              "FILE: line 7, byte 99: expected a comma or a colon behind a number");
    malformed(HEAD "0x10:2:up\n",
              "FILE: line 7, byte 98: expected a comma or a colon behind a number");
    malformed(HEAD "inf:2:up\n", "FILE: line 7, byte 97: expected a number, not 'inf'");
    malformed(HEAD "1e999:2:up\n", "FILE: line 7, byte 97: the number is too large");
    malformed("@univariate true\n@classLabel true a\n@data\n1:2:a\n",
              "FILE: line 4, byte 42: 2 dimensions, but @univariate says 1");
    malformed("@classLabel true a\n@data\n1:a\n1:2:a\n",
              "FILE: line 4, byte 29: 2 dimensions, but the first case says 1");
    malformed("@equalLength true\n@classLabel true a\n@data\n1:a\n1,2:a\n",
              "FILE: line 5, byte 47: 2 values, but the first case under @equalLength says 1");
    malformed("@seriesLength 3\n@classLabel true a\n@data\n1,2:a\n",
              "FILE: line 4, byte 41: 2 values, but @seriesLength says 3");
    char got[SG_MESSAGE_BYTES];
    const char *large = "@classLabel true a\n@data\n1e39:a\n";
    cr_expect_eq(hostile_try(read_f64, large, strlen(large), got), SIGAD_OK);
    cr_expect_eq(hostile_try(read_f32_linear, large, strlen(large), got), SIGAD_EFORMAT);
    cr_expect_str_eq(got, "FILE: line 3, byte 25: the number is too large");
}

/* Against strtod in the locale of the tests, which is C. */
Test(ts, numbers_are_rounded_correctly)
{
    static const char *const fixed[] = {"0",
                                        "-0",
                                        "00.50",
                                        "1e23",
                                        "8.5e22",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "5e-324",
                                        "2.4703282292062328e-324",
                                        "2.4703282292062327e-324",
                                        "2.2250738585072011e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623159e308",
                                        "1e-400",
                                        "123456789012345678901234567890",
                                        ".5",
                                        "5.",
                                        "0.000000000000000000000000000000000000012345",
                                        "1e+5",
                                        "6.02214076E23",
                                        "1e99999999999999999999",
                                        "0e99999999999999999999",
                                        "10000000000000000000000000000000000000000000e-43"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        double value = -1.0, want = strtod(fixed[i], NULL);
        cr_expect_eq(sg_number(fixed[i], &value), strlen(fixed[i]), "%s", fixed[i]);
        cr_expect_eq(memcmp(&value, &want, sizeof value), 0, "%s: %.17g, want %.17g", fixed[i],
                     value, want);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        char text[64];
        double value = 0.0, exponent = 60 * sg_random_uniform(1, i) - 30,
               x = sg_random_normal(2, i) * pow(10.0, i % 2 ? exponent : 0.0);
        snprintf(text, sizeof text, i % 3 ? "%.*g" : "%.*f", (int)(1 + i % 20), x);
        double want = strtod(text, NULL);
        cr_assert_eq(sg_number(text, &value), strlen(text), "%s", text);
        cr_assert_eq(memcmp(&value, &want, sizeof value), 0, "%s: %.17g, want %.17g", text, value,
                     want);
    }
}

Test(ts, no_number)
{
    static const char *const texts[] = {"",     "-",   "+",   ".",   "e5",
                                        "-.e1", "abc", "--1", "inf", "nan"};
    double value;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_eq(sg_number(texts[i], &value), 0, "%s", texts[i]);
    cr_expect_eq(sg_number("1e", &value), 1);
    cr_expect_eq(sg_number("1.e+x", &value), 2);
}

/* Every byte bent, with and without time stamps; the texts have something of everything. */
Test(ts, no_byte_is_trusted)
{
    static const char plain[] =
        "#c\n@problemName p\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength "
        "true\n@seriesLength 2\n@classLabel true a b\n"
        "@data\n1,-2.5e1:?,12345678901234567890:a\n3,4:5,6:b\n";
    static const char stamped[] =
        "@timeStamps true\n@missing true\n@classLabel false\n@data\n(2007-01-01 "
        "00:00:00,1),(1,?):(3,4),(5,6)\r\n(1,2):(2,3)\n";
    cr_assert_gt(hostile_bend(read_f32_linear, plain, sizeof plain - 1, 3000), 0);
    cr_assert_gt(hostile_bend(read_f32_linear, stamped, sizeof stamped - 1, 3000), 0);
    hostile_starve(read_f32_linear, plain, sizeof plain - 1);
    hostile_starve(read_f32_linear, stamped, sizeof stamped - 1);
}

/* Written with %.17g, read back: the same bits. */
Test(ts, generated_files_come_back)
{
    enum { CASES = 40, CHANNELS = 3, LONGEST = 50 };
    static double want[CASES * CHANNELS * LONGEST];
    static const char *const head = "@classLabel true x y\n@data\n";
    size_t made = 0;
    sigad_allocator allocator = sg_allocator_or_default((sigad_allocator){0});
    sg_buffer text = {.allocator = &allocator};
    cr_assert(sg_buffer_append(&text, head, strlen(head)));
    for (int c = 0; c < CASES; c++) {
        int length = 1 + c * 7 % LONGEST;
        for (int d = 0; d < CHANNELS; d++)
            for (int t = 0; t < length; t++) {
                char number[40];
                double x =
                    sg_random_normal((uint64_t)c, (uint64_t)(d * LONGEST + t)) * pow(10.0, c - 20);
                want[made + (size_t)(t * CHANNELS + d)] = x;
                int n = snprintf(number, sizeof number, "%.17g%c", x, t + 1 < length ? ',' : ':');
                cr_assert(sg_buffer_append(&text, number, (size_t)n));
            }
        made += (size_t)(length * CHANNELS);
        cr_assert(sg_buffer_append(&text, c % 2 ? "x\n" : "y\n", 2));
    }
    cr_assert(sg_buffer_append(&text, "", 1));
    sg_series s = parse((const char *)text.bytes, SIGAD_F64, 0);
    cr_assert(s.count == CASES && s.channels == CHANNELS &&
              s.values.count == made * sizeof(double));
    cr_assert_eq(memcmp(s.values.bytes, want, s.values.count), 0);
    for (int c = 0; c < CASES; c++) cr_assert_eq(integers_of(&s.labels)[c], (c + 1) % 2);
    sg_series_destroy(&s);
    sg_buffer_destroy(&text);
}

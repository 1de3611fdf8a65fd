/* Data sets: from .ts files to batches on a tape. */
#include "graph/context.h"
#include "support/failing_allocator.h"
#include "support/hostile.h"
#include <criterion/criterion.h>
#include <math.h>
#include <sigad/sigad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sigad_context *context;
static sigad_tape *tape;

static void start(void)
{
    cr_assert_eq(sigad_context_create(NULL, &context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(context, &tape), SIGAD_OK);
}

static void stop(void)
{
    sigad_context_destroy(context);
    hostile_remove();
}

TestSuite(dataset, .init = start, .fini = stop);

static const char small_text[] =
    "@classLabel true up down\n@data\n1,2,3:4,5,6:down\n7:8:up\n9,10:11,12:up\n";

static sigad_dataset *small(sigad_dtype dtype)
{
    sigad_dataset *dataset;
    const char *path = hostile_path("small.ts");
    hostile_write(path, small_text, sizeof small_text - 1);
    cr_assert_eq(sigad_dataset_read_ts(context, path, dtype, &dataset), SIGAD_OK, "%s",
                 sigad_context_message(context));
    return dataset;
}

static void failed(sigad_status status, const char *message)
{
    cr_expect_str_eq(sigad_context_message(context), message);
    cr_expect_eq(sigad_context_clear(context), status);
}

static void holds(sigad_tensor x, int32_t dtype, int rank, const int64_t *shape, const void *bytes)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    cr_assert_eq(sigad_describe(tape, x, &info), SIGAD_OK, "%s", sigad_context_message(context));
    cr_assert(info.dtype == dtype && info.rank == rank);
    cr_assert_eq(memcmp(info.shape, shape, (size_t)rank * sizeof *shape), 0);
    cr_assert_eq(memcmp(sigad_data(tape, x), bytes, (size_t)info.elements * sg_dtype_bytes(dtype)),
                 0);
}

Test(dataset, facts)
{
    sigad_dataset *d = small(SIGAD_F32);
    cr_expect_eq(sigad_dataset_count(d), 3);
    cr_expect_eq(sigad_dataset_channels(d), 2);
    cr_expect_eq(sigad_dataset_length(d), 3);
    cr_expect_eq(sigad_dataset_classes(d), 2);
    cr_expect_str_eq(sigad_dataset_class(d, 0), "up");
    cr_expect_str_eq(sigad_dataset_class(d, 1), "down");
    cr_expect_null(sigad_dataset_class(d, 2));
    cr_expect_null(sigad_dataset_class(d, -1));
    cr_expect(!sigad_dataset_count(NULL) && !sigad_dataset_channels(NULL) &&
              !sigad_dataset_length(NULL) && !sigad_dataset_classes(NULL) &&
              !sigad_dataset_class(NULL, 0));
    sigad_dataset_destroy(d); /* earlier than its context is allowed; the next one is left to it */
    sigad_dataset_destroy(NULL);
    small(SIGAD_F64);
}

Test(dataset, batches_repeat_the_last_point)
{
    static const float all[] = {1, 4, 2, 5, 3, 6, 7, 8, 7, 8, 7, 8, 9, 11, 10, 12, 10, 12};
    static const double chosen[] = {9, 11, 10, 12, 7, 8, 7, 8};
    sigad_tensor path, lengths, labels;
    sigad_dataset *d = small(SIGAD_F32);
    cr_assert_eq(sigad_dataset_batch(tape, d, 3, NULL, &path, &lengths, &labels), SIGAD_OK);
    holds(path, SIGAD_F32, SIGAD_SHAPE(3, 3, 2), all);
    holds(lengths, SIGAD_I64, SIGAD_SHAPE(3), (const int64_t[]){3, 1, 2});
    holds(labels, SIGAD_I64, SIGAD_SHAPE(3), (const int64_t[]){1, 0, 0});
    d = small(SIGAD_F64);
    cr_assert_eq(sigad_dataset_batch(tape, d, 2, (const int64_t[]){2, 1}, &path, &lengths, NULL),
                 SIGAD_OK);
    holds(path, SIGAD_F64, SIGAD_SHAPE(2, 2, 2), chosen);
    holds(lengths, SIGAD_I64, SIGAD_SHAPE(2), (const int64_t[]){2, 1});
    cr_assert_eq(sigad_dataset_batch(tape, d, 0, NULL, &path, NULL, &labels), SIGAD_OK);
    holds(path, SIGAD_F64, SIGAD_SHAPE(0, 0, 2), "");
    holds(labels, SIGAD_I64, SIGAD_SHAPE(0), "");
    cr_assert_eq(sigad_dataset_batch(tape, d, 1, NULL, NULL, NULL, NULL), SIGAD_OK);
}

Test(dataset, batches_are_copies)
{
    sigad_tensor path;
    sigad_dataset *d = small(SIGAD_F64);
    cr_assert_eq(sigad_dataset_batch(tape, d, 1, (const int64_t[]){1}, &path, NULL, NULL),
                 SIGAD_OK);
    sigad_dataset_destroy(d);
    holds(path, SIGAD_F64, SIGAD_SHAPE(1, 1, 2), (const double[]){7, 8});
}

Test(dataset, bad_batches)
{
    sigad_tensor path = {7, 7};
    sigad_dataset *d = small(SIGAD_F64), *bare;
    cr_expect_eq(sigad_dataset_batch(NULL, d, 1, NULL, &path, NULL, NULL), SIGAD_EINVAL);
    cr_expect(path.id == 0 && path.generation == 0);
    cr_expect_eq(sigad_dataset_batch(tape, NULL, 1, NULL, &path, NULL, NULL), SIGAD_EINVAL);
    failed(SIGAD_EINVAL, "sigad_dataset_batch: dataset is NULL");
    sigad_dataset_batch(tape, d, -1, NULL, &path, NULL, NULL);
    failed(SIGAD_EINVAL, "sigad_dataset_batch: count is -1");
    sigad_dataset_batch(tape, d, 4, NULL, &path, NULL, NULL);
    failed(SIGAD_ERANGE, "sigad_dataset_batch: count is 4, the data set has 3 series");
    sigad_dataset_batch(tape, d, 2, (const int64_t[]){0, 3}, &path, NULL, NULL);
    failed(SIGAD_ERANGE, "sigad_dataset_batch: index[1] is 3, the data set has 3 series");
    sigad_dataset_batch(tape, d, 1, (const int64_t[]){INT64_MIN}, &path, NULL, NULL);
    failed(SIGAD_ERANGE, "sigad_dataset_batch: index[0] is -9223372036854775808, the data set has "
                         "3 series");
    const char *file = hostile_path("bare.ts");
    hostile_write(file, "@classLabel false\n@data\n1,2\n", 28);
    cr_assert_eq(sigad_dataset_read_ts(context, file, SIGAD_F32, &bare), SIGAD_OK);
    cr_expect_eq(sigad_dataset_batch(tape, bare, 1, NULL, &path, NULL, NULL), SIGAD_OK);
    sigad_dataset_batch(tape, bare, 1, NULL, NULL, NULL, &path);
    failed(SIGAD_EINVAL, "sigad_dataset_batch: the data set has no classes, pass NULL for labels");
}

Test(dataset, bad_readings)
{
    sigad_dataset *d = (sigad_dataset *)&d;
    cr_expect_eq(sigad_dataset_read_ts(NULL, "x", SIGAD_F32, &d), SIGAD_EINVAL);
    cr_expect_null(d);
    sigad_dataset_read_ts(context, NULL, SIGAD_F32, &d);
    failed(SIGAD_EINVAL, "sigad_dataset_read_ts: path is NULL");
    sigad_dataset_read_ts(context, "x", SIGAD_F32, NULL);
    failed(SIGAD_EINVAL, "sigad_dataset_read_ts: dataset is NULL");
    sigad_dataset_read_ts(context, "x", SIGAD_I64, &d);
    failed(SIGAD_EDTYPE, "sigad_dataset_read_ts: dtype is int64, use SIGAD_F32 or SIGAD_F64");
    sigad_ts_options options = {SIGAD_TS_OPTIONS_INIT, .missing = 9};
    sigad_dataset_read_ts_with(context, "x", SIGAD_F32, &options, &d);
    failed(SIGAD_EINVAL, "sigad_dataset_read_ts: missing is 9, use SIGAD_MISSING_...");
    sigad_dataset_read_ts(context, "/none.ts", SIGAD_F32, &d);
    failed(SIGAD_EIO, "cannot read '/none.ts': No such file or directory");
    struct {
        sigad_ts_options known;
        int32_t unknown;
    } future = {{.size = sizeof future}, 1};
    cr_expect_eq(sigad_dataset_read_ts_with(context, "x", SIGAD_F32, &future.known, &d),
                 SIGAD_ENOTSUP);
    cr_expect_eq(sigad_dataset_read_ts(context, "x", SIGAD_F32, &d), SIGAD_ENOTSUP); /* sticks */
    cr_expect_null(d);
}

Test(dataset, missing_values_as_an_option)
{
    sigad_dataset *d;
    sigad_tensor path;
    const char *file = hostile_path("holes.ts");
    hostile_write(file, "@classLabel true a\n@data\n1,?,3:a\n", 33);
    sigad_ts_options options = {SIGAD_TS_OPTIONS_INIT, .missing = SIGAD_MISSING_LINEAR};
    cr_assert_eq(sigad_dataset_read_ts_with(context, file, SIGAD_F32, &options, &d), SIGAD_OK);
    cr_assert_eq(sigad_dataset_batch(tape, d, 1, NULL, &path, NULL, NULL), SIGAD_OK);
    holds(path, SIGAD_F32, SIGAD_SHAPE(1, 3, 1), (const float[]){1, 2, 3});
    cr_expect_eq(sigad_dataset_read_ts(context, file, SIGAD_F32, &d), SIGAD_EFORMAT);
}

Test(dataset, starved_readers_and_batches_say_so)
{
    const char *file = hostile_path("small.ts");
    hostile_write(file, small_text, sizeof small_text - 1);
    for (int for_ever = 0; for_ever < 2; for_ever++)
        for (int64_t k = 1;; k++) {
            failing_allocator memory = {0};
            sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT,
                                             .allocator = failing_allocator_hook(&memory)};
            sigad_context *starving;
            sigad_tape *its_tape;
            sigad_dataset *d;
            sigad_tensor path, lengths, labels;
            cr_assert_eq(sigad_context_create(&options, &starving), SIGAD_OK);
            cr_assert_eq(sigad_tape_create(starving, &its_tape), SIGAD_OK);
            failing_allocator_arm(&memory, k, for_ever);
            sigad_dataset_read_ts(starving, file, SIGAD_F32, &d);
            sigad_dataset_batch(its_tape, d, 3, NULL, &path, &lengths, &labels);
            sigad_status status = sigad_context_status(starving);
            sigad_context_destroy(starving);
            cr_assert_eq(memory.live, 0);
            if (!memory.failed) {
                cr_assert_eq(status, SIGAD_OK);
                break;
            }
            cr_assert_eq(status, SIGAD_ENOMEM, "allocation %d", (int)k);
            cr_assert(!path.generation && !lengths.generation && !labels.generation);
        }
}

Test(dataset, permutations)
{
    enum { N = 100 };
    int64_t a[N], b[N], seen[N] = {0};
    int same = 0;
    sigad_permutation(1, 2, N, a);
    sigad_permutation(1, 2, N, b);
    cr_expect_eq(memcmp(a, b, sizeof a), 0);
    for (int i = 0; i < N; i++) seen[a[i]]++;
    for (int i = 0; i < N; i++) cr_expect_eq(seen[i], 1);
    sigad_permutation(1, 3, N, b);
    for (int i = 0; i < N; i++) same += a[i] == b[i];
    cr_expect_lt(same, 10);
    sigad_permutation(2, 2, N, b);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    sigad_permutation(1, 2, 0, a);
    sigad_permutation(1, 2, -5, a);
    sigad_permutation(1, 2, N, NULL);
}

/* Counts, lengths, classes and the sum of the values of real files, found with Python. */
typedef struct {
    const char *path;
    int64_t count, channels, longest, classes, points;
    double sum;
} archive_file;

static void check_file(const char *base, const archive_file *file)
{
    sigad_dataset *d;
    sigad_tensor x, lengths, labels;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", base, file->path);
    cr_assert_eq(sigad_dataset_read_ts(context, path, SIGAD_F64, &d), SIGAD_OK, "%s",
                 sigad_context_message(context));
    cr_expect_eq(sigad_dataset_count(d), file->count);
    cr_expect_eq(sigad_dataset_channels(d), file->channels);
    cr_expect_eq(sigad_dataset_length(d), file->longest);
    cr_expect_eq(sigad_dataset_classes(d), file->classes);
    cr_assert_eq(sigad_dataset_batch(tape, d, file->count, NULL, &x, &lengths, &labels), SIGAD_OK);
    const double *value = sigad_data(tape, x);
    const int64_t *length = sigad_data(tape, lengths), *label = sigad_data(tape, labels);
    int64_t points = 0;
    double sum = 0.0;
    for (int64_t i = 0; i < file->count; i++) {
        points += length[i];
        cr_assert(label[i] >= 0 && label[i] < file->classes);
        for (int64_t j = 0; j < length[i] * file->channels; j++)
            sum += value[i * file->longest * file->channels + j];
    }
    cr_expect_eq(points, file->points);
    cr_expect(fabs(sum - file->sum) < 1e-9 * (1.0 + fabs(file->sum)) * 1e2, "%s: %.12g", path, sum);
    sigad_tape_reset(tape);
    sigad_dataset_destroy(d);
}

Test(dataset, japanese_vowels)
{
    static const archive_file files[] = {
        {"JapaneseVowels_TEST.ts", 370, 12, 29, 9, 5687, -2146.51343},
        {"JapaneseVowels_TRAIN.ts", 270, 12, 26, 9, 4274, -1057.452303},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        check_file(SIGAD_SOURCE_DIR "/examples/data", &files[i]);
}

Test(dataset, archive)
{
    static const archive_file files[] = {
        {"BasicMotions/BasicMotions_TEST.ts", 40, 6, 100, 4, 4000, -278.362599},
        {"BasicMotions/BasicMotions_TRAIN.ts", 40, 6, 100, 4, 4000, 646.184441},
        {"GunPoint/GunPoint_TEST.ts", 150, 1, 150, 2, 22500, 1.31664999557e-06},
        {"GunPoint/GunPoint_TRAIN.ts", 50, 1, 150, 2, 7500, -1.4859000018e-06},
        {"ItalyPowerDemand/ItalyPowerDemand_TEST.ts", 1029, 1, 24, 2, 24696, 2.78492575845e-06},
        {"ItalyPowerDemand/ItalyPowerDemand_TRAIN.ts", 67, 1, 24, 2, 1608, -7.09600001132e-07},
        {"UnitTest/UnitTestTimeStamps_TRAIN.ts", 4, 1, 4, 2, 16, 1946.51},
        {"UnitTest/UnitTest_TEST.ts", 22, 1, 24, 2, 528, 347122},
        {"UnitTest/UnitTest_TRAIN.ts", 20, 1, 24, 2, 480, 305436},
    };
    const char *base = SIGAD_SOURCE_DIR "/../shared/data";
    if (access(base, R_OK)) cr_skip_test("no other files of the archive beside the repository");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) check_file(base, &files[i]);
}

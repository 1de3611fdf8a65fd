#include "support/failing_allocator.h"
#include <criterion/criterion.h>
#include <string.h>

enum { N = 10, MOST = 64 };

/* Row i of `wide` is (100 i, 100 i + 1, 100 i + 2); its label is i. */
static float wide[N][3];
static int64_t labels[N];

static void fill_arrays(void)
{
    for (int i = 0; i < N; i++) {
        labels[i] = i;
        for (int k = 0; k < 3; k++) wide[i][k] = (float)(100 * i + k);
    }
}

typedef struct {
    sigad_context *context;
    sigad_tape *tape;
    sigad_batches *batches;
} setting;

static setting create(sigad_batches_options options, failing_allocator *allocator)
{
    setting s;
    sigad_context_options of_context = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1};
    if (allocator) of_context.allocator = failing_allocator_hook(allocator);
    fill_arrays();
    options.size = sizeof options;
    cr_assert_eq(sigad_context_create(&of_context, &s.context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(s.context, &s.tape), SIGAD_OK);
    cr_assert_eq(sigad_batches_create(s.context, &options, &s.batches), SIGAD_OK);
    return s;
}

static setting create_rows(sigad_batches_options options)
{
    setting s = create(options, NULL);
    cr_assert_eq(sigad_batches_add(s.batches, SIGAD_F32, SIGAD_SHAPE(3), wide), SIGAD_OK);
    cr_assert_eq(sigad_batches_add(s.batches, SIGAD_I64, 0, NULL, labels), SIGAD_OK);
    return s;
}

/* Reads a tensor after checking its shape. */
static void read(setting s, sigad_tensor x, int rank, const int64_t *shape, void *out, size_t entry)
{
    int got_rank;
    int64_t got[SIGAD_MAX_RANK];
    cr_assert_eq(sigad_shape(s.tape, x, &got_rank, got), SIGAD_OK);
    cr_assert_eq(got_rank, rank);
    for (int i = 0; i < rank; i++) {
        cr_assert_eq(got[i], shape[i], "axis %d is %d, not %d", i, (int)got[i], (int)shape[i]);
        entry *= (size_t)shape[i];
    }
    cr_assert_eq(sigad_read(s.tape, x, out, entry), SIGAD_OK, "%s",
                 sigad_context_message(s.context));
}

/* The labels of an epoch in the order they come; checks that the other array's rows go with them.
 */
static int epoch_of(setting s, const int *sizes, int64_t *seen)
{
    sigad_tensor x[2];
    int count = 0, batch = 0;
    while (sigad_tape_reset(s.tape), sigad_batches_next(s.batches, s.tape, 2, x)) {
        float rows[MOST][3];
        int size = sizes[batch++];
        read(s, x[0], SIGAD_SHAPE(size, 3), rows, sizeof(float));
        read(s, x[1], SIGAD_SHAPE(size), seen + count, sizeof(int64_t));
        for (int i = 0; i < size; i++)
            cr_assert_arr_eq(rows[i], wide[seen[count + i]], sizeof wide[0]);
        count += size;
    }
    cr_assert_eq(sigad_context_status(s.context), SIGAD_OK, "%s", sigad_context_message(s.context));
    cr_assert_eq(x[0].generation, 0u, "the zero tensor is due at the end of an epoch");
    return count;
}

static void expect_each_once(const int64_t *seen, int count)
{
    int times[N] = {0};
    for (int i = 0; i < count; i++) times[seen[i]]++;
    for (int i = 0; i < N; i++) cr_expect_eq(times[i], 1, "row %d came %d times", i, times[i]);
}

Test(batches, each_row_comes_once_an_epoch)
{
    setting s = create_rows((sigad_batches_options){.count = N, .batch = 4, .seed = 3});
    int64_t first[MOST], second[MOST], expected[N];
    cr_expect_eq(sigad_batches_per_epoch(s.batches), 3);
    cr_expect_eq(epoch_of(s, (int[]){4, 4, 2}, first), N);
    cr_expect_eq(sigad_batches_epoch(s.batches), 1);
    cr_expect_eq(epoch_of(s, (int[]){4, 4, 2}, second), N);
    expect_each_once(first, N);
    expect_each_once(second, N);
    cr_expect_arr_neq(first, second, sizeof expected, "the same order in each epoch");
    sigad_context_destroy(s.context);
}

Test(batches, in_order_and_without_the_rest)
{
    setting s =
        create_rows((sigad_batches_options){.count = N, .batch = 4, .in_order = 1, .drop_last = 1});
    int64_t seen[MOST];
    cr_expect_eq(sigad_batches_per_epoch(s.batches), 2);
    for (int epoch = 0; epoch < 2; epoch++) {
        cr_expect_eq(epoch_of(s, (int[]){4, 4}, seen), 8);
        for (int i = 0; i < 8; i++) cr_expect_eq(seen[i], i);
    }
    sigad_context_destroy(s.context);
}

Test(batches, order_depends_on_the_seed_and_epoch_only)
{
    int64_t a[MOST], b[MOST];
    setting s = create_rows((sigad_batches_options){.count = N, .batch = 4, .seed = 3});
    setting t = create_rows((sigad_batches_options){.count = N, .batch = 3, .seed = 3});
    setting u = create_rows((sigad_batches_options){.count = N, .batch = 4, .seed = 4});
    epoch_of(s, (int[]){4, 4, 2}, a);
    epoch_of(t, (int[]){3, 3, 3, 1}, b);
    cr_expect_arr_eq(a, b, N * sizeof *a);
    sigad_permutation(3, 0, N, b);
    cr_expect_arr_eq(a, b, N * sizeof *a, "the header promises this order");
    epoch_of(u, (int[]){4, 4, 2}, b);
    cr_expect_arr_neq(a, b, N * sizeof *a);
    sigad_context_destroy(s.context);
    sigad_context_destroy(t.context);
    sigad_context_destroy(u.context);
}

Test(batches, a_saved_place_is_found_again)
{
    int64_t all[MOST], rest[MOST];
    setting s = create_rows((sigad_batches_options){.count = N, .batch = 4});
    setting t = create_rows((sigad_batches_options){.count = N, .batch = 4});
    sigad_tensor x[2];
    epoch_of(s, (int[]){4, 4, 2}, all);
    sigad_tape_reset(s.tape);
    sigad_batches_next(s.batches, s.tape, 2, x);
    cr_expect_eq(sigad_batches_epoch(s.batches), 1);
    cr_expect_eq(sigad_batches_position(s.batches), 4);
    cr_assert_eq(sigad_batches_seek(t.batches, 1, 4), SIGAD_OK);
    epoch_of(s, (int[]){4, 2}, all);
    epoch_of(t, (int[]){4, 2}, rest);
    cr_expect_arr_eq(all, rest, 6 * sizeof *all);
    cr_expect_eq(sigad_batches_epoch(t.batches), 2);
    sigad_context_destroy(s.context);
    sigad_context_destroy(t.context);
}

/* ---- series of different lengths
 * ----------------------------------------------------------------- */

static const int64_t offsets[] = {0, 2, 2, 5};
static const double points[5][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}};

Test(batches, shorter_series_repeat_their_last_point)
{
    setting s = create((sigad_batches_options){.count = 3, .batch = 2, .in_order = 1}, NULL);
    cr_assert_eq(sigad_batches_add_series(s.batches, SIGAD_F64, 2, offsets, points), SIGAD_OK);
    sigad_tensor x[2];
    double path[2 * 3 * 2];
    int64_t lengths[2];
    cr_assert(sigad_batches_next(s.batches, s.tape, 2, x));
    read(s, x[0], SIGAD_SHAPE(2, 2, 2), path, sizeof(double));
    read(s, x[1], SIGAD_SHAPE(2), lengths, sizeof(int64_t));
    const double first[] = {1, 2, 3, 4, 0, 0, 0, 0}; /* an empty series has no last point */
    cr_expect_arr_eq(path, first, sizeof first);
    cr_expect_arr_eq(lengths, ((int64_t[]){2, 0}), sizeof lengths);
    cr_assert(sigad_batches_next(s.batches, s.tape, 2, x));
    read(s, x[0], SIGAD_SHAPE(1, 3, 2), path, sizeof(double));
    read(s, x[1], SIGAD_SHAPE(1), lengths, sizeof(int64_t));
    cr_expect_arr_eq(path, points[2], 6 * sizeof(double));
    cr_expect_eq(lengths[0], 3);
    sigad_context_destroy(s.context);

    s = create((sigad_batches_options){.count = 3, .in_order = 1}, NULL);
    cr_assert_eq(sigad_batches_add_series(s.batches, SIGAD_F64, 2, offsets, points), SIGAD_OK);
    cr_assert(sigad_batches_next(s.batches, s.tape, 2, x));
    double all[3 * 3 * 2];
    read(s, x[0], SIGAD_SHAPE(3, 3, 2), all, sizeof(double));
    const double padded[] = {1, 2, 3, 4, 3, 4, 0, 0, 0, 0, 0, 0, 5, 6, 7, 8, 9, 10};
    cr_expect_arr_eq(all, padded, sizeof padded);
    sigad_context_destroy(s.context);
}

Test(batches, nothing_at_all)
{
    setting s = create((sigad_batches_options){.count = 0}, NULL);
    const int64_t start = 0;
    cr_assert_eq(sigad_batches_add_series(s.batches, SIGAD_F64, 2, &start, NULL), SIGAD_OK);
    cr_assert_eq(sigad_batches_add(s.batches, SIGAD_F64, SIGAD_SHAPE(3), NULL), SIGAD_OK);
    sigad_tensor x[3];
    cr_expect_eq(sigad_batches_next(s.batches, s.tape, 3, x), 0);
    cr_expect_eq(sigad_batches_per_epoch(s.batches), 0);
    cr_expect_eq(sigad_batches_epoch(s.batches), 1);
    cr_expect_eq(sigad_context_status(s.context), SIGAD_OK);
    sigad_context_destroy(s.context);
}

/* ---- failures
 * -------------------------------------------------------------------------------------- */

static void refused(setting s, sigad_status got, sigad_status status, const char *message)
{
    cr_expect_eq(got, status);
    cr_expect_str_eq(sigad_context_message(s.context), message);
    sigad_context_clear(s.context);
}

Test(batches, bad_input_is_explained)
{
    setting s = create((sigad_batches_options){.count = 3}, NULL);
    sigad_batches_options negative = {SIGAD_BATCHES_OPTIONS_INIT, .count = 4, .batch = -2};
    sigad_batches_options huge = {SIGAD_BATCHES_OPTIONS_INIT, .count = INT64_MAX};
    sigad_batches *b = s.batches;
    refused(s, sigad_batches_create(s.context, &negative, &b), SIGAD_EINVAL,
            "sigad_batches_create: count 4, batch -2: neither may be negative");
    cr_expect_null(b);
    refused(s, sigad_batches_create(s.context, &huge, &b), SIGAD_ERANGE,
            "sigad_batches_create: 9223372036854775807 rows are too many");
    refused(s, sigad_batches_add(s.batches, SIGAD_F32, SIGAD_SHAPE(3), NULL), SIGAD_EINVAL,
            "sigad_batches_add: data is NULL, but there are 3 rows");
    refused(s, sigad_batches_add(s.batches, SIGAD_F32, SIGAD_SHAPE(3), (char *)wide + 1),
            SIGAD_EINVAL, "sigad_batches_add: data of float32 must be aligned to 4 bytes");
    refused(s, sigad_batches_add(s.batches, SIGAD_F32, SIGAD_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), wide),
            SIGAD_ESHAPE, "sigad_batches_add: rows of rank 8; the largest that fits is 7");
    refused(s, sigad_batches_add(s.batches, SIGAD_F32, SIGAD_SHAPE(INT64_MAX / 8), wide),
            SIGAD_ERANGE, "sigad_batches_add: 3 rows of this size are too many");
    refused(s, sigad_batches_add_series(s.batches, SIGAD_F64, 2, NULL, points), SIGAD_EINVAL,
            "sigad_batches_add_series: offsets must be there and start at 0");
    refused(s, sigad_batches_add_series(s.batches, SIGAD_F64, 2, (int64_t[]){0, 3, 2, 5}, points),
            SIGAD_EINVAL,
            "sigad_batches_add_series: series 1 ends at point 2, before its start at 3");
    refused(s, sigad_batches_seek(s.batches, 0, 4), SIGAD_ERANGE,
            "sigad_batches_seek: epoch 0, position 4: the epoch must not be negative, the position "
            "lies in 0 .. 3");
    sigad_tensor x[2];
    cr_assert_eq(sigad_batches_add(s.batches, SIGAD_I64, 0, NULL, labels), SIGAD_OK);
    cr_expect_eq(sigad_batches_next(s.batches, s.tape, 2, x), 0);
    refused(s, SIGAD_OK, SIGAD_OK, "sigad_batches_next: there is place for 2 tensors, not for 1");
    cr_expect_eq(sigad_batches_next(NULL, s.tape, 2, x), 0);
    refused(s, SIGAD_OK, SIGAD_OK, "sigad_batches_next: batches is NULL");
    cr_expect_eq(sigad_batches_epoch(s.batches), 0, "a refused call moved on");
    sigad_context_destroy(s.context);
}

Test(batches, null_is_accepted_everywhere)
{
    sigad_batches *b = (sigad_batches *)1;
    cr_expect_eq(sigad_batches_create(NULL, NULL, &b), SIGAD_EINVAL);
    cr_expect_null(b);
    cr_expect_eq(sigad_batches_add(NULL, SIGAD_F32, 0, NULL, NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_batches_add_series(NULL, SIGAD_F32, 1, NULL, NULL), SIGAD_EINVAL);
    cr_expect_eq(sigad_batches_next(NULL, NULL, 0, NULL), 0);
    cr_expect_eq(sigad_batches_per_epoch(NULL), 0);
    cr_expect_eq(sigad_batches_epoch(NULL), 0);
    cr_expect_eq(sigad_batches_position(NULL), 0);
    cr_expect_eq(sigad_batches_seek(NULL, 0, 0), SIGAD_EINVAL);
    sigad_batches_destroy(NULL);
}

Test(batches, short_memory_loses_nothing)
{
    for (int64_t fail_at = 0, tried = 0; fail_at <= tried; fail_at++) {
        failing_allocator allocator = {0};
        setting s = create((sigad_batches_options){.count = 3, .in_order = 1}, &allocator);
        sigad_batches_options options = {SIGAD_BATCHES_OPTIONS_INIT, .count = 3};
        sigad_batches *b = NULL;
        sigad_tensor x[2];
        int64_t lengths[3];
        failing_allocator_arm(&allocator, fail_at, false);
        int got = sigad_batches_create(s.context, &options, &b) == SIGAD_OK &&
                  sigad_batches_add_series(b, SIGAD_F64, 2, offsets, points) == SIGAD_OK &&
                  sigad_batches_next(b, s.tape, 2, x);
        if (!fail_at) tried = allocator.made;
        cr_assert_eq(got, !allocator.failed);
        if (!got) {
            cr_assert_eq(sigad_context_clear(s.context), SIGAD_ENOMEM);
            failing_allocator_arm(&allocator, 0, false);
            sigad_batches_destroy(b);
            cr_assert_eq(sigad_batches_create(s.context, &options, &b), SIGAD_OK);
            cr_assert_eq(sigad_batches_add_series(b, SIGAD_F64, 2, offsets, points), SIGAD_OK);
            sigad_tape_reset(s.tape);
            cr_assert(sigad_batches_next(b, s.tape, 2, x));
        }
        read(s, x[1], SIGAD_SHAPE(3), lengths, sizeof(int64_t));
        sigad_context_destroy(s.context);
        cr_assert_eq(allocator.live, 0);
    }
}

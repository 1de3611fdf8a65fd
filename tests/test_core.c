/* Errors, options, memory, threads. */
#include "core/error.h"
#include "core/memory.h"
#include "core/options.h"
#include "core/parallel.h"
#include "core/vector.h"
#include "support/memory.h"
#include <criterion/criterion.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* ---- errors ---------------------------------------------------------------------------------- */

typedef struct {
    int count;
    char last[SG_MESSAGE_BYTES];
} diary;

static void note(void *user, sigad_log_level level, const char *message)
{
    diary *d = user;
    cr_expect_eq(level, SIGAD_LOG_ERROR);
    d->count++;
    snprintf(d->last, sizeof d->last, "%s", message);
}

static sigad_status fail_operation(sg_error *error, const char *label, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    sigad_status status = sg_fail_operation(error, SIGAD_ESHAPE, "matmul", label, format, values);
    va_end(values);
    return status;
}

Test(error, the_first_one_sticks_and_is_logged_once)
{
    diary d = {0};
    sg_error error = {.log = note, .log_user = &d};
    cr_expect_eq(sg_fail(&error, SIGAD_ERANGE, "f: %d is too much", 7), SIGAD_ERANGE);
    cr_expect_eq(sg_fail(&error, SIGAD_EINVAL, "g: another"), SIGAD_ERANGE);
    cr_expect_eq(error.status, SIGAD_ERANGE);
    cr_expect_str_eq(error.message, "f: 7 is too much");
    cr_expect_eq(d.count, 1);
    cr_expect_str_eq(d.last, "f: 7 is too much");
    cr_expect_eq(sg_error_clear(&error), SIGAD_ERANGE);
    cr_expect_eq(sg_error_clear(&error), SIGAD_OK);
    cr_expect_str_eq(error.message, "");
    cr_expect_eq(sg_fail(&error, SIGAD_EINVAL, "g: another"), SIGAD_EINVAL);
    cr_expect_eq(d.count, 2);
}

Test(error, a_label_stands_behind_the_name)
{
    sg_error error = {0};
    fail_operation(&error, "fc1", "[%d] x [%d]", 2, 3);
    cr_expect_str_eq(error.message, "matmul 'fc1': [2] x [3]");
    sg_error_add_label(&error, "again");
    cr_expect_str_eq(error.message, "matmul 'fc1': [2] x [3]", "it has one already");
}

Test(error, a_label_can_be_added_once_until_settled)
{
    sg_error error = {0};
    fail_operation(&error, "", "[2] x [3]: no");
    sg_error_add_label(&error, "");
    sg_error_add_label(&error, "fc1");
    sg_error_add_label(&error, "fc2");
    cr_expect_str_eq(error.message, "matmul 'fc1': [2] x [3]: no");
    sg_error_clear(&error);
    sg_fail(&error, SIGAD_EINVAL, "sigad_input: rank 9");
    sg_error_add_label(&error, "x");
    cr_expect_str_eq(error.message, "sigad_input 'x': rank 9");
    sg_error_clear(&error);
    sg_fail(&error, SIGAD_EINVAL, "sigad_input: rank 9");
    sg_error_settle(&error);
    sg_error_add_label(&error, "x");
    cr_expect_str_eq(error.message, "sigad_input: rank 9");
    sg_error_clear(&error);
    sg_error_add_label(&error, "x");
    cr_expect_str_eq(error.message, "");
}

Test(error, endless_texts_are_cut)
{
    static char text[3000];
    memset(text, 'x', sizeof text - 1);
    sg_error error = {0};
    sg_fail(&error, SIGAD_EINVAL, "f: %s", text);
    cr_expect_eq(strlen(error.message), SG_MESSAGE_BYTES - 1);
    sg_error_add_label(&error, text);
    cr_expect_eq(strlen(error.message), SG_MESSAGE_BYTES - 1);
    sg_error_clear(&error);
    fail_operation(&error, text, "%s", text);
    cr_expect_eq(strlen(error.message), SG_MESSAGE_BYTES - 1);
}

Test(error, each_status_has_a_text_of_its_own)
{
    for (int a = SIGAD_OK; a <= SIGAD_EINTERNAL; a++) {
        cr_expect_str_neq(sigad_status_string((sigad_status)a), "unknown status");
        for (int b = SIGAD_OK; b < a; b++)
            cr_expect_str_neq(sigad_status_string((sigad_status)a),
                              sigad_status_string((sigad_status)b));
    }
    cr_expect_str_eq(sigad_status_string((sigad_status)-1), "unknown status");
    cr_expect_str_eq(sigad_status_string((sigad_status)15), "unknown status");
    cr_expect_eq(sigad_version(), SIGAD_VERSION);
}

/* ---- options --------------------------------------------------------------------------------- */

typedef struct {
    uint32_t size;
    int32_t first;
    double second;
} known_options;
typedef struct {
    known_options known;
    int32_t third, fourth;
} future_options;

Test(options, nothing_given_means_all_defaults)
{
    known_options known = {9, 9, 9.0};
    cr_expect_eq(sg_options(NULL, "o", NULL, &known, sizeof known), SIGAD_OK);
    cr_expect(known.size == 0 && known.first == 0 && known.second == 0.0);
}

Test(options, an_older_struct_is_filled_up_with_zeros)
{
    known_options given = {8, 3, 4.0}, known;
    cr_expect_eq(sg_options(NULL, "o", &given, &known, sizeof known), SIGAD_OK);
    cr_expect(known.first == 3 && known.second == 0.0);
}

Test(options, a_newer_struct_must_end_in_zeros)
{
    sg_error error = {0};
    future_options given = {{sizeof given, 3, 4.0}, 0, 0};
    known_options known;
    cr_expect_eq(sg_options(&error, "o", &given, &known, sizeof known), SIGAD_OK);
    cr_expect(known.first == 3 && known.second == 4.0);
    given.fourth = 1;
    cr_expect_eq(sg_options(NULL, "o", &given, &known, sizeof known), SIGAD_ENOTSUP);
    cr_expect_eq(sg_options(&error, "o", &given, &known, sizeof known), SIGAD_ENOTSUP);
    cr_expect_str_eq(error.message, "o: byte 20 is set, but this library knows 16 bytes only; use "
                                    "a newer library");
}

Test(options, a_forgotten_size_is_refused)
{
    sg_error error = {0};
    known_options given = {0, 3, 4.0}, known;
    cr_expect_eq(sg_options(NULL, "o", &given, &known, sizeof known), SIGAD_EINVAL);
    cr_expect_eq(sg_options(&error, "o", &given, &known, sizeof known), SIGAD_EINVAL);
    cr_expect_str_eq(error.message, "o: size is 0, set it (SIGAD_..._INIT does)");
    given.size = 3;
    cr_expect_eq(sg_options(NULL, "o", &given, &known, sizeof known), SIGAD_EINVAL);
}

/* ---- memory ---------------------------------------------------------------------------------- */

Test(memory, the_default_allocator_resizes_and_aligns)
{
    sigad_allocator allocator = sg_allocator_or_default((sigad_allocator){NULL, NULL});
    char *block = sg_allocate(&allocator, 10);
    cr_assert_eq((uintptr_t)block % SG_ALIGNMENT, 0);
    memcpy(block, "123456789", 10);
    block = sg_reallocate(&allocator, block, 10, 100000);
    cr_assert_eq((uintptr_t)block % SG_ALIGNMENT, 0);
    cr_expect_str_eq(block, "123456789");
    block = sg_reallocate(&allocator, block, 100000, 5);
    cr_expect_arr_eq(block, "12345", 5);
    sg_release(&allocator, block, 5);
    sg_release(&allocator, NULL, 0);
    block = allocator.function(allocator.user, NULL, 0, 3, 1); /* below what the C library takes */
    cr_expect_not_null(block);
    sg_release(&allocator, block, 3);
}

Test(memory, an_allocator_of_the_caller_is_taken_as_it_is)
{
    test_memory memory = {0};
    sigad_allocator mine = test_memory_allocator(&memory), taken = sg_allocator_or_default(mine);
    cr_expect(taken.function == mine.function && taken.user == mine.user);
    char *copy = sg_copy_text(&taken, "text");
    cr_expect_str_eq(copy, "text");
    cr_expect_eq(memory.bytes, 5);
    sg_release(&taken, copy, 5);
    memory.fail_at = memory.requests + 1;
    cr_expect_null(sg_copy_text(&taken, "text"));
    cr_expect(!memory.blocks && !memory.mistakes);
}

Test(memory, lists_grow_and_survive_failure)
{
    test_memory memory = {0};
    sigad_allocator allocator = test_memory_allocator(&memory);
    void *items = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 100; i++) {
        cr_assert(sg_grow(&allocator, &items, i, &capacity, sizeof i));
        ((size_t *)items)[i] = i;
    }
    void *before = items;
    memory.fail_at = memory.requests + 1;
    cr_expect(!sg_grow(&allocator, &items, capacity, &capacity, sizeof(size_t)));
    cr_expect(items == before && capacity == 128);
    cr_expect(!sg_grow(&allocator, &items, capacity, &capacity, SIZE_MAX / 4));
    for (size_t i = 0; i < 100; i++) cr_expect_eq(((size_t *)items)[i], i);
    sg_release(&allocator, items, capacity * sizeof(size_t));
    cr_expect(!memory.blocks && !memory.mistakes);
}

Test(memory, sizes_that_do_not_fit_are_noticed)
{
    int64_t result = 5;
    cr_expect(!sg_multiply(INT64_MAX, 2, &result) && result == 5);
    cr_expect(!sg_add(INT64_MAX, 1, &result) && result == 5);
    cr_expect(sg_multiply(INT64_MAX, 1, &result) && result == INT64_MAX);
    cr_expect(sg_add(INT64_MAX - 1, 1, &result) && result == INT64_MAX);
}

Test(vector, dot_and_add_scaled_take_every_entry)
{
    for (int n = 0; n < 12; n++) {
        double a[12], b[12], sum = 0.0;
        for (int i = 0; i < n; i++) {
            a[i] = i + 1;
            b[i] = 1 << i;
            sum += a[i] * b[i];
        }
        cr_expect_eq(sg_dot(a, b, n), sum);
        sg_add_scaled(a, 2.0, b, n);
        for (int i = 0; i < n; i++) cr_expect_eq(a[i], i + 1 + 2 * (1 << i));
    }
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { ITEMS = 1000, WORKERS = 16 };
typedef struct {
    int threads;
    atomic_int calls[ITEMS];
    atomic_bool busy[WORKERS];
    atomic_bool wrong;
} record;

static void body(void *user, int64_t index, int worker)
{
    record *r = user;
    if (worker < 0 || worker >= r->threads || atomic_exchange(&r->busy[worker], true))
        r->wrong = true;
    r->calls[index]++;
    for (volatile int i = 0; i < 200; i++) continue;
    r->busy[worker] = false;
}

Test(parallel, each_item_is_done_once_and_no_worker_twice_at_once)
{
    static const int threads[] = {1, 2, 3, 8, WORKERS}, counts[] = {0, 1, 2, 7, ITEMS};
    for (int t = 0; t < 5; t++)
        for (int c = 0; c < 5; c++) {
            record r = {.threads = threads[t]};
            sg_parallel(threads[t], counts[c], body, &r);
            cr_expect(!r.wrong);
            for (int i = 0; i < ITEMS; i++) cr_assert_eq(r.calls[i], i < counts[c]);
        }
}

static _Thread_local char here;
typedef struct {
    const char *thread;
    int64_t next;
    bool wrong;
} caller;

static void expect_caller(void *user, int64_t index, int worker)
{
    caller *c = user;
    if (&here != c->thread || worker != 0 || index != c->next++) c->wrong = true;
}

Test(parallel, one_thread_or_one_item_stays_with_the_caller)
{
    caller c = {.thread = &here};
    sg_parallel(1, 50, expect_caller, &c);
    cr_expect(c.next == 50 && !c.wrong);
    c.next = 0;
    sg_parallel(8, 1, expect_caller, &c);
    cr_expect(c.next == 1 && !c.wrong);
}

Test(parallel, thread_counts_follow_the_rule_and_have_an_end)
{
    int all = sg_thread_count(-1);
    cr_expect(all >= 1);
    cr_expect_eq(sg_thread_count(1), 1);
    cr_expect_eq(sg_thread_count(5), 5);
    cr_expect_eq(sg_thread_count(-2), all > 1 ? all - 1 : 1);
    cr_expect_eq(sg_thread_count(-all), 1);
    cr_expect_eq(sg_thread_count(-all - 1), 1);
    cr_expect_eq(sg_thread_count(INT_MIN), 1);
    int most = sg_thread_count(INT_MAX);
    cr_expect(most >= 64 && most <= 100000);
    cr_expect_eq(sg_thread_count(100000), most);
    record r = {.threads = WORKERS};
    sg_parallel(most < WORKERS ? most : WORKERS, ITEMS, body, &r);
    cr_expect(!r.wrong);
}

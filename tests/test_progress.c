#include "support/failing_allocator.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double seconds;

static double clock_of_test(void *user)
{
    return *(double *)user;
}

typedef struct {
    sigad_context *context;
    sigad_progress *progress;
    FILE *file;
    char *text;
    size_t length;
} display;

static void open_display(display *d, sigad_progress_options options)
{
    seconds = 100.0;
    options.size = sizeof options;
    options.clock = clock_of_test;
    options.clock_user = &seconds;
    d->text = NULL;
    d->file = options.file = open_memstream(&d->text, &d->length);
    cr_assert_eq(sigad_context_create(NULL, &d->context), SIGAD_OK);
    cr_assert_eq(sigad_progress_create(d->context, &options, &d->progress), SIGAD_OK);
}

static void expect_text(display *d, const char *text)
{
    fflush(d->file);
    cr_expect_str_eq(d->text, text);
}

static void close_display(display *d)
{
    sigad_context_destroy(d->context);
    fclose(d->file);
    free(d->text);
}

Test(progress, a_file_gets_a_few_plain_lines)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 200, .lines = 2, .label = "train"});
    for (int step = 1; step <= 200; step++) {
        seconds += 0.5;
        sigad_progress_show(d.progress, step, 1.0 / step);
    }
    sigad_progress_finish(d.progress);
    expect_text(&d, "train  100/200   50%  loss 0.01  2/s  0:50 left\n"
                    "train  200/200  100%  loss 0.005  2/s  1:40\n");
    close_display(&d);
}

Test(progress, ten_lines_unless_told_otherwise)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 1000, .hide_loss = 1});
    int lines = 0;
    for (int step = 1; step <= 1000; step++) sigad_progress_show(d.progress, step, NAN);
    sigad_progress_destroy(d.progress);
    fflush(d.file);
    for (const char *c = d.text; *c; c++) lines += *c == '\n';
    cr_expect_eq(lines, 10);
    cr_expect_null(strstr(d.text, "loss"));
    close_display(&d);
}

Test(progress, a_terminal_gets_one_line_drawn_again)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 4, .terminal = 1});
    seconds += 2.0;
    sigad_progress_show(d.progress, 1, 8.0);
    sigad_progress_show(d.progress, 2, 4.0); /* too soon */
    seconds += 0.0625;
    sigad_progress_show(d.progress, 2, 2.0); /* still too soon */
    seconds += 0.0625;
    sigad_progress_show(d.progress, 2, 1.0);
    seconds += 0.015625;
    sigad_progress_show(d.progress, 4, 0.5); /* the end is always drawn */
    expect_text(&d, "\r[######------------------]  1/4   25%  loss 8  0.5/s  0:06 left\033[K"
                    "\r[############------------]  2/4   50%  loss 1  0.941/s  0:02 left\033[K"
                    "\r[########################]  4/4  100%  loss 0.5  1.87/s  0:02\033[K");
    sigad_progress_finish(d.progress);
    sigad_progress_finish(d.progress);
    cr_expect_eq(d.text[d.length - 1], '\n');
    cr_expect_neq(d.text[d.length - 2], '\n');
    close_display(&d);
}

Test(progress, an_interrupted_run_shows_where_it_ended)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 20000, .label = "t"});
    seconds += 1.0;
    sigad_progress_show(d.progress, 7, INFINITY);
    expect_text(&d, "");
    sigad_progress_destroy(d.progress);
    expect_text(&d, "t  7/20000    0%  loss inf  7/s  47:36 left\n");
    close_display(&d);
}

Test(progress, long_runs_and_steps_out_of_range)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 1000000, .lines = 1000000});
    seconds += 1.0;
    sigad_progress_show(d.progress, 100, 1.0);
    sigad_progress_show(d.progress, -5, 1.0);
    sigad_progress_show(d.progress, INT64_MAX, NAN);
    expect_text(&d, "100/1000000    0%  loss 1  100/s  2:46:39 left\n"
                    "1000000/1000000  100%  loss nan  1e+06/s  0:01\n");
    close_display(&d);
}

Test(progress, off_is_off)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 2, .off = 1, .terminal = 1});
    sigad_progress_show(d.progress, 1, 1.0);
    sigad_progress_show(d.progress, 2, 1.0);
    sigad_progress_destroy(d.progress);
    expect_text(&d, "");
    close_display(&d);
}

Test(progress, has_a_clock_of_its_own)
{
    display d;
    open_display(&d, (sigad_progress_options){.total = 2, .off = 1});
    sigad_progress_options options = {SIGAD_PROGRESS_OPTIONS_INIT, .total = 2, .file = d.file};
    sigad_progress *p;
    cr_assert_eq(sigad_progress_create(d.context, &options, &p), SIGAD_OK);
    sigad_progress_show(p, 2, 1.0);
    fflush(d.file);
    cr_expect_eq(strncmp(d.text, "2/2  100%  loss 1  ", 19), 0);
    cr_expect_str_eq(strrchr(d.text, ' '), " 0:00\n");
    close_display(&d);
}

Test(progress, bad_input_is_explained)
{
    sigad_context *context;
    sigad_progress *p = (sigad_progress *)1;
    cr_assert_eq(sigad_context_create(NULL, &context), SIGAD_OK);
    cr_expect_eq(sigad_progress_create(context, NULL, &p), SIGAD_EINVAL);
    cr_expect_null(p);
    cr_expect_str_eq(sigad_context_message(context), "sigad_progress_create: total 0, lines 0: the "
                                                     "total must be positive, lines not negative");
    sigad_context_clear(context);
    sigad_progress_options future = {SIGAD_PROGRESS_OPTIONS_INIT, .total = 1, .reserved = 7};
    cr_expect_eq(sigad_progress_create(context, &future, &p), SIGAD_EINVAL);
    cr_expect_str_eq(sigad_context_message(context),
                     "sigad_progress_create: reserved is 7; it must be 0");
    sigad_context_destroy(context);
    cr_expect_eq(sigad_progress_create(NULL, NULL, &p), SIGAD_EINVAL);
    sigad_progress_show(NULL, 1, 1.0);
    sigad_progress_finish(NULL);
    sigad_progress_destroy(NULL);
}

Test(progress, short_memory_is_an_error)
{
    for (int fail_at = 1; fail_at <= 2; fail_at++) {
        failing_allocator allocator = {0};
        sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT};
        options.allocator = failing_allocator_hook(&allocator);
        sigad_progress_options of_progress = {SIGAD_PROGRESS_OPTIONS_INIT, .total = 1,
                                              .label = "x"};
        sigad_context *context;
        sigad_progress *p;
        cr_assert_eq(sigad_context_create(&options, &context), SIGAD_OK);
        failing_allocator_arm(&allocator, fail_at, false);
        cr_expect_eq(sigad_progress_create(context, &of_progress, &p), SIGAD_ENOMEM);
        cr_expect_null(p);
        sigad_context_destroy(context);
        cr_expect_eq(allocator.live, 0);
    }
}

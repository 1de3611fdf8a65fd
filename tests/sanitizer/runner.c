/* Runs Criterion tests in sanitizer builds, in place of Criterion's own runner. That one maps
 * memory where the thread sanitizer keeps its shadow, and takes no notice of the exit status by
 * which the leak sanitizer reports after a test has passed. Here each test runs in a forked child
 * whose exit status decides. */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Criterion's sections of pointers to all tests and suites of a program. */
extern struct criterion_test *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak)),
    *__stop_cr_sts[] __attribute__((weak));

static const struct criterion_test *running;
static int failures;
static bool skipping;
static jmp_buf abort_test;

static const struct criterion_test_extra_data *suite_data(const char *name)
{
    for (struct criterion_suite **suite = __start_cr_sts; suite < __stop_cr_sts; suite++)
        if (*suite && (*suite)->data && !strcmp((*suite)->name, name)) return (*suite)->data;
    return NULL;
}

/* ---- what the macros of a test call; the linker prefers these to the shared library's -------- */

void criterion_internal_test_setup(void)
{
    const struct criterion_test_extra_data *suite = suite_data(running->category);
    if (suite && suite->init) suite->init();
    if (running->data->init) running->data->init();
}

void criterion_internal_test_main(void (*body)(void))
{
    if (!setjmp(abort_test)) body();
}

void criterion_internal_test_teardown(void)
{
    const struct criterion_test_extra_data *suite = suite_data(running->category);
    if (running->data->fini) running->data->fini();
    if (suite && suite->fini) suite->fini();
}

void criterion_abort_test(void)
{
    longjmp(abort_test, 1);
}

void criterion_skip_test(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    skipping = true;
    longjmp(abort_test, 1);
}

void criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed) return;
    failures++;
    fprintf(stderr, "%s:%u: %s/%s: %s\n", stats->file, stats->line, running->category,
            running->name, stats->message ? stats->message : "assertion failed");
}

void cri_asserts_passed_incr(void)
{
}

/* ---- the runner ------------------------------------------------------------------------------ */

enum { PASSED, FAILED, SKIPPED = 77 };

static int run(const struct criterion_test *test)
{
    const struct criterion_test_extra_data *data = test->data;
    int status;
    if (data->disabled) return SKIPPED;
    if (data->kind_ != CR_TEST_NORMAL || data->signal || data->exit_code) {
        fputs("parameters, signals and exit codes are not known to this runner\n", stderr);
        return FAILED;
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        running = test;
        test->test();
        exit(failures   ? FAILED
             : skipping ? SKIPPED
                        : PASSED); /* the leak sanitizer looks here and may change the status */
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return FAILED;
    return WEXITSTATUS(status);
}

/* Whether the filter, which is "SUITE/" and then "*" or "!(NAME|NAME)" as there is no other here,
 * leaves a test out. */
static bool is_left_out(const char *filter, const char *suite, const char *name)
{
    const size_t length = strlen(name), ahead = strlen(suite);
    if (filter && (strncmp(filter, suite, ahead) || filter[ahead] != '/')) return true;
    for (const char *at = filter; at && (at = strstr(at, name)); at++)
        if (strchr("(|", at[-1]) && strchr("|)", at[length])) return true;
    return false;
}

int main(int count, char **argument)
{
    const char *filter =
        count > 2 && !strcmp(argument[count - 2], "--filter") ? argument[count - 1] : NULL;
    int passed = 0, failed = 0, skipped = 0;
    for (struct criterion_test **test = __start_cr_tst; test < __stop_cr_tst; test++) {
        if (!*test || is_left_out(filter, (*test)->category, (*test)->name)) continue;
        int result = run(*test);
        if (result == PASSED)
            passed++;
        else if (result == SKIPPED)
            skipped++;
        else
            failed++;
        if (result != PASSED)
            printf("%s/%s: %s\n", (*test)->category, (*test)->name,
                   result == SKIPPED ? "skipped" : "failed");
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed || !(passed + skipped);
}

/* The listing of a recorded graph, as text and as DOT. */
#include "support/world.h"
#include <criterion/criterion.h>
#include <sigad/ops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

static void make_path(void)
{
    snprintf(path, sizeof path, "/tmp/sigad-export-%ld", (long)getpid());
}

static void remove_file(void)
{
    unlink(path);
}

static char *contents(void)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    char *text = calloc(1, 1 << 16);
    cr_assert_lt(fread(text, 1, (1 << 16) - 1, file), (1 << 16) - 1);
    fclose(file);
    return text;
}

static void expect_line(const char *text, const char *wanted)
{
    cr_assert_not_null(strstr(text, wanted), "'%s' is missing in\n%s", wanted, text);
}

/* One parameter that is used, one that is not, a label with characters that DOT cares about. */
static sigad_tensor record(world *w)
{
    sigad_tensor used = parameter64(w->context, "layer \"one\"", 3, (double[]){1, 2, 3});
    parameter64(w->context, "idle", 1, (double[]){1});
    sigad_tensor x = VECTOR(w->tape, 4, 5, 6), y = sigad_mul(w->tape, used, x);
    sigad_label(w->tape, y, "a \"b\" \\c\nd");
    return sigad_sum(w->tape, y, SIGAD_ALL, 0);
}

TestSuite(export, .init = make_path, .fini = remove_file);

Test(export, text)
{
    world w;
    world_open(&w);
    record(&w);
    cr_assert_eq(sigad_tape_export(w.tape, SIGAD_EXPORT_TEXT, path), SIGAD_OK);
    char *text = contents();
    expect_line(text, "operation");
    expect_line(text, "constant");
    expect_line(text, "mul");
    expect_line(text, "[3]");
    expect_line(text, "float64");
    expect_line(text, "'layer \"one\"', 0");
    expect_line(text, "     3  tensors");
    int lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    cr_assert_eq(lines, 5 + 1, "a head, three tensors, a sum, and the line end in the label");
    free(text);
    world_close(&w);
}

Test(export, dot)
{
    world w;
    world_open(&w);
    record(&w);
    cr_assert_eq(sigad_tape_export(w.tape, SIGAD_EXPORT_DOT, path), SIGAD_OK);
    char *text = contents();
    cr_assert_eq(strncmp(text, "digraph tape {\n", 15), 0);
    cr_assert_str_eq(text + strlen(text) - 2, "}\n");
    expect_line(text, "p0 [shape=cylinder, label=\"layer \\\"one\\\"\\n[3] float64\"];");
    expect_line(text, "n1 [shape=box, label=\"mul 'a \\\"b\\\" \\\\c d'\\n[3] float64\"];");
    expect_line(text, "  p0 -> n1;\n  n0 -> n1;\n");
    expect_line(text, "  n1 -> n2;\n");
    cr_assert_null(strstr(text, "idle"), "a parameter that nothing uses");
    free(text);
    world_close(&w);
}

/* Inspection works while an error is held, and leaves it as it is. */
Test(export, works_while_an_error_is_held)
{
    world w;
    world_open(&w);
    record(&w);
    sigad_scalar(w.tape, (sigad_dtype)99, 1);
    cr_assert_eq(sigad_tape_export(w.tape, SIGAD_EXPORT_TEXT, path), SIGAD_OK);
    cr_assert_eq(sigad_context_clear(w.context), SIGAD_EINVAL);
    world_close(&w);
}

Test(export, refuses)
{
    world w;
    world_open(&w);
    record(&w);
    cr_assert_eq(sigad_tape_export(NULL, SIGAD_EXPORT_TEXT, path), SIGAD_EINVAL);
    sigad_tape_export(w.tape, SIGAD_EXPORT_TEXT, NULL);
    expect_error(w.context, SIGAD_EINVAL, "sigad_tape_export: path is NULL");
    sigad_tape_export(w.tape, (sigad_export)7, path);
    expect_error(w.context, SIGAD_EINVAL,
                 "sigad_tape_export: format 7 is neither SIGAD_EXPORT_TEXT nor SIGAD_EXPORT_DOT");
    sigad_tape_export(w.tape, SIGAD_EXPORT_DOT, "/nowhere/at/all");
    expect_error(w.context, SIGAD_EIO, NULL);
    for (int format = SIGAD_EXPORT_TEXT; format <= SIGAD_EXPORT_DOT; format++) {
        w.memory.fail_at = w.memory.requests + 1;
        sigad_tape_export(w.tape, (sigad_export)format, path);
        expect_error(w.context, SIGAD_ENOMEM, "sigad_tape_export: no memory for the text");
    }
    world_close(&w);
}

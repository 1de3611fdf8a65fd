#include "support/world.h"
#include <criterion/criterion.h>
#include <math.h>

void world_open(world *w)
{
    *w = (world){{0}, NULL, NULL};
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .threads = 1, .seed = 7,
                                     .allocator = test_memory_allocator(&w->memory)};
    cr_assert_eq(sigad_context_create(&options, &w->context), SIGAD_OK);
    cr_assert_eq(sigad_tape_create(w->context, &w->tape), SIGAD_OK);
}

void world_close(world *w)
{
    sigad_context_destroy(w->context);
    cr_expect_eq(w->memory.blocks, 0, "%zu blocks are left", w->memory.blocks);
    cr_expect_eq(w->memory.bytes, 0, "%zu bytes are left", w->memory.bytes);
    cr_expect_eq(w->memory.mistakes, 0, "%zu wrong sizes or alignments", w->memory.mistakes);
}

sigad_tensor constant64(sigad_tape *tape, int64_t n, const double *values)
{
    return sigad_constant(tape, SIGAD_F64, 1, &n, values);
}

sigad_tensor parameter64(sigad_context *context, const char *name, int64_t n, const double *values)
{
    sigad_tensor p = sigad_parameter(context, name, SIGAD_F64, 1, &n, SIGAD_INIT_ZERO);
    cr_assert_eq(sigad_parameter_write(context, p, values, (size_t)n * sizeof *values), SIGAD_OK,
                 "%s", sigad_context_message(context));
    return p;
}

void expect_values(sigad_tape *tape, sigad_tensor x, int64_t n, const double *values)
{
    double got[64];
    cr_assert(n <= 64);
    cr_assert_eq(sigad_read(tape, x, got, (size_t)n * sizeof *got), SIGAD_OK, "%s",
                 sigad_context_message(sigad_tape_context(tape)));
    for (int64_t i = 0; i < n; i++)
        cr_expect(fabs(got[i] - values[i]) <= 1e-12 * (1.0 + fabs(values[i])),
                  "entry %lld is %.17g, not %.17g", (long long)i, got[i], values[i]);
}

void expect_error(sigad_context *context, sigad_status status, const char *message)
{
    cr_expect_eq(sigad_context_status(context), status, "status %d (%s), not %d",
                 sigad_context_status(context), sigad_context_message(context), status);
    if (message) cr_expect_str_eq(sigad_context_message(context), message);
    sigad_context_clear(context);
}

void expect_no_error(sigad_context *context)
{
    expect_error(context, SIGAD_OK, "");
}

void expect_poison(sigad_context *context, sigad_tensor x, sigad_status status, const char *message)
{
    cr_expect_eq(x.id, 0);
    cr_expect_eq(x.generation, 0);
    expect_error(context, status, message);
}

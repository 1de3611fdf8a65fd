/* A context with a tape and a watched allocator, and what tests of the engine say often. */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H
#include "support/memory.h"
#include "support/ops.h"
#include <sigad/op.h>

typedef struct {
    test_memory memory;
    sigad_context *context;
    sigad_tape *tape;
} world;

/* On one thread, with seed 7. */
void world_open(world *w);
/* Destroys the context; nothing may be left or have been handed back wrongly. */
void world_close(world *w);

/* float64 of rank 1. */
sigad_tensor constant64(sigad_tape *tape, int64_t n, const double *values);
#define VECTOR(tape, ...)                                                           \
    constant64((tape), (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), \
               (double[]){__VA_ARGS__})
sigad_tensor parameter64(sigad_context *context, const char *name, int64_t n, const double *values);

/* Entries are equal within 1e-12, relative to 1 + their size. */
void expect_values(sigad_tape *tape, sigad_tensor x, int64_t n, const double *values);
#define EXPECT(tape, x, ...)                                                                \
    expect_values((tape), (x), (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), \
                  (double[]){__VA_ARGS__})

/* The context holds exactly this error; it is cleared. A message of NULL is not looked at. */
void expect_error(sigad_context *context, sigad_status status, const char *message);
void expect_no_error(sigad_context *context);
/* x is the zero tensor, and the context holds exactly this error; it is cleared. */
void expect_poison(sigad_context *context, sigad_tensor x, sigad_status status,
                   const char *message);
#endif

/* Operations that rearrange entries. A reference says where an entry of y comes from. */
#include "support/database.h"
#include <string.h>

/* y of a shape, from x[0] at the index that `from` makes of an index of y. */
typedef void (*origin)(const db_array *x, const int64_t *y, int64_t *index);

static void rearrange(const db_array *x, db_array *y, origin from)
{
    for (int64_t i = 0; i < y->elements; i++) {
        int64_t at[SIGAD_MAX_RANK], index[SIGAD_MAX_RANK];
        db_unravel(y, i, at);
        from(x, at, index);
        y->data[i] = x->data[db_ravel(x, index)];
    }
}

static void same_order(const db_array *x, db_array *y)
{
    for (int64_t i = 0; i < y->elements; i++) y->data[i] = x->data[i];
}

#define APPLY(name, call)                                                     \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                         \
        return call;                                                          \
    }
/* One operand; rank and sizes of y in terms of n, the sizes of x. */
#define MOVES(name, call, rank, sizes, fill)                             \
    APPLY(name, call)                                                    \
    static void reference_##name(const db_array *x, db_array *y)         \
    {                                                                    \
        const int64_t *n = x->shape;                                     \
        (void)n;                                                         \
        if (db_shape(y, rank, (const int64_t[]){EXPAND sizes, 0})) fill; \
    }
#define EXPAND(...) __VA_ARGS__
#define FROM(name, ...)                                                          \
    static void from_##name(const db_array *x, const int64_t *y, int64_t *index) \
    {                                                                            \
        const int64_t source[] = {__VA_ARGS__};                                  \
        (void)y;                                                                 \
        memcpy(index, source, (size_t)x->rank * sizeof *index);                  \
    }

MOVES(reshape, sigad_reshape(tape, x[0], SIGAD_SHAPE(4, -1)), 2, (4, x->elements / 4),
      same_order(x, y))
MOVES(reshape_scalar, sigad_reshape(tape, x[0], 0, NULL), 0, (0), same_order(x, y))
MOVES(reshape_twice,
      sigad_reshape(tape, sigad_reshape(tape, sigad_negate(tape, x[0]), SIGAD_SHAPE(-1)),
                    SIGAD_SHAPE(2, -1)),
      2, (2, x->elements / 2), for (int64_t i = 0; i < y->elements; i++) y->data[i] = -x->data[i])
MOVES(squeeze, sigad_squeeze(tape, x[0], -2), 2, (n[0], n[2]), same_order(x, y))
MOVES(unsqueeze, sigad_unsqueeze(tape, x[0], -1), 3, (n[0], n[1], 1), same_order(x, y))
MOVES(unsqueeze_first, sigad_unsqueeze(tape, x[0], 0), 3, (1, n[0], n[1]), same_order(x, y))

FROM(transpose, y[2], y[1], y[0])
MOVES(transpose, sigad_transpose(tape, x[0], 0, -1), 3, (n[2], n[1], n[0]),
      rearrange(x, y, from_transpose))
FROM(transpose_matrix, y[1], y[0])
MOVES(transpose_matrix, sigad_transpose(tape, x[0], 1, 0), 2, (n[1], n[0]),
      rearrange(x, y, from_transpose_matrix))
FROM(permute, y[1], y[2], y[0])
MOVES(permute, sigad_permute(tape, x[0], 3, (const int[]){2, 0, -2}), 3, (n[2], n[0], n[1]),
      rearrange(x, y, from_permute))
MOVES(permute_nothing, sigad_permute(tape, x[0], 0, NULL), 0, (0), same_order(x, y))

FROM(broadcast, 0, y[2])
MOVES(broadcast, sigad_broadcast(tape, x[0], SIGAD_SHAPE(2, 3, 4)), 3, (2, 3, 4),
      rearrange(x, y, from_broadcast))
MOVES(broadcast_scalar, sigad_broadcast(tape, x[0], SIGAD_SHAPE(300, 150)), 2, (300, 150),
      for (int64_t i = 0; i < y->elements; i++) y->data[i] = x->data[0])
MOVES(broadcast_same, sigad_broadcast(tape, x[0], SIGAD_SHAPE(3, 4)), 2, (3, 4), same_order(x, y))
MOVES(broadcast_to_nothing, sigad_broadcast(tape, x[0], SIGAD_SHAPE(0, 4)), 2, (0, 4),
      same_order(x, y))

FROM(slice, y[0], y[1] + 1, y[2])
MOVES(slice, sigad_slice(tape, x[0], 1, 1, 3), 3, (n[0], 2, n[2]), rearrange(x, y, from_slice))
FROM(slice_first, y[0] + 2, y[1])
MOVES(slice_first, sigad_slice(tape, x[0], 0, 2, 3), 2, (1, n[1]),
      rearrange(x, y, from_slice_first))
MOVES(slice_nothing, sigad_slice(tape, x[0], -1, 2, 2), 2, (n[0], 0), same_order(x, y))
FROM(flip, y[0], x->shape[1] - 1 - y[1], y[2])
MOVES(flip, sigad_flip(tape, x[0], -2), 3, (n[0], n[1], n[2]), rearrange(x, y, from_flip))
FROM(flip_last, y[0], x->shape[1] - 1 - y[1])
MOVES(flip_last, sigad_flip(tape, x[0], 1), 2, (n[0], n[1]), rearrange(x, y, from_flip_last))

APPLY(pad, sigad_pad(tape, x[0], 1, 2, 1, 0.5))
static void reference_pad(const db_array *x, db_array *y)
{
    if (!db_shape(y, 3, (const int64_t[]){x->shape[0], x->shape[1] + 3, x->shape[2]})) return;
    for (int64_t i = 0; i < y->elements; i++) {
        int64_t at[SIGAD_MAX_RANK];
        db_unravel(y, i, at);
        at[1] -= 2;
        y->data[i] = at[1] >= 0 && at[1] < x->shape[1] ? x->data[db_ravel(x, at)] : 0.5;
    }
}

APPLY(concat, sigad_concat(tape, 3, x, -2))
static void reference_concat(const db_array *x, db_array *y)
{
    int64_t size = x[0].shape[1] + x[1].shape[1] + x[2].shape[1];
    if (!db_shape(y, 3, (const int64_t[]){x->shape[0], size, x->shape[2]})) return;
    for (int64_t i = 0; i < y->elements; i++) {
        int64_t at[SIGAD_MAX_RANK];
        int k = 0;
        db_unravel(y, i, at);
        while (at[1] >= x[k].shape[1]) at[1] -= x[k++].shape[1];
        y->data[i] = x[k].data[db_ravel(&x[k], at)];
    }
}

APPLY(concat_one, sigad_concat(tape, 1, x, 0))
static void reference_concat_one(const db_array *x, db_array *y)
{
    if (db_like(y, x)) same_order(x, y);
}

/* Rows of all tensors in turn. */
APPLY(stack, sigad_stack(tape, 2, x, -2))
static void reference_stack(const db_array *x, db_array *y)
{
    if (!db_shape(y, 3, (const int64_t[]){x->shape[0], 2, x->shape[1]})) return;
    for (int64_t i = 0; i < y->elements; i++) {
        int64_t at[SIGAD_MAX_RANK];
        db_unravel(y, i, at);
        y->data[i] = x[at[1]].data[at[0] * x->shape[1] + at[2]];
    }
}

APPLY(stack_scalars, sigad_stack(tape, 3, x, 0))
static void reference_stack_scalars(const db_array *x, db_array *y)
{
    if (!db_shape(y, 1, (const int64_t[]){3})) return;
    for (int64_t i = 0; i < 3; i++) y->data[i] = x[i].data[0];
}

/* The index of rank 2 takes the place of the middle axis. */
APPLY(gather, sigad_gather(tape, x[0], x[1], 1))
static void reference_gather(const db_array *x, db_array *y)
{
    const int64_t *n = x[0].shape, *m = x[1].shape;
    if (!db_shape(y, 4, (const int64_t[]){n[0], m[0], m[1], n[2]})) return;
    for (int64_t i = 0; i < y->elements; i++) {
        int64_t at[SIGAD_MAX_RANK];
        db_unravel(y, i, at);
        int64_t index = (int64_t)x[1].data[at[1] * m[1] + at[2]];
        y->data[i] = x[0].data[(at[0] * n[1] + index) * n[2] + at[3]];
    }
}

APPLY(gather_one, sigad_gather(tape, x[0], x[1], -1))
static void reference_gather_one(const db_array *x, db_array *y)
{
    int64_t rows = x[0].shape[0], n = x[0].shape[1];
    if (!db_shape(y, 1, &rows)) return;
    for (int64_t i = 0; i < rows; i++) y->data[i] = x[0].data[i * n + (int64_t)x[1].data[0]];
}

APPLY(one_hot, sigad_one_hot(tape, x[0], 4, SIGAD_F64))
static void reference_one_hot(const db_array *x, db_array *y)
{
    int64_t shape[SIGAD_MAX_RANK];
    memcpy(shape, x->shape, sizeof shape);
    shape[x->rank] = 4;
    if (!db_shape(y, x->rank + 1, shape)) return;
    for (int64_t i = 0; i < y->elements; i++) y->data[i] = (double)(i % 4) == x->data[i / 4];
}

/* ---- rows ----------------------------------------------------------------------------------- */

#define OF(name) apply_##name, reference_##name
#define ROW(name, shape)                                                        \
    {                                                                           \
#        name ": " #        shape, 1, {{DB_F shape } }, OF(name), DB_POLYNOMIAL \
    }
#define INTEGERS(name, shape)                                            \
    {                                                                    \
#        name " of integers: " #        shape, 1,                        \
            {{DB_I(3, EXPAND shape) } }, OF(name), DB_NOT_DIFFERENTIABLE \
    }

static const db_row rows[] = {
    ROW(reshape, (2, 6)),
    ROW(reshape, (4, 0)),
    ROW(reshape_scalar, (1, 1)),
    ROW(reshape_twice, (3, 4)),
    ROW(squeeze, (3, 1, 4)),
    ROW(squeeze, (0, 1, 4)),
    ROW(unsqueeze, (3, 4)),
    ROW(unsqueeze_first, (3, 4)),
    ROW(transpose, (2, 3, 4)),
    ROW(transpose, (2, 0, 4)),
    ROW(transpose, (1, 1, 1)),
    ROW(transpose_matrix, (3, 4)),
    ROW(transpose_matrix, (150, 300)),
    ROW(permute, (2, 3, 4)),
    ROW(permute, (30, 40, 50)),
    ROW(permute_nothing, ()),
    ROW(broadcast, (1, 4)),
    ROW(broadcast_scalar, ()),
    ROW(broadcast_same, (3, 4)),
    ROW(broadcast_to_nothing, (1, 4)),
    ROW(slice, (2, 4, 3)),
    ROW(slice, (2, 3, 0)),
    ROW(slice, (200, 3, 150)),
    ROW(slice_first, (4, 3)),
    ROW(slice_nothing, (2, 4)),
    ROW(flip, (2, 4, 3)),
    ROW(flip, (2, 0, 3)),
    ROW(flip_last, (2, 4)),
    ROW(pad, (2, 3, 4)),
    ROW(pad, (2, 0, 4)),
    ROW(concat_one, (2, 3)),
    {"concat", 3, {{DB_F(2, 3, 4)}, {DB_F(2, 1, 4)}, {DB_F(2, 2, 4)}}, OF(concat), DB_POLYNOMIAL},
    {"concat: equal",
     3,
     {{DB_F(2, 3, 4)}, {DB_F(2, 3, 4)}, {DB_F(2, 3, 4)}},
     OF(concat),
     DB_POLYNOMIAL},
    {"concat: no entries",
     3,
     {{DB_F(2, 0, 4)}, {DB_F(2, 1, 4)}, {DB_F(2, 0, 4)}},
     OF(concat),
     DB_POLYNOMIAL},
    {"concat: long",
     3,
     {{DB_F(50, 3, 400)}, {DB_F(50, 1, 400)}, {DB_F(50, 2, 400)}},
     OF(concat),
     DB_POLYNOMIAL},
    {"stack", 2, {{DB_F(3, 4)}, {DB_F(3, 4)}}, OF(stack), DB_POLYNOMIAL},
    {"stack: no entries", 2, {{DB_F(3, 0)}, {DB_F(3, 0)}}, OF(stack), DB_POLYNOMIAL},
    {"stack: scalars",
     3,
     {{DB_SCALAR}, {DB_SCALAR}, {DB_SCALAR}},
     OF(stack_scalars),
     DB_POLYNOMIAL},
    {"gather", 2, {{DB_F(2, 4, 3)}, {DB_I(3, 3, 2)}}, OF(gather), DB_POLYNOMIAL},
    {"gather: no index", 2, {{DB_F(2, 4, 3)}, {DB_I(3, 0, 2)}}, OF(gather), DB_POLYNOMIAL},
    {"gather: nothing from nothing",
     2,
     {{DB_F(2, 0, 3)}, {DB_I(3, 0, 2)}},
     OF(gather),
     DB_POLYNOMIAL},
    {"gather: long", 2, {{DB_F(50, 4, 90)}, {DB_I(3, 10, 2)}}, OF(gather), DB_POLYNOMIAL},
    {"gather: a scalar index", 2, {{DB_F(3, 4)}, {DB_I(3)}}, OF(gather_one), DB_POLYNOMIAL},
    {"one_hot", 1, {{DB_I(3, 2, 3)}}, OF(one_hot), DB_NOT_DIFFERENTIABLE},
    {"one_hot: scalar", 1, {{DB_I(3)}}, OF(one_hot), DB_NOT_DIFFERENTIABLE},
    {"one_hot: no entries", 1, {{DB_I(3, 0)}}, OF(one_hot), DB_NOT_DIFFERENTIABLE},
    INTEGERS(transpose, (2, 3, 4)),
    INTEGERS(slice, (2, 4, 3)),
    INTEGERS(flip, (2, 4, 3)),
    INTEGERS(reshape, (2, 6)),
    INTEGERS(broadcast, (1, 4)),
};
DB_ROWS(shape, rows)

/* Rows of the dense layers: products, convolution, softmax, layer norm. */
#include "support/database.h"
#include <math.h>

/* ---- products ----------------------------------------------------------------------------------
 */

typedef struct {
    const db_array *x;
    db_array batch; /* the axes before the last two, without data */
    int64_t rows, columns;
    bool transposed;
} matrices;

/* A vector is a row on the left and a column on the right. */
static matrices matrices_of(const db_array *x, bool transposed, bool left)
{
    matrices m = {.x = x, .transposed = transposed && x->rank > 1};
    const int64_t *last = x->shape + x->rank - 1;
    db_shape(&m.batch, x->rank > 2 ? x->rank - 2 : 0, x->shape);
    m.rows = x->rank > 1 ? last[-1] : left ? 1 : *last;
    m.columns = x->rank == 1 && !left ? 1 : *last;
    return m;
}

/* Entry [i, j] of the matrix that belongs to item `item` of the broadcast batch. */
static double entry(const matrices *m, const db_array *batch, int64_t item, int64_t i, int64_t j)
{
    db_array own = m->batch;
    own.data = m->x->data;
    int64_t matrix = db_at(&own, batch, item) - own.data;
    int64_t row = m->transposed ? j : i, column = m->transposed ? i : j;
    return m->x->data[(matrix * m->rows + row) * m->columns + column];
}

static void multiply(const db_array *x, bool transpose_a, bool transpose_b, db_array *y)
{
    matrices a = matrices_of(&x[0], transpose_a, true), b = matrices_of(&x[1], transpose_b, false);
    db_array batch = {0};
    db_broadcast(&batch, 2, (const db_array[]){a.batch, b.batch});
    int64_t m = a.transposed ? a.columns : a.rows, k = a.transposed ? a.rows : a.columns;
    int64_t n = b.transposed ? b.rows : b.columns, shape[SIGAD_MAX_RANK];
    int rank = batch.rank;
    for (int i = 0; i < rank; i++) shape[i] = batch.shape[i];
    if (x[0].rank > 1) shape[rank++] = m;
    if (x[1].rank > 1) shape[rank++] = n;
    if (!db_shape(y, rank, shape)) return;
    for (int64_t e = 0; e < y->elements; e++) {
        int64_t item = e / (m * n), i = e / n % m, j = e % n;
        double sum = 0;
        for (int64_t q = 0; q < k; q++)
            sum += entry(&a, &batch, item, i, q) * entry(&b, &batch, item, q, j);
        y->data[e] = sum;
    }
}

#define MATMUL(name, transpose_a, transpose_b)                                      \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x)       \
    {                                                                               \
        return sigad_matmul_transposed(tape, x[0], transpose_a, x[1], transpose_b); \
    }                                                                               \
    static void name(const db_array *x, db_array *y)                                \
    {                                                                               \
        multiply(x, transpose_a, transpose_b, y);                                   \
    }
MATMUL(product_tn, 1, 0)
MATMUL(product_nt, 0, 1)
MATMUL(product_tt, 1, 1)

static sigad_tensor apply_matmul(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_matmul(tape, x[0], x[1]);
}

static void matmul(const db_array *x, db_array *y)
{
    multiply(x, false, false, y);
}

/* ---- layers
 * -------------------------------------------------------------------------------------- */

static sigad_tensor apply_linear(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_linear(tape, x[0], x[1], x[2]);
}

static void linear(const db_array *x, db_array *y)
{
    int64_t in = x[1].shape[0], out = x[1].shape[1], shape[SIGAD_MAX_RANK];
    for (int i = 0; i < x[0].rank; i++) shape[i] = x[0].shape[i];
    shape[x[0].rank - 1] = out;
    if (!db_shape(y, x[0].rank, shape)) return;
    for (int64_t e = 0; e < y->elements; e++) {
        int64_t row = e / out, j = e % out;
        y->data[e] = x[2].data[j];
        for (int64_t i = 0; i < in; i++)
            y->data[e] += x[0].data[row * in + i] * x[1].data[i * out + j];
    }
}

static sigad_tensor apply_conv1d(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_conv1d(tape, x[0], x[1]);
}

static void conv1d(const db_array *x, db_array *y)
{
    int rank = x[0].rank;
    int64_t width = x[1].shape[0], in = x[1].shape[1], out = x[1].shape[2];
    int64_t length = x[0].shape[rank - 2], steps = length - width + 1, shape[SIGAD_MAX_RANK];
    for (int i = 0; i < rank; i++) shape[i] = x[0].shape[i];
    shape[rank - 2] = steps;
    shape[rank - 1] = out;
    if (!db_shape(y, rank, shape)) return;
    for (int64_t e = 0; e < y->elements; e++) {
        int64_t item = e / (steps * out), t = e / out % steps, o = e % out;
        double sum = 0;
        for (int64_t s = 0; s < width; s++)
            for (int64_t i = 0; i < in; i++)
                sum +=
                    x[0].data[(item * length + t + s) * in + i] * x[1].data[(s * in + i) * out + o];
        y->data[e] = sum;
    }
}

/* The entries that share all indices with entry e but that of `axis`: their count, the first, and
 * how far they lie apart. */
typedef struct {
    int64_t count, first, step;
} line;

static line line_of(const db_array *x, int axis, int64_t e)
{
    line l = {x->shape[axis], e, 1};
    for (int i = axis + 1; i < x->rank; i++) l.step *= x->shape[i];
    l.first -= e / l.step % l.count * l.step;
    return l;
}

static void softmax_along(const db_array *x, int axis, bool logarithm, db_array *y)
{
    if (!db_like(y, x)) return;
    for (int64_t e = 0; e < y->elements; e++) {
        line l = line_of(x, axis, e);
        double most = x->data[e], sum = 0;
        for (int64_t i = 0; i < l.count; i++) most = fmax(most, x->data[l.first + i * l.step]);
        for (int64_t i = 0; i < l.count; i++) sum += exp(x->data[l.first + i * l.step] - most);
        double logit = x->data[e] - most;
        y->data[e] = logarithm ? logit - log(sum) : exp(logit) / sum;
    }
}

#define SOFTMAX(name, function, axis, logarithm)                              \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                         \
        return function(tape, x[0], axis);                                    \
    }                                                                         \
    static void name(const db_array *x, db_array *y)                          \
    {                                                                         \
        softmax_along(x, axis < 0 ? x->rank + axis : axis, logarithm, y);     \
    }
SOFTMAX(softmax, sigad_softmax, -1, false)
SOFTMAX(softmax_1, sigad_softmax, 1, false)
SOFTMAX(log_softmax, sigad_log_softmax, -1, true)
SOFTMAX(log_softmax_1, sigad_log_softmax, 1, true)

static const double epsilon = 0.01;

static sigad_tensor apply_layer_norm(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_layer_norm(tape, x[0], x[1], x[2], epsilon);
}

static void layer_norm(const db_array *x, db_array *y)
{
    if (!db_like(y, x)) return;
    for (int64_t e = 0; e < y->elements; e++) {
        line l = line_of(x, x->rank - 1, e);
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < l.count; i++) mean += x->data[l.first + i] / (double)l.count;
        for (int64_t i = 0; i < l.count; i++)
            variance += pow(x->data[l.first + i] - mean, 2) / (double)l.count;
        int64_t i = e - l.first;
        y->data[e] = (x->data[e] - mean) / sqrt(variance + epsilon) * x[1].data[i] + x[2].data[i];
    }
}

/* 129 rows and 257 columns are one more than the blocks that products are cut into. */
static const db_row rows[] = {
    {"matmul: matrices", 2, {{DB_F(3, 4)}, {DB_F(4, 2)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: one square matrix twice",
     2,
     {{DB_F(3, 3)}, {DB_F(3, 3)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: more rows than a block",
     2,
     {{DB_F(129, 3)}, {DB_F(3, 2)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: more columns than a block",
     2,
     {{DB_F(2, 3)}, {DB_F(3, 257)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: row by matrix", 2, {{DB_F(4)}, {DB_F(4, 3)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: matrix by column", 2, {{DB_F(3, 4)}, {DB_F(4)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: vectors", 2, {{DB_F(5)}, {DB_F(5)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: batches", 2, {{DB_F(2, 3, 4)}, {DB_F(2, 4, 5)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: batch by matrix",
     2,
     {{DB_F(2, 2, 3, 4)}, {DB_F(4, 2)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: matrix by batch",
     2,
     {{DB_F(3, 4)}, {DB_F(2, 2, 4, 2)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: both broadcast",
     2,
     {{DB_F(3, 1, 2, 4)}, {DB_F(2, 4, 3)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: row by batch", 2, {{DB_F(4)}, {DB_F(3, 4, 2)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: batch by column",
     2,
     {{DB_F(3, 2, 4)}, {DB_F(4)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: sizes of one",
     2,
     {{DB_F(1, 1, 1)}, {DB_F(1, 1)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: an empty sum",
     2,
     {{DB_F(2, 3, 0)}, {DB_F(0, 2)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: no rows", 2, {{DB_F(0, 3)}, {DB_F(3, 2)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: no columns", 2, {{DB_F(2, 3)}, {DB_F(3, 0)}}, apply_matmul, matmul, DB_POLYNOMIAL},
    {"matmul: an empty batch",
     2,
     {{DB_F(3, 0, 2, 3)}, {DB_F(3, 2)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: a batch broadcast to none",
     2,
     {{DB_F(1, 2, 3)}, {DB_F(2, 0, 3, 2)}},
     apply_matmul,
     matmul,
     DB_POLYNOMIAL},
    {"matmul: first transposed",
     2,
     {{DB_F(4, 3)}, {DB_F(4, 2)}},
     apply_product_tn,
     product_tn,
     DB_POLYNOMIAL},
    {"matmul: second transposed",
     2,
     {{DB_F(3, 4)}, {DB_F(2, 4)}},
     apply_product_nt,
     product_nt,
     DB_POLYNOMIAL},
    {"matmul: both transposed",
     2,
     {{DB_F(4, 3)}, {DB_F(2, 4)}},
     apply_product_tt,
     product_tt,
     DB_POLYNOMIAL},
    {"matmul: first transposed, batches",
     2,
     {{DB_F(2, 4, 3)}, {DB_F(4, 2)}},
     apply_product_tn,
     product_tn,
     DB_POLYNOMIAL},
    {"matmul: second transposed, batches",
     2,
     {{DB_F(3, 4)}, {DB_F(2, 2, 4)}},
     apply_product_nt,
     product_nt,
     DB_POLYNOMIAL},
    {"matmul: both transposed, batches",
     2,
     {{DB_F(2, 1, 4, 3)}, {DB_F(3, 2, 4)}},
     apply_product_tt,
     product_tt,
     DB_POLYNOMIAL},
    {"matmul: vectors are not transposed",
     2,
     {{DB_F(4)}, {DB_F(2, 4)}},
     apply_product_tt,
     product_tt,
     DB_POLYNOMIAL},

    {"linear: rows",
     3,
     {{DB_F(3, 4)}, {DB_F(4, 2)}, {DB_F(2)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: a vector",
     3,
     {{DB_F(4)}, {DB_F(4, 2)}, {DB_F(2)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: leading axes",
     3,
     {{DB_F(2, 3, 2)}, {DB_F(2, 5)}, {DB_F(5)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: more rows than a block",
     3,
     {{DB_F(130, 2)}, {DB_F(2, 3)}, {DB_F(3)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: one output",
     3,
     {{DB_F(5, 3)}, {DB_F(3, 1)}, {DB_F(1)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: no rows",
     3,
     {{DB_F(0, 3)}, {DB_F(3, 2)}, {DB_F(2)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: nothing comes in",
     3,
     {{DB_F(3, 0)}, {DB_F(0, 2)}, {DB_F(2)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},
    {"linear: nothing goes out",
     3,
     {{DB_F(3, 2)}, {DB_F(2, 0)}, {DB_F(0)}},
     apply_linear,
     linear,
     DB_POLYNOMIAL},

    {"conv1d: one series", 2, {{DB_F(7, 2)}, {DB_F(3, 2, 4)}}, apply_conv1d, conv1d, DB_POLYNOMIAL},
    {"conv1d: batch",
     2,
     {{DB_F(2, 2, 6, 2)}, {DB_F(2, 2, 3)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},
    {"conv1d: width one",
     2,
     {{DB_F(2, 5, 2)}, {DB_F(1, 2, 3)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},
    {"conv1d: as wide as long",
     2,
     {{DB_F(2, 4, 2)}, {DB_F(4, 2, 3)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},
    {"conv1d: fewer steps than width",
     2,
     {{DB_F(2, 6, 2)}, {DB_F(5, 2, 3)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},
    {"conv1d: one channel",
     2,
     {{DB_F(9, 1)}, {DB_F(3, 1, 1)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},
    {"conv1d: an empty batch",
     2,
     {{DB_F(0, 5, 2)}, {DB_F(3, 2, 4)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},
    {"conv1d: no channels",
     2,
     {{DB_F(2, 5, 0)}, {DB_F(3, 0, 4)}},
     apply_conv1d,
     conv1d,
     DB_POLYNOMIAL},

    {"softmax: last axis", 1, {{DB_F(3, 5)}}, apply_softmax, softmax},
    {"softmax: middle axis", 1, {{DB_F(2, 4, 3)}}, apply_softmax_1, softmax_1},
    {"softmax: one class", 1, {{DB_F(3, 1)}}, apply_softmax, softmax},
    {"softmax: no rows", 1, {{DB_F(0, 3)}}, apply_softmax, softmax},
    {"softmax: no classes", 1, {{DB_F(3, 0)}}, apply_softmax, softmax},
    {"log_softmax: last axis", 1, {{DB_F(3, 5)}}, apply_log_softmax, log_softmax},
    {"log_softmax: middle axis", 1, {{DB_F(2, 4, 3)}}, apply_log_softmax_1, log_softmax_1},
    {"log_softmax: one class", 1, {{DB_F(3, 1)}}, apply_log_softmax, log_softmax},
    {"log_softmax: no classes", 1, {{DB_F(3, 0)}}, apply_log_softmax, log_softmax},

    {"layer_norm: rows", 3, {{DB_F(3, 5)}, {DB_F(5)}, {DB_F(5)}}, apply_layer_norm, layer_norm},
    {"layer_norm: a vector", 3, {{DB_F(4)}, {DB_F(4)}, {DB_F(4)}}, apply_layer_norm, layer_norm},
    {"layer_norm: long rows",
     3,
     {{DB_F(2, 37)}, {DB_F(37)}, {DB_F(37)}},
     apply_layer_norm,
     layer_norm},
    {"layer_norm: leading axes",
     3,
     {{DB_F(2, 3, 4)}, {DB_F(4)}, {DB_F(4)}},
     apply_layer_norm,
     layer_norm},
    {"layer_norm: one entry",
     3,
     {{DB_F(3, 1)}, {DB_F(1)}, {DB_F(1)}},
     apply_layer_norm,
     layer_norm},
    {"layer_norm: no rows", 3, {{DB_F(0, 4)}, {DB_F(4)}, {DB_F(4)}}, apply_layer_norm, layer_norm},
    {"layer_norm: empty rows",
     3,
     {{DB_F(3, 0)}, {DB_F(0)}, {DB_F(0)}},
     apply_layer_norm,
     layer_norm},
};
DB_ROWS(layers, rows)

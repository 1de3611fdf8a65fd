/* Rows of the losses. */
#include "support/database.h"
#include <math.h>

typedef double (*element_loss)(double p, double t);

static void mean_of(element_loss loss, const db_array *x, db_array *y)
{
    if (!db_shape(y, 0, NULL)) return;
    y->data[0] = 0;
    for (int64_t i = 0; i < x->elements; i++)
        y->data[0] += loss(x[0].data[i], x[1].data[i]) / (double)x->elements;
}

static double squared(double p, double t)
{
    return (p - t) * (p - t);
}

static const double delta = 1;

static double huber_of(double p, double t)
{
    double d = fabs(p - t);
    return d <= delta ? d * d / 2 : delta * (d - delta / 2);
}

static double absolute(double p, double t)
{
    return fabs(p - t);
}

static double cross(double p, double t)
{
    return -t * log(1 / (1 + exp(-p))) - (1 - t) * log(1 / (1 + exp(p)));
}

#define LOSS(name, call, element)                                             \
    static sigad_tensor apply_##name(sigad_tape *tape, const sigad_tensor *x) \
    {                                                                         \
        return call;                                                          \
    }                                                                         \
    static void name(const db_array *x, db_array *y)                          \
    {                                                                         \
        mean_of(element, x, y);                                               \
    }
LOSS(mse, sigad_mse(tape, x[0], x[1]), squared)
LOSS(mae, sigad_mae(tape, x[0], x[1]), absolute)
LOSS(huber, sigad_huber(tape, x[0], x[1], delta), huber_of)
LOSS(binary_cross_entropy, sigad_binary_cross_entropy(tape, x[0], x[1]), cross)

static void mean_over_rows(const db_array *x, bool normalise, db_array *y)
{
    int64_t classes = x[0].shape[x[0].rank - 1], rows = x[1].elements;
    if (!db_shape(y, 0, NULL)) return;
    y->data[0] = 0;
    for (int64_t r = 0; r < rows; r++) {
        const double *row = x[0].data + r * classes;
        double most = row[0], sum = 0;
        for (int64_t i = 1; i < classes; i++) most = fmax(most, row[i]);
        for (int64_t i = 0; i < classes; i++) sum += exp(row[i] - most);
        double whole = normalise ? most + log(sum) : 0;
        y->data[0] += (whole - row[(int64_t)x[1].data[r]]) / (double)rows;
    }
}

static sigad_tensor apply_cross_entropy(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_cross_entropy(tape, x[0], x[1]);
}

static void cross_entropy(const db_array *x, db_array *y)
{
    mean_over_rows(x, true, y);
}

static sigad_tensor apply_nll_loss(sigad_tape *tape, const sigad_tensor *x)
{
    return sigad_nll_loss(tape, x[0], x[1]);
}

static void nll_loss(const db_array *x, db_array *y)
{
    mean_over_rows(x, false, y);
}

#define TWO(...)        \
    2,                  \
    {                   \
        {__VA_ARGS__},  \
        {               \
            __VA_ARGS__ \
        }               \
    }
static const db_row rows[] = {
    {"mse: matrix", TWO(DB_F(3, 4)), apply_mse, mse, DB_POLYNOMIAL},
    {"mse: scalars", TWO(DB_SCALAR), apply_mse, mse, DB_POLYNOMIAL},
    {"mse: long", TWO(DB_F(700)), apply_mse, mse, DB_POLYNOMIAL},
    {"mae: matrix", TWO(DB_F(3, 4)), apply_mae, mae, DB_KINKS},
    {"mae: one element", TWO(DB_F(1, 1)), apply_mae, mae, DB_KINKS},
    {"huber: within delta", TWO(DB_F(3, 4), .low = -0.4, .high = 0.4), apply_huber, huber},
    {"huber: beyond delta",
     2,
     {{DB_F(3, 4), .low = 2, .high = 3}, {DB_F(3, 4)}},
     apply_huber,
     huber},
    {"huber: beyond -delta",
     2,
     {{DB_F(3, 4), .low = -3, .high = -2.2}, {DB_F(3, 4)}},
     apply_huber,
     huber},
    {"binary_cross_entropy: matrix",
     2,
     {{DB_F(3, 4), .low = -4, .high = 4}, {DB_F(3, 4), .low = 0, .high = 1}},
     apply_binary_cross_entropy,
     binary_cross_entropy},
    {"binary_cross_entropy: scalars", TWO(DB_SCALAR), apply_binary_cross_entropy,
     binary_cross_entropy},

    {"cross_entropy: rows", 2, {{DB_F(6, 4)}, {DB_I(3, 6)}}, apply_cross_entropy, cross_entropy},
    {"cross_entropy: one row", 2, {{DB_F(5)}, {DB_I(4)}}, apply_cross_entropy, cross_entropy},
    {"cross_entropy: leading axes",
     2,
     {{DB_F(2, 3, 4), .low = -5, .high = 5}, {DB_I(3, 2, 3)}},
     apply_cross_entropy,
     cross_entropy},
    {"cross_entropy: one class",
     2,
     {{DB_F(4, 1)}, {DB_I(0, 4)}},
     apply_cross_entropy,
     cross_entropy},
    {"nll_loss: rows", 2, {{DB_F(6, 4)}, {DB_I(3, 6)}}, apply_nll_loss, nll_loss},
    {"nll_loss: leading axes", 2, {{DB_F(2, 3, 4)}, {DB_I(3, 2, 3)}}, apply_nll_loss, nll_loss},
};
DB_ROWS(losses, rows)

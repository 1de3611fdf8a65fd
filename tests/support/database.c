#include "support/database.h"
#include "core/random.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const db_family *db_families;
int32_t db_device = SIGAD_CPU;

void db_register(db_family *family)
{
    family->next = db_families;
    db_families = family;
}

/* ---- references ----------------------------------------------------------------------------- */

bool db_shape(db_array *y, int rank, const int64_t *shape)
{
    y->rank = rank;
    y->elements = 1;
    for (int i = 0; i < rank; i++) y->elements *= y->shape[i] = shape[i];
    return y->data != NULL;
}

bool db_like(db_array *y, const db_array *x)
{
    return db_shape(y, x->rank, x->shape);
}

bool db_broadcast(db_array *y, int n, const db_array *x)
{
    int64_t shape[SIGAD_MAX_RANK];
    int rank = 0;
    for (int k = 0; k < n; k++)
        if (x[k].rank > rank) rank = x[k].rank;
    for (int i = 0; i < rank; i++) {
        shape[i] = 1;
        for (int k = 0; k < n; k++) {
            int axis = i - (rank - x[k].rank);
            if (axis >= 0 && x[k].shape[axis] != 1) shape[i] = x[k].shape[axis];
        }
    }
    return db_shape(y, rank, shape);
}

bool db_reduced(db_array *y, const db_array *x, int axis, bool keep)
{
    int64_t shape[SIGAD_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        bool reduced = axis == SIGAD_ALL || axis == i;
        if (!reduced || keep) shape[rank++] = reduced ? 1 : x->shape[i];
    }
    return db_shape(y, rank, shape);
}

void db_unravel(const db_array *x, int64_t i, int64_t *index)
{
    for (int axis = x->rank - 1; axis >= 0; axis--) {
        index[axis] = i % x->shape[axis];
        i /= x->shape[axis];
    }
}

int64_t db_ravel(const db_array *x, const int64_t *index)
{
    int64_t i = 0;
    for (int axis = 0; axis < x->rank; axis++) i = i * x->shape[axis] + index[axis];
    return i;
}

double *db_at(const db_array *x, const db_array *y, int64_t i)
{
    int64_t index[SIGAD_MAX_RANK], *own = index + (y->rank - x->rank);
    db_unravel(y, i, index);
    for (int axis = 0; axis < x->rank; axis++)
        if (x->shape[axis] == 1) own[axis] = 0;
    return &x->data[db_ravel(x, own)];
}

/* ---- entries -------------------------------------------------------------------------------- */

double db_entry(int32_t dtype, const void *bytes, int64_t i)
{
    return dtype == SIGAD_F32   ? (double)((const float *)bytes)[i]
           : dtype == SIGAD_F64 ? ((const double *)bytes)[i]
                                : (double)((const int64_t *)bytes)[i];
}

void db_store(int32_t dtype, void *bytes, int64_t i, double value)
{
    if (dtype == SIGAD_F32)
        ((float *)bytes)[i] = (float)value;
    else if (dtype == SIGAD_F64)
        ((double *)bytes)[i] = value;
    else
        ((int64_t *)bytes)[i] = (int64_t)value;
}

size_t db_bytes(int32_t dtype, int64_t elements)
{
    return (size_t)elements * (dtype == SIGAD_F32 ? 4 : 8);
}

db_array db_read(sigad_tape *tape, sigad_tensor x)
{
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    db_array array = {0};
    if (sigad_describe(tape, x, &info)) return array;
    const size_t bytes = db_bytes(info.dtype, info.elements);
    void *data = malloc(bytes + 1);
    sigad_read(tape, x, data, bytes);
    array.data = malloc((size_t)info.elements * sizeof(double) + 1);
    db_shape(&array, info.rank, info.shape);
    for (int64_t i = 0; i < info.elements; i++) array.data[i] = db_entry(info.dtype, data, i);
    free(data);
    return array;
}

uint64_t db_key(const db_case *c, uint64_t stream)
{
    return sg_random_key(sg_random_key_text(c->seed, c->row->name), stream);
}

double db_uniform(uint64_t key, int64_t i)
{
    return (double)(float)(2 * sg_random_uniform(key, (uint64_t)i) - 1);
}

/* ---- a case --------------------------------------------------------------------------------- */

static bool is_integer(const db_case *c, int input)
{
    return c->row->x[input].dtype == SIGAD_I64;
}

static int32_t dtype_of(const db_case *c, int input)
{
    return is_integer(c, input) ? SIGAD_I64 : c->dtype;
}

bool db_differentiable(const db_case *c, int input)
{
    return !is_integer(c, input) && !(c->row->flags & DB_NOT_DIFFERENTIABLE);
}

static void draw_uniform(const db_case *c, int input)
{
    double low = c->row->x[input].low, high = c->row->x[input].high;
    uint64_t key = db_key(c, (uint64_t)input);
    bool unset = low == 0 && high == 0 && !is_integer(c, input);
    if (unset) low = -1, high = 1;
    for (int64_t i = 0; i < c->x[input].elements; i++) {
        double u = sg_random_uniform(key, (uint64_t)i);
        c->x[input].data[i] = is_integer(c, input) ? floor(low + (high + 1 - low) * u)
                                                   : (double)(float)(low + (high - low) * u);
    }
}

/* All floating entries together are a permutation of odd multiples of 0.1, each moved a little. */
static void draw_apart(const db_case *c)
{
    int64_t total = 0, taken = 0;
    for (int k = 0; k < c->row->n; k++) total += is_integer(c, k) ? 0 : c->x[k].elements;
    uint64_t key = db_key(c, 1001);
    int64_t *place = malloc((size_t)total * sizeof *place + 1);
    sg_random_permutation(db_key(c, 1000), total, place);
    for (int k = 0; k < c->row->n; k++)
        for (int64_t i = 0; !is_integer(c, k) && i < c->x[k].elements; i++) {
            double odd = (double)(2 * (place[taken++] - total / 2) + 1);
            c->x[k].data[i] = (double)(float)(0.1 * odd + 0.04 * db_uniform(key, taken));
        }
    free(place);
}

static void draw(db_case *c)
{
    for (int k = 0; k < c->row->n; k++) {
        const db_input *spec = &c->row->x[k];
        db_shape(&c->x[k], spec->rank, spec->shape);
        c->x[k].data = malloc((size_t)c->x[k].elements * sizeof(double) + 1);
        c->bytes[k] = malloc((size_t)c->x[k].elements * sizeof(double) + 1);
        draw_uniform(c, k);
    }
    if (c->row->flags & DB_KINKS) draw_apart(c);
    for (int k = 0; k < c->row->n; k++) db_move(c, k, 0, NULL);
}

void db_move(db_case *c, int input, double step, const double *direction)
{
    for (int64_t i = 0; i < c->x[input].elements; i++)
        db_store(dtype_of(c, input), c->bytes[input], i,
                 c->x[input].data[i] + (direction ? step * direction[i] : 0));
}

const char *db_name(const db_case *c)
{
    static char text[512];
    snprintf(text, sizeof text, "%s/%s, %s (again: SIGAD_TEST_ROW='%s/%s' SIGAD_TEST_SEED=%llu)",
             c->family->name, c->row->name, c->dtype == SIGAD_F32 ? "float32" : "float64",
             c->family->name, c->row->name, (unsigned long long)c->seed);
    return text;
}

bool db_open(db_case *c, const db_family *family, const db_row *row, int32_t dtype, int threads)
{
    const char *seed = getenv("SIGAD_TEST_SEED");
    sigad_context_options options = {SIGAD_CONTEXT_OPTIONS_INIT, .device = db_device,
                                     .threads = threads};
    *c = (db_case){.family = family, .row = row, .dtype = dtype};
    c->seed = seed ? strtoull(seed, NULL, 10) : 1;
    options.seed = c->seed;
    draw(c);
    if (!sigad_context_create(&options, &c->context)) sigad_tape_create(c->context, &c->tape);
    for (int k = 0; k < row->n; k++) {
        c->input[k] = sigad_input(c->tape, (sigad_dtype)dtype_of(c, k), c->x[k].rank, c->x[k].shape,
                                  c->bytes[k]);
        if (db_differentiable(c, k)) sigad_watch(c->tape, c->input[k]);
    }
    c->y = row->apply(c->tape, c->input);
    cr_expect_eq(sigad_context_status(c->context), SIGAD_OK, "%s: %s", db_name(c),
                 sigad_context_message(c->context));
    return !sigad_context_status(c->context);
}

void db_close(db_case *c)
{
    sigad_context_destroy(c->context);
    for (int k = 0; k < c->row->n; k++) {
        free(c->x[k].data);
        free(c->bytes[k]);
    }
}

/* ---- differences ---------------------------------------------------------------------------- */

enum { LEVELS = 3 };

bool db_differentiate(int64_t n, double first_step, double rounding, db_sample sample, void *user,
                      double *derivative, double *bound)
{
    size_t row = (size_t)n + 1;
    double *work = calloc((2 + LEVELS) * row, sizeof *work);
    double *ahead = work, *behind = work + row, *level[LEVELS];
    double step = first_step;
    bool good = true;
    for (int k = 0; k < LEVELS && good; k++, step /= 2) {
        level[k] = work + (size_t)(2 + k) * row;
        good = sample(user, step, ahead) && sample(user, -step, behind);
        for (int64_t i = 0; i < n && good; i++) level[k][i] = (ahead[i] - behind[i]) / (2 * step);
    }
    for (int64_t i = 0; i < n && good; i++) {
        double coarse = (4 * level[1][i] - level[0][i]) / 3;
        double fine = (4 * level[2][i] - level[1][i]) / 3;
        derivative[i] = (16 * fine - coarse) / 15;
        bound[i] = fabs(derivative[i] - fine) + rounding / (2 * step);
    }
    free(work);
    return good;
}

/* What holds for every operation, for all rows of the operation database. Derivatives are compared
 * with differences in test_derivatives.c. */
#include "support/database_check.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- value ---------------------------------------------------------------------------------- */

static void value_is_the_reference(db_case *c)
{
    double rtol = c->row->rtol > 0 ? c->row->rtol : 1e-12;
    db_array expected = {0}, got = db_read(c->tape, c->y);
    c->row->reference(c->x, &expected);
    expected.data = malloc((size_t)expected.elements * sizeof(double) + 1);
    c->row->reference(c->x, &expected);
    db_expect_close(c, "value", &got, &expected, rtol);
    free(expected.data);
    free(got.data);
}

Test(database, value_is_the_reference)
{
    db_for_all(SIGAD_F64, DB_UNSTABLE, value_is_the_reference);
}

/* Inputs are floats, so both computations start from the same numbers. */
static void float32_is_near_float64(db_case *wide)
{
    double rtol = wide->row->rtol32 > 0 ? wide->row->rtol32 : 2e-5;
    db_case narrow;
    if (!db_open(&narrow, wide->family, wide->row, SIGAD_F32, 1)) {
        db_close(&narrow);
        return;
    }
    db_array expected = db_read(wide->tape, wide->y), got = db_read(narrow.tape, narrow.y);
    db_expect_close(&narrow, "value", &got, &expected, rtol);
    free(expected.data);
    free(got.data);
    if (db_any_differentiable(wide)) {
        sigad_backward_with(wide->tape, wide->y,
                            db_drawn_like(wide, wide->y, COTANGENT_STREAM, NULL));
        sigad_backward_with(narrow.tape, narrow.y,
                            db_drawn_like(&narrow, narrow.y, COTANGENT_STREAM, NULL));
        db_expect_ok(wide, "backward");
        db_expect_ok(&narrow, "backward");
    }
    for (int k = 0; k < wide->row->n; k++) {
        if (!db_differentiable(wide, k)) continue;
        expected = db_gradient(wide, k);
        got = db_gradient(&narrow, k);
        db_expect_close(&narrow, "gradient", &got, &expected, rtol);
        free(expected.data);
        free(got.data);
    }
    db_close(&narrow);
}

Test(database, float32_is_near_float64)
{
    db_for_all(SIGAD_F64, 0, float32_is_near_float64);
}

/* ---- adding up ------------------------------------------------------------------------------ */

static void backward_twice_is_double(db_case *c)
{
    db_array once[DB_INPUTS] = {{0}}, twice;
    sigad_tensor drawn = db_drawn_like(c, c->y, COTANGENT_STREAM, NULL);
    if (!db_any_differentiable(c)) return;
    sigad_backward_with(c->tape, c->y, drawn);
    for (int k = 0; k < c->row->n; k++)
        if (db_differentiable(c, k)) once[k] = db_gradient(c, k);
    sigad_backward_with(c->tape, c->y, drawn);
    db_expect_ok(c, "second backward");
    for (int k = 0; k < c->row->n; k++) {
        if (!db_differentiable(c, k)) continue;
        twice = db_gradient(c, k);
        for (int64_t i = 0; i < once[k].elements; i++) once[k].data[i] *= 2;
        db_expect_same_bits(c, "the gradient of two backwards", &twice, &once[k]);
        free(twice.data);
        free(once[k].data);
    }
}

Test(database, backward_twice_is_double)
{
    db_for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, backward_twice_is_double);
}

/* Each input has a later use, too, whose cotangent is there when the row's vjp is called:
 * the loss is <y_cotangent, y> + sum of <other_k, x_k>. */
static void vjp_adds_to_what_is_there(db_case *c)
{
    double *weight[DB_INPUTS + 1];
    sigad_tensor x[DB_INPUTS + 1] = {c->y};
    db_weights w;
    int n = 1;
    weight[0] = malloc((size_t)db_elements_of(c, c->y) * sizeof(double) + 1);
    sigad_tensor drawn = db_drawn_like(c, c->y, COTANGENT_STREAM, weight[0]);
    for (int k = 0; k < c->row->n; k++) {
        if (!db_differentiable(c, k)) continue;
        weight[n] = malloc((size_t)c->x[k].elements * sizeof(double) + 1);
        db_drawn_like(c, c->input[k], OTHER_STREAM + (uint64_t)k, weight[n]);
        x[n++] = c->input[k];
    }
    for (int i = 0; i < n; i++) w.weight[i] = weight[i];
    if (n > 1) {
        sigad_tensor loss = sigad_apply(c->tape, &db_contract, n, x, &w, sizeof w);
        sigad_backward(c->tape, loss);
        db_expect_ok(c, "backward");
        db_array both[DB_INPUTS] = {{0}};
        for (int k = 0; k < c->row->n; k++)
            if (db_differentiable(c, k)) both[k] = db_gradient(c, k);
        sigad_replay(c->tape);
        sigad_backward_with(c->tape, c->y, drawn);
        for (int k = 0, i = 1; k < c->row->n; k++) {
            if (!db_differentiable(c, k)) continue;
            db_array alone = db_gradient(c, k);
            for (int64_t j = 0; j < alone.elements; j++) alone.data[j] += weight[i][j];
            db_expect_close(c, "a gradient added to another", &both[k], &alone, 64 * DBL_EPSILON);
            free(alone.data);
            free(both[k].data);
            i++;
        }
    }
    for (int i = 0; i < n; i++) free(weight[i]);
}

Test(database, vjp_adds_to_what_is_there)
{
    db_for_all(SIGAD_F64, DB_NOT_DIFFERENTIABLE, vjp_adds_to_what_is_there);
}

static bool slots_agree(const db_row *row)
{
    for (int k = 1; k < row->n; k++)
        if (memcmp(&row->x[k], &row->x[0], sizeof row->x[0])) return false;
    return row->n > 1 && !row->x[0].dtype;
}

/* One tensor in all slots: the value of equal tensors, and the sum of their gradients. */
static void one_tensor_in_all_slots(db_case *c)
{
    sigad_tensor same[DB_INPUTS], equal[DB_INPUTS];
    int n = c->row->n;
    if (!slots_agree(c->row)) return;
    for (int k = 0; k < n; k++) {
        same[k] = c->input[0];
        equal[k] = sigad_watch(c->tape, sigad_input(c->tape, (sigad_dtype)c->dtype, c->x[0].rank,
                                                    c->x[0].shape, c->bytes[0]));
    }
    sigad_tensor y = c->row->apply(c->tape, same), separate = c->row->apply(c->tape, equal);
    db_array got = db_read(c->tape, y), expected = db_read(c->tape, separate);
    db_expect_same_bits(c, "the value of one tensor in all slots", &got, &expected);
    free(got.data);
    free(expected.data);
    if (!db_any_differentiable(c)) return;
    sigad_tensor drawn = db_drawn_like(c, y, COTANGENT_STREAM, NULL);
    sigad_backward_with(c->tape, y, drawn);
    sigad_backward_with(c->tape, separate, drawn);
    if (!db_expect_ok(c, "backward")) return;
    got = db_gradient(c, 0);
    expected = db_read(c->tape, sigad_gradient(c->tape, equal[0]));
    double size = db_largest(&expected);
    for (int k = 1; k < n; k++) {
        db_array more = db_read(c->tape, sigad_gradient(c->tape, equal[k]));
        for (int64_t i = 0; i < more.elements; i++) expected.data[i] += more.data[i];
        size += db_largest(&more);
        free(more.data);
    }
    for (int64_t i = 0; i < got.elements; i++)
        cr_expect(db_same_number(got.data[i], expected.data[i], 64 * DBL_EPSILON * size),
                  "%s: gradient[%lld] of one tensor in all slots is %.17g, expected %.17g",
                  db_name(c), (long long)i, got.data[i], expected.data[i]);
    free(got.data);
    free(expected.data);
}

Test(database, one_tensor_in_all_slots)
{
    db_for_all(SIGAD_F64, 0, one_tensor_in_all_slots);
}

/* ---- the same bits -------------------------------------------------------------------------- */

/* Value, gradients and tangent of a case, one after the other. */
static db_array all_results(db_case *c)
{
    db_array part[DB_INPUTS + 2], all = {0};
    sigad_tensor x[DB_INPUTS], tangent[DB_INPUTS];
    double *entries[DB_INPUTS];
    int parts = 0;
    part[parts++] = db_read(c->tape, c->y);
    if (db_any_differentiable(c)) {
        int n = db_directions(c, DIRECTION_STREAM, x, tangent, entries);
        sigad_backward_with(c->tape, c->y, db_drawn_like(c, c->y, COTANGENT_STREAM, NULL));
        part[parts++] = db_read(c->tape, sigad_jvp(c->tape, c->y, n, x, tangent));
        for (int k = 0; k < c->row->n; k++) {
            if (db_differentiable(c, k)) part[parts++] = db_gradient(c, k);
            free(entries[k]);
        }
        db_expect_ok(c, "sweeps");
    }
    for (int i = 0; i < parts; i++) all.elements += part[i].elements;
    all.data = malloc((size_t)all.elements * sizeof *all.data + 1);
    int64_t used = 0;
    for (int i = 0; i < parts; i++) {
        for (int64_t j = 0; j < part[i].elements; j++) all.data[used++] = part[i].data[j];
        free(part[i].data);
    }
    return all;
}

static void threads_change_no_bit(db_case *c)
{
    static const int threads[] = {8, 2, 3};
    size_t counts = c->dtype == SIGAD_F64 ? 3 : 1;
    db_array expected = all_results(c);
    for (size_t t = 0; t < counts; t++) {
        db_case other;
        if (db_open(&other, c->family, c->row, c->dtype, threads[t])) {
            db_array got = all_results(&other);
            db_expect_same_bits(&other, "another number of threads", &got, &expected);
            free(got.data);
        }
        db_close(&other);
    }
    free(expected.data);
}

Test(database, threads_change_no_bit)
{
    db_for_all(SIGAD_F64, 0, threads_change_no_bit);
    db_for_all(SIGAD_F32, 0, threads_change_no_bit);
}

/* Replays with other entries, then with the first ones again, from another place. */
static void replay_repeats_the_bits(db_case *c)
{
    db_array before = all_results(c);
    void *copy[DB_INPUTS];
    for (int k = 0; k < c->row->n; k++) {
        size_t bytes = db_bytes(c->row->x[k].dtype ? SIGAD_I64 : c->dtype, c->x[k].elements);
        copy[k] = malloc(bytes + 1);
        memcpy(copy[k], c->bytes[k], bytes);
        if (!c->row->x[k].dtype) memset(c->bytes[k], 0, bytes);
    }
    if (!(c->row->flags & DB_KINKS)) sigad_replay(c->tape);
    for (int k = 0; k < c->row->n; k++) sigad_input_bind(c->tape, c->input[k], copy[k]);
    sigad_replay(c->tape);
    if (db_expect_ok(c, "replay")) {
        db_array after = all_results(c);
        db_expect_same_bits(c, "replay", &after, &before);
        free(after.data);
    }
    free(before.data);
    for (int k = 0; k < c->row->n; k++) free(copy[k]);
}

Test(database, replay_repeats_the_bits)
{
    db_for_all(SIGAD_F64, 0, replay_repeats_the_bits);
}

/* ---- misuse --------------------------------------------------------------------------------- */

static void expect_poison(const db_case *c, const char *what, sigad_tensor y)
{
    cr_expect_eq(y.generation, 0, "%s: %s: the result is not the zero tensor", db_name(c), what);
}

static void poison_goes_through(db_case *c)
{
    for (int k = 0; k < c->row->n; k++) {
        sigad_tensor x[DB_INPUTS];
        memcpy(x, c->input, sizeof x);
        x[k] = (sigad_tensor){0, 0};
        expect_poison(c, "poison in", c->row->apply(c->tape, x));
        db_expect_error(c, "poison in", SIGAD_EINVAL);
    }
    expect_poison(c, "NULL tape", c->row->apply(NULL, c->input));
    sigad_tensor_info info = {SIGAD_TENSOR_INFO_INIT};
    sigad_describe(c->tape, (sigad_tensor){0, 0}, &info);
    sigad_status held = sigad_context_status(c->context);
    expect_poison(c, "while an error is held", c->row->apply(c->tape, c->input));
    db_expect_error(c, "while an error is held", held);
}

Test(database, poison_goes_through)
{
    db_for_all(SIGAD_F64, 0, poison_goes_through);
}

/* Among several operands, one of a dtype that does not fit. */
static void mixed_dtypes_are_refused(db_case *c)
{
    int floating = 0;
    for (int k = 0; k < c->row->n; k++) floating += c->row->x[k].dtype == 0;
    for (int k = 0; k < c->row->n && c->row->n > 1; k++) {
        bool integer = c->row->x[k].dtype == SIGAD_I64;
        sigad_tensor x[DB_INPUTS];
        if (!integer && floating < 2) continue;
        memcpy(x, c->input, sizeof x);
        x[k] = sigad_constant(c->tape, integer ? SIGAD_F64 : SIGAD_F32, c->x[k].rank, c->x[k].shape,
                              c->bytes[k]);
        expect_poison(c, "mixed dtypes", c->row->apply(c->tape, x));
        db_expect_error(c, "mixed dtypes", SIGAD_EDTYPE);
    }
}

Test(database, mixed_dtypes_are_refused)
{
    db_for_all(SIGAD_F64, 0, mixed_dtypes_are_refused);
}

static void foreign_and_stale_handles_are_refused(db_case *c)
{
    sigad_tape *other = NULL;
    sigad_tape_create(c->context, &other);
    if (c->row->n > 0) {
        expect_poison(c, "another tape", c->row->apply(other, c->input));
        db_expect_error(c, "another tape", SIGAD_ESTALE);
        sigad_tape_reset(c->tape);
        expect_poison(c, "after a reset", c->row->apply(c->tape, c->input));
        db_expect_error(c, "after a reset", SIGAD_ESTALE);
    }
}

Test(database, foreign_and_stale_handles_are_refused)
{
    db_for_all(SIGAD_F64, 0, foreign_and_stale_handles_are_refused);
}

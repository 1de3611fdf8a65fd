/* Rows of the signature operations: each method and each flag at least once, with the corners of
 * batch and length. */
#include "ops/cpu/signature_ref.h"
#include "support/database.h"
#include <stdlib.h>
#include <string.h>

/* ---- references: the textbook, item by item ---------------------------------------------------
 */

enum { PATH_TO_SIG, PATH_TO_LOG_SIG, SIG_TO_LOG_SIG, LOG_SIG_TO_SIG };

static double *item(int what, const sigad_sig_spec *spec, int64_t length, const double *x,
                    int64_t *entries)
{
    switch (what) {
    case PATH_TO_SIG:
        return sg_sig_ref(spec, length, x, entries);
    case PATH_TO_LOG_SIG:
        return sg_log_sig_ref(spec, length, x, entries);
    case SIG_TO_LOG_SIG:
        return sg_sig_to_log_sig_ref(spec, x, entries);
    default:
        return sg_logsig_to_sig_ref(spec, x, entries);
    }
}

static void items(int what, const sigad_sig_spec *spec, const db_array *x, const double *lengths,
                  db_array *y)
{
    int axes = what <= PATH_TO_LOG_SIG ? 2 : 1, batch_rank = x->rank - axes;
    int64_t shape[SIGAD_MAX_RANK], place = 1, batch = 1, entries;
    bool to_log = what == PATH_TO_LOG_SIG || what == SIG_TO_LOG_SIG;
    for (int i = 0; i < batch_rank; i++) batch *= shape[i] = x->shape[i];
    for (int i = batch_rank; i < x->rank; i++) place *= x->shape[i];
    if ((to_log ? sigad_log_sig_length : sigad_sig_length)(spec, &shape[batch_rank])) return;
    if (!db_shape(y, batch_rank + 1, shape)) return;
    for (int64_t i = 0; i < batch; i++) {
        int64_t length = axes == 1 ? 0 : lengths ? (int64_t)lengths[i] : x->shape[x->rank - 2];
        double *result = item(what, spec, length, x->data + i * place, &entries);
        if (result) memcpy(y->data + i * entries, result, (size_t)entries * sizeof *result);
        free(result);
    }
}

/* ---- one spec a row
 * ------------------------------------------------------------------------------ */

#define PLAIN(name, what, operation, ...)                                         \
    static const sigad_sig_spec name##_spec = {SIGAD_SIG_SPEC_INIT, __VA_ARGS__}; \
    static sigad_tensor name##_apply(sigad_tape *tape, const sigad_tensor *x)     \
    {                                                                             \
        return operation(tape, x[0], &name##_spec);                               \
    }                                                                             \
    static void name(const db_array *x, db_array *y)                              \
    {                                                                             \
        items(what, &name##_spec, x, NULL, y);                                    \
    }
#define RAGGED(name, what, operation, ...)                                        \
    static const sigad_sig_spec name##_spec = {SIGAD_SIG_SPEC_INIT, __VA_ARGS__}; \
    static sigad_tensor name##_apply(sigad_tape *tape, const sigad_tensor *x)     \
    {                                                                             \
        return operation(tape, x[0], x[1], &name##_spec);                         \
    }                                                                             \
    static void name(const db_array *x, db_array *y)                              \
    {                                                                             \
        items(what, &name##_spec, x, x[1].data, y);                               \
    }

PLAIN(sig_2, PATH_TO_SIG, sigad_sig, .dimension = 2, .degree = 4, .end_time = 1)
PLAIN(sig_1, PATH_TO_SIG, sigad_sig, .dimension = 1, .degree = 1, .scalar_term = 1, .end_time = 1)
PLAIN(sig_flags, PATH_TO_SIG, sigad_sig, .dimension = 2, .degree = 3, .time_aug = 1, .lead_lag = 1,
      .scalar_term = 1, .end_time = 0.5)
RAGGED(sig_ragged, PATH_TO_SIG, sigad_sig_ragged, .dimension = 2, .degree = 3, .time_aug = 1,
       .end_time = 2)
PLAIN(log_0, PATH_TO_LOG_SIG, sigad_log_sig, .dimension = 2, .degree = 3, .scalar_term = 1,
      .end_time = 1)
PLAIN(log_1, PATH_TO_LOG_SIG, sigad_log_sig, .dimension = 3, .degree = 3, .method = 1,
      .end_time = 1)
PLAIN(log_2, PATH_TO_LOG_SIG, sigad_log_sig, .dimension = 2, .degree = 5, .method = 2,
      .end_time = 1)
RAGGED(log_ragged, PATH_TO_LOG_SIG, sigad_log_sig_ragged, .dimension = 2, .degree = 3,
       .lead_lag = 1, .method = 2, .end_time = 1)
PLAIN(to_log_0, SIG_TO_LOG_SIG, sigad_sig_to_log_sig, .dimension = 2, .degree = 3, .scalar_term = 1)
PLAIN(to_log_1, SIG_TO_LOG_SIG, sigad_sig_to_log_sig, .dimension = 2, .degree = 4, .method = 1)
PLAIN(to_log_2, SIG_TO_LOG_SIG, sigad_sig_to_log_sig, .dimension = 3, .degree = 3, .method = 2)
PLAIN(to_sig_0, LOG_SIG_TO_SIG, sigad_logsig_to_sig, .dimension = 2, .degree = 3, .scalar_term = 1)
PLAIN(to_sig_1, LOG_SIG_TO_SIG, sigad_logsig_to_sig, .dimension = 3, .degree = 3, .method = 1)
PLAIN(to_sig_2, LOG_SIG_TO_SIG, sigad_logsig_to_sig, .dimension = 2, .degree = 5, .method = 2,
      .scalar_term = 1)

static const db_row rows[] = {
    {"sig: a path", 1, {{DB_F(6, 2)}}, sig_2_apply, sig_2, 0},
    {"sig: batches", 1, {{DB_F(3, 2, 4, 2)}}, sig_2_apply, sig_2, 0},
    {"sig: no path", 1, {{DB_F(0, 4, 2)}}, sig_2_apply, sig_2, 0},
    {"sig: no point", 1, {{DB_F(2, 0, 2)}}, sig_2_apply, sig_2, 0},
    {"sig: one point", 1, {{DB_F(2, 1, 2)}}, sig_2_apply, sig_2, 0},
    {"sig: one dimension, one level", 1, {{DB_F(1, 5, 1)}}, sig_1_apply, sig_1, DB_POLYNOMIAL},
    {"sig: all flags", 1, {{DB_F(2, 5, 2)}}, sig_flags_apply, sig_flags, 0},
    {"sig_ragged: lengths", 2, {{DB_F(8, 5, 2)}, {DB_I(5, 8)}}, sig_ragged_apply, sig_ragged, 0},
    {"sig_ragged: one path",
     2,
     {{DB_F(5, 2)}, {.dtype = SIGAD_I64, .high = 5}},
     sig_ragged_apply,
     sig_ragged,
     0},
    {"log_sig: expanded", 1, {{DB_F(2, 5, 2)}}, log_0_apply, log_0, 0},
    {"log_sig: Lyndon words", 1, {{DB_F(2, 5, 3)}}, log_1_apply, log_1, 0},
    {"log_sig: brackets", 1, {{DB_F(2, 4, 2)}}, log_2_apply, log_2, 0},
    {"log_sig: one point", 1, {{DB_F(2, 1, 2)}}, log_2_apply, log_2, 0},
    {"log_sig_ragged: lengths",
     2,
     {{DB_F(2, 3, 4, 2)}, {DB_I(4, 2, 3)}},
     log_ragged_apply,
     log_ragged,
     0},
    {"sig_to_log_sig: expanded", 1, {{DB_F(2, 15)}}, to_log_0_apply, to_log_0, 0},
    {"sig_to_log_sig: Lyndon words", 1, {{DB_F(2, 30)}}, to_log_1_apply, to_log_1, 0},
    {"sig_to_log_sig: brackets", 1, {{DB_F(2, 2, 39)}}, to_log_2_apply, to_log_2, 0},
    {"sig_to_log_sig: no signature", 1, {{DB_F(0, 39)}}, to_log_2_apply, to_log_2, 0},
    {"logsig_to_sig: expanded", 1, {{DB_F(2, 15)}}, to_sig_0_apply, to_sig_0, 0},
    {"logsig_to_sig: Lyndon words", 1, {{DB_F(2, 14)}}, to_sig_1_apply, to_sig_1, 0},
    {"logsig_to_sig: brackets", 1, {{DB_F(14)}}, to_sig_2_apply, to_sig_2, 0},
};
DB_ROWS(signature, rows)

/* The eight public functions on arrays, written once for those of the host (signature_arrays.c) and
 * of a device (cuda/arrays.c). Who includes this says what arguments come last, SG_TAIL, and what a
 * call is, from fields that both have: SG_CALL(name, S, backward, field, ...). */
#ifndef SG_SIGNATURE_FUNCTIONS_H
#define SG_SIGNATURE_FUNCTIONS_H

#define SG_FROM_PATH(PREFIX, name, REAL, S)                                                       \
    sigad_status PREFIX##name##_##S(const sigad_plan *plan, int64_t batch, int64_t length,        \
                                    const int64_t *lengths, const REAL *path, REAL *out, SG_TAIL) \
    {                                                                                             \
        return SG_CALL(name, S, false, .length = length, .lengths = lengths, .x = path,           \
                       .out = out);                                                               \
    }                                                                                             \
    sigad_status PREFIX##name##_backprop_##S(                                                     \
        const sigad_plan *plan, int64_t batch, int64_t length, const int64_t *lengths,            \
        const REAL *path, const REAL *derivs, REAL *path_derivs, SG_TAIL)                         \
    {                                                                                             \
        return SG_CALL(name, S, true, .length = length, .lengths = lengths, .x = path,            \
                       .y_bar = derivs, .out = path_derivs);                                      \
    }

#define SG_BETWEEN(PREFIX, name, REAL, S)                                                          \
    sigad_status PREFIX##name##_##S(const sigad_plan *plan, int64_t batch, const REAL *x, REAL *y, \
                                    SG_TAIL)                                                       \
    {                                                                                              \
        return SG_CALL(name, S, false, .x = x, .out = y);                                          \
    }                                                                                              \
    sigad_status PREFIX##name##_backprop_##S(const sigad_plan *plan, int64_t batch, const REAL *x, \
                                             const REAL *derivs, REAL *x_derivs, SG_TAIL)          \
    {                                                                                              \
        return SG_CALL(name, S, true, .x = x, .y_bar = derivs, .out = x_derivs);                   \
    }

#define SG_ALL_OF_SCALAR(PREFIX, REAL, S)       \
    SG_FROM_PATH(PREFIX, sig, REAL, S)          \
    SG_FROM_PATH(PREFIX, log_sig, REAL, S)      \
    SG_BETWEEN(PREFIX, sig_to_log_sig, REAL, S) \
    SG_BETWEEN(PREFIX, logsig_to_sig, REAL, S)

#define SG_SIGNATURE_FUNCTIONS(PREFIX)   \
    SG_ALL_OF_SCALAR(PREFIX, float, f32) \
    SG_ALL_OF_SCALAR(PREFIX, double, f64)
#endif

/* Losses that are the mean over all elements of a function of a prediction p and a target t, one
 * row each: name, the function, its derivatives by p, by t, by p twice, by p and t, by t twice.
 * `a` is a constant of the loss. */
#ifndef SG_LOSS_H
#define SG_LOSS_H

#define SG_LOSSES(ROW)                                                                            \
    ROW(mse, (p - t) * (p - t), 2 * (p - t), 2 * (t - p), K(2), K(-2), K(2))                      \
    ROW(mae, ABS(p - t), SIGN(p - t), SIGN(t - p), K(0), K(0), K(0))                              \
    ROW(huber, HUBER(ABS(p - t)), CLIP(p - t), CLIP(t - p), K(ABS(p - t) <= a),                   \
        -K(ABS(p - t) <= a), K(ABS(p - t) <= a))                                                  \
    ROW(binary_cross_entropy, (p > 0 ? p : 0) - p * t + LOG1P(EXP(-ABS(p))), LOGISTIC(p) - t, -p, \
        LOGISTIC(p) * LOGISTIC(-p), K(-1), K(0))

typedef enum {
#define ROW(name, ...) SG_LOSS_##name,
    SG_LOSSES(ROW)
#undef ROW
        SG_LOSS_COUNT
} sg_loss;

/* The value, or one of the derivatives in the order of the row. */
typedef enum {
    SG_LOSS_VALUE,
    SG_LOSS_P,
    SG_LOSS_T,
    SG_LOSS_PP,
    SG_LOSS_PT,
    SG_LOSS_TT,
    SG_LOSS_ORDERS
} sg_loss_order;
#endif

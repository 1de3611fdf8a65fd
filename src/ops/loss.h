/* Losses that are the mean over all elements of a function of a prediction p and a target t, one
 * row each: name, the function, its derivatives by p, by t, by p twice, by p and t, by t twice.
 * `a` is a constant of the loss. What stands in a row means the same as in ops/unary.h. */
#ifndef SG_LOSS_H
#define SG_LOSS_H

#define SG_SIGN(d)  SELECT((d) > K(0), K(1), SELECT((d) < K(0), K(-1), K(0)))
#define SG_IS_CLOSE SELECT(ABS(p - t) <= a, K(1), K(0))
#define SG_CUT(d)   SELECT((d) > a, a, SELECT((d) < -a, -a, d))
#define SG_HUBER(d) SELECT((d) <= a, K(0.5) * (d) * (d), a * ((d)-K(0.5) * a))

#define SG_LOSSES(ROW)                                                                           \
    ROW(mse, (p - t) * (p - t), K(2) * (p - t), K(2) * (t - p), K(2), K(-2), K(2))               \
    ROW(mae, ABS(p - t), SG_SIGN(p - t), SG_SIGN(t - p), K(0), K(0), K(0))                       \
    ROW(huber, SG_HUBER(ABS(p - t)), SG_CUT(p - t), SG_CUT(t - p), SG_IS_CLOSE, -SG_IS_CLOSE,    \
        SG_IS_CLOSE)                                                                             \
    ROW(binary_cross_entropy, SOFTPLUS(p) - p * t, SIGMOID(p) - t, -p, SIGMOID(p) * SIGMOID(-p), \
        K(-1), K(0))

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

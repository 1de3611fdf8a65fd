/* Comparisons: 0 or 1 as SIGAD_I64, which has no derivative. */
#include "ops/shape.h"

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_need_same_dtype(call, 2);
    return status ? status : sg_infer_broadcast(call, 2, SIGAD_I64);
}

static sigad_status equal(sigad_op_call *call)
{
    SG_RUN(call, equal, &call->x[0], &call->x[1], call->y);
    return SIGAD_OK;
}

static sigad_status less(sigad_op_call *call)
{
    SG_RUN(call, less, &call->x[0], &call->x[1], call->y);
    return SIGAD_OK;
}

static const sigad_op op_equal = {SIGAD_OP_INIT, .name = "equal", .infer = infer,
                                  SG_ON_EACH_DEVICE(equal, NULL, NULL, NULL)};
static const sigad_op op_less = {SIGAD_OP_INIT, .name = "less", .infer = infer,
                                 SG_ON_EACH_DEVICE(less, NULL, NULL, NULL)};

sigad_tensor sigad_equal(sigad_tape *tape, sigad_tensor a, sigad_tensor b)
{
    const sigad_tensor x[] = {a, b};
    return sigad_apply(tape, &op_equal, 2, x, NULL, 0);
}

sigad_tensor sigad_less(sigad_tape *tape, sigad_tensor a, sigad_tensor b)
{
    const sigad_tensor x[] = {a, b};
    return sigad_apply(tape, &op_less, 2, x, NULL, 0);
}

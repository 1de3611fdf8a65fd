/* The value of x, through which no derivative passes. */
#include "ops/shape.h"

static sigad_status infer(sigad_op_call *call)
{
    return sg_infer_like(call, &call->x[0]);
}

static sigad_status fwd(sigad_op_call *call)
{
    SG_RUN(call, move, call->y->data, call->x[0].data, sg_array_bytes(call->y));
    return SIGAD_OK;
}

static const sigad_op op_detach = {SIGAD_OP_INIT, .name = "detach",
                                   .flags = SG_OP_ALIAS | SG_OP_STOP, .infer = infer,
                                   SG_ON_EACH_DEVICE(fwd, NULL, NULL, NULL)};

sigad_tensor sigad_detach(sigad_tape *tape, sigad_tensor x)
{
    return sigad_apply(tape, &op_detach, 1, &x, NULL, 0);
}

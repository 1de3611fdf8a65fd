/* y = condition ? a : b: derivatives go where the value comes from. Linear in a and b. */
#include "ops/shape.h"
#include "ops/unbroadcast.h"

enum { CONDITION = 0, A = 1, B = 2 };

static sigad_status infer(sigad_op_call *call)
{
    const sigad_array *x = call->x;
    if (x[CONDITION].dtype != SIGAD_I64)
        return sigad_op_fail(call, SIGAD_EDTYPE, "the condition is %s: it must be int64",
                             sg_dtype_name(x[CONDITION].dtype));
    if (!sg_is_floating(x[A].dtype) || x[A].dtype != x[B].dtype)
        return sigad_op_fail(call, SIGAD_EDTYPE,
                             "it chooses from %s and %s: both must be float32, or both float64",
                             sg_dtype_name(x[A].dtype), sg_dtype_name(x[B].dtype));
    sigad_status status = sg_infer_broadcast(call, 3, x[A].dtype);
    if (status) return status;
    size_t a = sg_unbroadcast_workspace(call->y, &x[A]);
    size_t b = sg_unbroadcast_workspace(call->y, &x[B]);
    call->workspace_bytes[SIGAD_VJP] = a > b ? a : b;
    return SIGAD_OK;
}

static sigad_status fwd(sigad_op_call *call)
{
    SG_RUN(call, where, &call->x[CONDITION], &call->x[A], &call->x[B], call->y);
    return SIGAD_OK;
}

typedef struct {
    const sigad_op_call *call;
    int operand;
    const sigad_array *p;
} term;

static void add_entries(const void *user, void *out, bool fresh)
{
    const term *t = user;
    if (fresh) SG_RUN(t->call, clear, out, sg_array_bytes(t->call->y));
    SG_RUN(t->call, add_where, &t->call->x[CONDITION], t->operand == A, t->p, t->call->y, out);
}

static sigad_status vjp(sigad_op_call *call)
{
    for (int i = A; i <= B; i++) {
        const term t = {call, i, call->y_cotangent};
        if (call->x_cotangent[i].data)
            sg_add_unbroadcast(call, &call->x_cotangent[i], add_entries, &t, false);
    }
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    for (int i = A; i <= B; i++) {
        const term t = {call, i, &call->x_tangent[i]};
        if (t.p->data) add_entries(&t, call->y_tangent->data, false);
    }
    return SIGAD_OK;
}

static const sigad_op op_where = {SIGAD_OP_INIT, .name = "where", .flags = SIGAD_OP_LINEAR,
                                  .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, NULL)};

sigad_tensor sigad_where(sigad_tape *tape, sigad_tensor condition, sigad_tensor a, sigad_tensor b)
{
    const sigad_tensor x[] = {condition, a, b};
    return sigad_apply(tape, &op_where, 3, x, NULL, 0);
}

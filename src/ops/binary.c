/* Elementwise operations of two operands, made from the list in ops/binary.h. With g = y_cotangent:
 *     a_cotangent         += (df/da) g,
 *     y_tangent           += (df/da) a_tangent + (df/db) b_tangent,
 *     a_cotangent_tangent += g ((d2f/da2) a_tangent + (d2f/dadb) b_tangent),
 * and the same for b. What goes to an operand that was broadcast is summed over the axes that it
 * lacks. */
#include "ops/binary.h"
#include "ops/shape.h"
#include "ops/unbroadcast.h"

typedef struct {
    int32_t kind;
} attributes;

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_need_floats(call, 2);
    if (!status) status = sg_infer_broadcast(call, 2, call->x[0].dtype);
    if (status) return status;
    size_t a = sg_unbroadcast_workspace(call->y, &call->x[0]);
    size_t b = sg_unbroadcast_workspace(call->y, &call->x[1]);
    call->workspace_bytes[SIGAD_VJP] = call->workspace_bytes[SIGAD_SOC] = a > b ? a : b;
    return SIGAD_OK;
}

static int32_t kind_of(const sigad_op_call *call)
{
    return SG_ATTRIBUTES(attributes, call)->kind;
}

static sigad_status fwd(sigad_op_call *call)
{
    sg_binary_arrays arrays = {
        .a = &call->x[0], .b = &call->x[1], .y = call->y, .out = call->y->data};
    SG_RUN(call, binary, kind_of(call), SG_BINARY_VALUE, &arrays);
    return SIGAD_OK;
}

typedef struct {
    const sigad_op_call *call;
    sg_binary_order order;
    const sigad_array *p;
    const void *g;
} term;

static void add_entries(const void *user, void *out, bool fresh)
{
    const term *t = user;
    const sigad_array *x = t->call->x;
    sg_binary_arrays arrays = {&x[0], &x[1], t->call->y, t->p, t->g, out, fresh};
    SG_RUN(t->call, binary, kind_of(t->call), t->order, &arrays);
}

/* x = (if fresh) or += derivative * p (* g), of the full shape or summed down to x's. */
static void add_term(const sigad_op_call *call, sg_binary_order order, const sigad_array *p,
                     const void *g, const sigad_array *x, bool fresh)
{
    const term t = {call, order, p, g};
    if (kind_of(call) == SG_BINARY_add && x->elements != call->y->elements)
        sg_add_unbroadcast_array(call, x, p->data, fresh);
    else
        sg_add_unbroadcast(call, x, add_entries, &t, fresh);
}

static sigad_status vjp(sigad_op_call *call)
{
    for (int i = 0; i < 2; i++)
        if (call->x_cotangent[i].data)
            add_term(call, i ? SG_BINARY_DB : SG_BINARY_DA, call->y_cotangent, NULL,
                     &call->x_cotangent[i], sg_call_fresh(call, i));
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    for (int i = 0; i < 2; i++)
        if (call->x_tangent[i].data)
            add_term(call, i ? SG_BINARY_DB : SG_BINARY_DA, &call->x_tangent[i], NULL,
                     call->y_tangent, false);
    return SIGAD_OK;
}

static sigad_status soc_of_mixed(sigad_op_call *call)
{
    const sigad_array *tangent = call->x_tangent, *out = call->x_cotangent_tangent;
    const void *g = call->y_cotangent->data;
    if (out[0].data && tangent[1].data)
        add_term(call, SG_BINARY_DAB, &tangent[1], g, &out[0], false);
    if (out[1].data && tangent[0].data)
        add_term(call, SG_BINARY_DAB, &tangent[0], g, &out[1], false);
    return SIGAD_OK;
}

static sigad_status soc_of_twice_in_b(sigad_op_call *call)
{
    const sigad_array *tangent = &call->x_tangent[1], *out = &call->x_cotangent_tangent[1];
    if (out->data && tangent->data)
        add_term(call, SG_BINARY_DBB, tangent, call->y_cotangent->data, out, false);
    return soc_of_mixed(call);
}

static sigad_status soc_of_piecewise(sigad_op_call *call)
{
    (void)call;
    return SIGAD_OK;
}

#define FLAGS_LINEAR     SIGAD_OP_LINEAR
#define FLAGS_PIECEWISE  0
#define FLAGS_MIXED      0
#define FLAGS_TWICE_IN_B 0
#define SOC_LINEAR       NULL
#define SOC_PIECEWISE    soc_of_piecewise
#define SOC_MIXED        soc_of_mixed
#define SOC_TWICE_IN_B   soc_of_twice_in_b

#define PASS_add     SG_OP_PASS
#define PASS_sub     0
#define PASS_mul     0
#define PASS_div     0
#define PASS_maximum 0
#define PASS_minimum 0

static const sigad_op table[] = {
#define ROW(op_name, bend, ...)                                                          \
    {SIGAD_OP_INIT, .name = #op_name,                                                    \
     .flags = SG_OP_FRESH | SG_OP_QUICK | FLAGS_##bend | PASS_##op_name, .infer = infer, \
     SG_ON_EACH_DEVICE(fwd, vjp, jvp, SOC_##bend)},
    SG_BINARY(ROW)
#undef ROW
};

#define ROW(name, bend, ...)                                                            \
    sigad_tensor sigad_##name(sigad_tape *tape, sigad_tensor a, sigad_tensor b)         \
    {                                                                                   \
        const attributes given = {SG_BINARY_##name};                                    \
        const sigad_tensor x[] = {a, b};                                                \
        return sigad_apply(tape, &table[SG_BINARY_##name], 2, x, &given, sizeof given); \
    }
SG_BINARY(ROW)
#undef ROW

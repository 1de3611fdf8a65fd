#include "support/ops.h"
#include "graph/tape.h"
#include <string.h>

/* Tests compute in both float types; entry i of an array as a double. */
static double get(const sigad_array *array, int64_t i)
{
    return array->dtype == SIGAD_F32 ? (double)((const float *)array->data)[i]
                                     : ((const double *)array->data)[i];
}

static void set(const sigad_array *array, int64_t i, double value)
{
    if (array->dtype == SIGAD_F32)
        ((float *)array->data)[i] = (float)value;
    else
        ((double *)array->data)[i] = value;
}

static void add(const sigad_array *array, int64_t i, double value)
{
    if (array->data) set(array, i, get(array, i) + value);
}

static double get_or_zero(const sigad_array *array, int64_t i)
{
    return array->data ? get(array, i) : 0.0;
}

static sigad_status infer_like_first(sigad_op_call *call)
{
    *call->y = call->x[0];
    return SIGAD_OK;
}

static sigad_status copy(sigad_op_call *call)
{
    memcpy(call->y->data, call->x->data, sg_array_bytes(call->y));
    return SIGAD_OK;
}

static sigad_status pass_back(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        add(call->x_cotangent, i, get(call->y_cotangent, i));
    return SIGAD_OK;
}

static sigad_status pass_on(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        add(call->y_tangent, i, get_or_zero(call->x_tangent, i));
    return SIGAD_OK;
}

/* ---- times ----------------------------------------------------------------------------------- */

static sigad_status times_infer(sigad_op_call *call)
{
    char a[SG_SHAPE_TEXT], b[SG_SHAPE_TEXT];
    if (call->x[0].elements != call->x[1].elements || call->x[0].rank != call->x[1].rank)
        return sigad_op_fail(call, SIGAD_ESHAPE, "%s x %s: shapes differ",
                             sg_shape_text(&call->x[0], a), sg_shape_text(&call->x[1], b));
    return infer_like_first(call);
}

static sigad_status times_fwd(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        set(call->y, i, get(&call->x[0], i) * get(&call->x[1], i));
    return SIGAD_OK;
}

static sigad_status times_vjp(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        for (int k = 0; k < 2; k++)
            add(&call->x_cotangent[k], i, get(&call->x[1 - k], i) * get(call->y_cotangent, i));
    return SIGAD_OK;
}

static sigad_status times_jvp(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        for (int k = 0; k < 2; k++)
            add(call->y_tangent, i, get(&call->x[1 - k], i) * get_or_zero(&call->x_tangent[k], i));
    return SIGAD_OK;
}

static sigad_status times_soc(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        for (int k = 0; k < 2; k++)
            add(&call->x_cotangent_tangent[k], i,
                get_or_zero(&call->x_tangent[1 - k], i) * get(call->y_cotangent, i));
    return SIGAD_OK;
}

static const sigad_op times_op = {SIGAD_OP_INIT,    .name = "times",  .infer = times_infer,
                                  .fwd = times_fwd, .vjp = times_vjp, .jvp = times_jvp,
                                  .soc = times_soc};

sigad_tensor test_times(sigad_tape *tape, sigad_tensor a, sigad_tensor b)
{
    return sigad_apply(tape, &times_op, 2, (sigad_tensor[]){a, b}, NULL, 0);
}

/* ---- sum ------------------------------------------------------------------------------------- */

static sigad_status sum_infer(sigad_op_call *call)
{
    call->y->dtype = call->x->dtype;
    return SIGAD_OK;
}

static sigad_status sum_fwd(sigad_op_call *call)
{
    double sum = 0.0;
    for (int64_t i = 0; i < call->x->elements; i++) sum += get(call->x, i);
    set(call->y, 0, sum);
    return SIGAD_OK;
}

static sigad_status sum_vjp(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->x->elements; i++)
        add(call->x_cotangent, i, get(call->y_cotangent, 0));
    return SIGAD_OK;
}

static sigad_status sum_jvp(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->x->elements; i++)
        add(call->y_tangent, 0, get(call->x_tangent, i));
    return SIGAD_OK;
}

static const sigad_op sum_op = {
    SIGAD_OP_INIT,  .flags = SIGAD_OP_LINEAR, .name = "sum",  .infer = sum_infer,
    .fwd = sum_fwd, .vjp = sum_vjp,           .jvp = sum_jvp,
};

sigad_tensor test_sum(sigad_tape *tape, sigad_tensor x)
{
    return sigad_apply(tape, &sum_op, 1, &x, NULL, 0);
}

/* ---- join ------------------------------------------------------------------------------------ */

static sigad_status join_infer(sigad_op_call *call)
{
    call->y->dtype = call->n ? call->x->dtype : SIGAD_F64;
    call->y->rank = 1;
    for (int k = 0; k < call->n; k++) call->y->shape[0] += call->x[k].elements;
    return SIGAD_OK;
}

/* to[behind the k-th] (+)= from[k-th], or the other way round. */
static sigad_status join_fwd(sigad_op_call *call)
{
    int64_t at = 0;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; i < call->x[k].elements; i++) set(call->y, at++, get(&call->x[k], i));
    return SIGAD_OK;
}

static sigad_status join_vjp(sigad_op_call *call)
{
    int64_t at = 0;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; i < call->x[k].elements; i++)
            add(&call->x_cotangent[k], i, get(call->y_cotangent, at++));
    return SIGAD_OK;
}

static sigad_status join_jvp(sigad_op_call *call)
{
    int64_t at = 0;
    for (int k = 0; k < call->n; k++)
        for (int64_t i = 0; i < call->x[k].elements; i++)
            add(call->y_tangent, at++, get_or_zero(&call->x_tangent[k], i));
    return SIGAD_OK;
}

static const sigad_op join_op = {
    SIGAD_OP_INIT,   .flags = SIGAD_OP_LINEAR, .name = "join",  .infer = join_infer,
    .fwd = join_fwd, .vjp = join_vjp,          .jvp = join_jvp,
};

sigad_tensor test_join(sigad_tape *tape, int n, const sigad_tensor *x)
{
    return sigad_apply(tape, &join_op, n, x, NULL, 0);
}

/* ---- cube ------------------------------------------------------------------------------------ */

static sigad_status cube_infer(sigad_op_call *call)
{
    size_t bytes = sg_array_bytes(call->x);
    call->saved_bytes = bytes;
    for (int which = SIGAD_FWD; which <= SIGAD_SOC; which++) call->workspace_bytes[which] = bytes;
    return infer_like_first(call);
}

static sigad_status cube_fwd(sigad_op_call *call)
{
    sigad_array square = *call->y, scratch = *call->y;
    square.data = call->saved;
    scratch.data = call->workspace;
    for (int64_t i = 0; i < call->y->elements; i++) {
        set(&square, i, get(call->x, i) * get(call->x, i));
        set(&scratch, i, get(call->x, i));
        set(call->y, i, get(&scratch, i) * get(&square, i));
    }
    return SIGAD_OK;
}

static double slope(sigad_op_call *call, int64_t i)
{
    sigad_array square = *call->y, scratch = *call->y;
    square.data = call->saved;
    scratch.data = call->workspace;
    set(&scratch, i, 3.0 * get(&square, i));
    return get(&scratch, i);
}

static sigad_status cube_vjp(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        add(call->x_cotangent, i, slope(call, i) * get(call->y_cotangent, i));
    return SIGAD_OK;
}

static sigad_status cube_jvp(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        add(call->y_tangent, i, slope(call, i) * get(call->x_tangent, i));
    return SIGAD_OK;
}

static sigad_status cube_soc(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++)
        add(call->x_cotangent_tangent, i,
            6.0 * get(call->x, i) * get_or_zero(call->x_tangent, i) * get(call->y_cotangent, i));
    return SIGAD_OK;
}

static const sigad_op cube_op = {SIGAD_OP_INIT,   .name = "cube",  .infer = cube_infer,
                                 .fwd = cube_fwd, .vjp = cube_vjp, .jvp = cube_jvp,
                                 .soc = cube_soc};

sigad_tensor test_cube(sigad_tape *tape, sigad_tensor x)
{
    return sigad_apply(tape, &cube_op, 1, &x, NULL, 0);
}

/* ---- the small ones -------------------------------------------------------------------------- */

static const sigad_op bare_op = {SIGAD_OP_INIT, .name = "bare", .infer = infer_like_first,
                                 .fwd = copy};

sigad_tensor test_bare(sigad_tape *tape, sigad_tensor x)
{
    return sigad_apply(tape, &bare_op, 1, &x, NULL, 0);
}

static sigad_status sign_infer(sigad_op_call *call)
{
    *call->y = call->x[0];
    call->y->dtype = SIGAD_I64;
    return SIGAD_OK;
}

static sigad_status sign_fwd(sigad_op_call *call)
{
    for (int64_t i = 0; i < call->y->elements; i++) {
        double x = get(call->x, i);
        ((int64_t *)call->y->data)[i] = (x > 0.0) - (x < 0.0);
    }
    return SIGAD_OK;
}

static sigad_status never(sigad_op_call *call)
{
    return sigad_op_fail(call, SIGAD_EINTERNAL, "this must never be called");
}

static const sigad_op sign_op = {
    SIGAD_OP_INIT, .name = "sign", .infer = sign_infer, .fwd = sign_fwd, .vjp = never, .jvp = never,
};

sigad_tensor test_sign(sigad_tape *tape, sigad_tensor x)
{
    return sigad_apply(tape, &sign_op, 1, &x, NULL, 0);
}

static sigad_status alias_infer(sigad_op_call *call)
{
    const sigad_array *wanted = call->attributes;
    *call->y = *wanted;
    call->y->dtype = call->x->dtype;
    return SIGAD_OK;
}

static const sigad_op alias_op = {
    SIGAD_OP_INIT,   .flags = SIGAD_OP_LINEAR | SG_OP_ALIAS,
    .name = "alias", .infer = alias_infer,
    .fwd = copy,     .vjp = pass_back,
    .jvp = pass_on,
};

sigad_tensor test_alias(sigad_tape *tape, sigad_tensor x, int rank, const int64_t *shape)
{
    sigad_array wanted = {.rank = rank};
    memcpy(wanted.shape, shape, (size_t)rank * sizeof *shape);
    return sigad_apply(tape, &alias_op, 1, &x, &wanted, sizeof wanted);
}

static const sigad_op stop_op = {
    SIGAD_OP_INIT, .flags = SG_OP_STOP, .name = "stop", .infer = infer_like_first,
    .fwd = copy,   .vjp = never,        .jvp = never,
};

sigad_tensor test_stop(sigad_tape *tape, sigad_tensor x)
{
    return sigad_apply(tape, &stop_op, 1, &x, NULL, 0);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static sigad_status fail_at(sigad_op_call *call, int function, sigad_op_function otherwise)
{
    const test_fault *fault = call->attributes;
    if (fault->function != function) return otherwise(call);
    if (fault->message) sigad_op_fail(call, SIGAD_ERANGE, "%s", fault->message);
    return fault->status;
}

static sigad_status faulty_infer(sigad_op_call *call)
{
    return fail_at(call, -1, infer_like_first);
}

static sigad_status faulty_fwd(sigad_op_call *call)
{
    return fail_at(call, SIGAD_FWD, copy);
}

static sigad_status faulty_vjp(sigad_op_call *call)
{
    return fail_at(call, SIGAD_VJP, pass_back);
}

static sigad_status faulty_jvp(sigad_op_call *call)
{
    return fail_at(call, SIGAD_JVP, pass_on);
}

static sigad_status nothing(sigad_op_call *call)
{
    (void)call;
    return SIGAD_OK;
}

static sigad_status faulty_soc(sigad_op_call *call)
{
    return fail_at(call, SIGAD_SOC, nothing);
}

static const sigad_op faulty_op = {SIGAD_OP_INIT,     .name = "faulty",  .infer = faulty_infer,
                                   .fwd = faulty_fwd, .vjp = faulty_vjp, .jvp = faulty_jvp,
                                   .soc = faulty_soc};

sigad_tensor test_faulty(sigad_tape *tape, sigad_tensor x, const test_fault *fault)
{
    return sigad_apply(tape, &faulty_op, 1, &x, fault, sizeof *fault);
}

/* ---- claims ---------------------------------------------------------------------------------- */

static sigad_status claims_infer(sigad_op_call *call)
{
    const test_claim *claim = call->attributes;
    *call->y = claim->y;
    call->saved_bytes = claim->saved_bytes;
    memcpy(call->workspace_bytes, claim->workspace_bytes, sizeof call->workspace_bytes);
    return SIGAD_OK;
}

static sigad_status claims_fwd(sigad_op_call *call)
{
    memset(call->y->data, 0, (size_t)call->y->elements * sizeof(double));
    return SIGAD_OK;
}

const sigad_op test_claims_op = {SIGAD_OP_INIT, .name = "claims", .infer = claims_infer,
                                 .fwd = claims_fwd};

sigad_tensor test_claims(sigad_tape *tape, const test_claim *claim)
{
    return sigad_apply(tape, &test_claims_op, 0, NULL, claim, sizeof *claim);
}

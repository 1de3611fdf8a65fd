/* y = op(a) op(b), where op transposes the last two axes or not, and leading axes broadcast. With g
 * = y_cotangent and no transpose: a_cotangent += g b^T,   b_cotangent += a^T g,   y_tangent +=
 * a_tangent b + a b_tangent, a_cotangent_tangent += g b_tangent^T,   b_cotangent_tangent +=
 * a_tangent^T g, summed over the leading axes that an operand lacks. Operands are read where they
 * lie, transposed or not. */
#include "ops/shape.h"

typedef struct {
    int32_t transpose_a, transpose_b;
} attributes;

/* A batch of stored matrices, and whether they stand for the transposed ones. */
typedef struct {
    bool transposed;
    int64_t rows, columns;
    int64_t step[SIGAD_MAX_RANK]; /* along each batch axis, 0 where it broadcasts */
} matrices;

typedef struct {
    int axes;
    int64_t size[SIGAD_MAX_RANK];
    matrices a, b, y;
} batch;

static int batch_rank(const sigad_array *x)
{
    return x->rank > 2 ? x->rank - 2 : 0;
}

/* A vector is a row on the left and a column on the right, and is not transposed. */
static matrices matrices_of(const sigad_array *x, bool transposed, bool left)
{
    const int64_t *last = x->shape + x->rank - 1;
    if (x->rank == 1)
        return left ? (matrices){false, 1, *last, {0}} : (matrices){false, *last, 1, {0}};
    return (matrices){transposed, last[-1], last[0], {0}};
}

static void set_steps(matrices *m, const sigad_array *x, int axes)
{
    int64_t step = m->rows * m->columns;
    int own = batch_rank(x);
    for (int i = 1; i <= own; i++) {
        int64_t size = x->shape[own - i];
        m->step[axes - i] = size == 1 ? 0 : step;
        step *= size;
    }
}

/* Everything about the shapes; the operands are known to fit. */
static batch batch_of(const sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *a = &call->x[0], *b = &call->x[1];
    batch all = {.a = matrices_of(a, given->transpose_a, true),
                 .b = matrices_of(b, given->transpose_b, false)};
    sg_broadcast_shapes(batch_rank(a), a->shape, batch_rank(b), b->shape, &all.axes, all.size);
    all.y.rows = all.a.transposed ? all.a.columns : all.a.rows;
    all.y.columns = all.b.transposed ? all.b.rows : all.b.columns;
    set_steps(&all.a, a, all.axes);
    set_steps(&all.b, b, all.axes);
    int64_t step = all.y.rows * all.y.columns;
    for (int i = all.axes - 1; i >= 0; step *= all.size[i--]) all.y.step[i] = step;
    return all;
}

static sg_gemm_plan plan_of(const sigad_op_call *call, const batch *all, const matrices *a,
                            const matrices *b, const matrices *c)
{
    sg_gemm_plan plan = {.dtype = call->x[0].dtype,
                         .transpose_a = a->transposed,
                         .transpose_b = b->transposed,
                         .m = c->rows,
                         .n = c->columns,
                         .k = a->transposed ? a->rows : a->columns,
                         .lda = a->columns,
                         .ldb = b->columns,
                         .ldc = c->columns,
                         .alpha = 1,
                         .beta = 1,
                         .axes = all->axes};
    for (int i = 0; i < all->axes; i++)
        plan.axis[i] = (sg_gemm_axis){all->size[i], a->step[i], b->step[i], c->step[i]};
    return plan;
}

static sigad_status check_shapes(const sigad_op_call *call)
{
    const attributes *given = SG_ATTRIBUTES(attributes, call);
    const sigad_array *a = &call->x[0], *b = &call->x[1];
    char text_a[SG_SHAPE_TEXT], text_b[SG_SHAPE_TEXT];
    sg_shape_text(a, text_a);
    sg_shape_text(b, text_b);
    if (!a->rank || !b->rank)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s x %s: each needs an axis at least; mul multiplies by a scalar",
                             text_a, text_b);
    matrices left = matrices_of(a, given->transpose_a, true),
             right = matrices_of(b, given->transpose_b, false);
    int64_t inner_a = left.transposed ? left.rows : left.columns,
            inner_b = right.transposed ? right.columns : right.rows;
    if (inner_a != inner_b)
        return sigad_op_fail(call, SIGAD_ESHAPE,
                             "%s%s x %s%s: inner dimensions %lld and %lld differ", text_a,
                             left.transposed ? "^T" : "", text_b, right.transposed ? "^T" : "",
                             (long long)inner_a, (long long)inner_b);
    int rank;
    int64_t shape[SIGAD_MAX_RANK];
    if (sg_broadcast_shapes(batch_rank(a), a->shape, batch_rank(b), b->shape, &rank, shape))
        return SIGAD_OK;
    return sigad_op_fail(
        call, SIGAD_ESHAPE,
        "%s x %s: the axes before the last two do not broadcast: sizes, counted from the last, must be equal or 1",
        text_a, text_b);
}

static sigad_status infer(sigad_op_call *call)
{
    sigad_status status = sg_need_floats(call, 2);
    if (!status) status = check_shapes(call);
    if (status) return status;
    batch all = batch_of(call);
    sg_gemm_plan plan = plan_of(call, &all, &all.a, &all.b, &all.y);
    if (!sg_gemm_fits(&plan))
        return sigad_op_fail(call, SIGAD_ERANGE,
                             "rows of more than 2147483647 elements are beyond the BLAS library");
    int64_t shape[SIGAD_MAX_RANK];
    int rank = all.axes;
    for (int i = 0; i < rank; i++) shape[i] = all.size[i];
    if (call->x[0].rank > 1) shape[rank++] = all.y.rows;
    if (call->x[1].rank > 1) shape[rank++] = all.y.columns;
    return sg_infer_as(call, call->x[0].dtype, rank, shape);
}

static sigad_status fwd(sigad_op_call *call)
{
    batch all = batch_of(call);
    sg_gemm_plan plan = plan_of(call, &all, &all.a, &all.b, &all.y);
    plan.beta = 0;
    SG_RUN(call, gemm, &plan, call->x[0].data, call->x[1].data, call->y->data);
    return SIGAD_OK;
}

static matrices transposed(const matrices *m)
{
    matrices result = *m;
    result.transposed = !m->transposed;
    return result;
}

/* Adds to a_out what belongs to a when `b` stands for the other operand, or overwrites it, and
 * b_out likewise; NULL is skipped. */
static void add_cotangents(const sigad_op_call *call, const void *a, const void *b,
                           const sigad_array *out, bool a_fresh, bool b_fresh)
{
    const void *g = call->y_cotangent->data;
    batch all = batch_of(call);
    matrices flipped_a = transposed(&all.a), flipped_b = transposed(&all.b),
             flipped_g = transposed(&all.y);
    if (b && out[0].data) {
        sg_gemm_plan plan = all.a.transposed ? plan_of(call, &all, &all.b, &flipped_g, &all.a)
                                             : plan_of(call, &all, &all.y, &flipped_b, &all.a);
        plan.beta = a_fresh ? 0 : 1;
        SG_RUN(call, gemm, &plan, all.a.transposed ? b : g, all.a.transposed ? g : b, out[0].data);
    }
    if (a && out[1].data) {
        sg_gemm_plan plan = all.b.transposed ? plan_of(call, &all, &flipped_g, &all.a, &all.b)
                                             : plan_of(call, &all, &flipped_a, &all.y, &all.b);
        plan.beta = b_fresh ? 0 : 1;
        SG_RUN(call, gemm, &plan, all.b.transposed ? g : a, all.b.transposed ? a : g, out[1].data);
    }
}

static sigad_status vjp(sigad_op_call *call)
{
    add_cotangents(call, call->x[0].data, call->x[1].data, call->x_cotangent,
                   sg_call_fresh(call, 0), sg_call_fresh(call, 1));
    return SIGAD_OK;
}

static sigad_status jvp(sigad_op_call *call)
{
    batch all = batch_of(call);
    sg_gemm_plan plan = plan_of(call, &all, &all.a, &all.b, &all.y);
    if (call->x_tangent[0].data)
        SG_RUN(call, gemm, &plan, call->x_tangent[0].data, call->x[1].data, call->y_tangent->data);
    if (call->x_tangent[1].data)
        SG_RUN(call, gemm, &plan, call->x[0].data, call->x_tangent[1].data, call->y_tangent->data);
    return SIGAD_OK;
}

static sigad_status soc(sigad_op_call *call)
{
    add_cotangents(call, call->x_tangent[0].data, call->x_tangent[1].data,
                   call->x_cotangent_tangent, false, false);
    return SIGAD_OK;
}

static const sigad_op matmul = {SIGAD_OP_INIT, .name = "matmul", .flags = SG_OP_FRESH,
                                .infer = infer, SG_ON_EACH_DEVICE(fwd, vjp, jvp, soc)};

sigad_tensor sigad_matmul_transposed(sigad_tape *tape, sigad_tensor a, int transpose_a,
                                     sigad_tensor b, int transpose_b)
{
    const attributes given = {transpose_a != 0, transpose_b != 0};
    const sigad_tensor x[] = {a, b};
    return sigad_apply(tape, &matmul, 2, x, &given, sizeof given);
}

sigad_tensor sigad_matmul(sigad_tape *tape, sigad_tensor a, sigad_tensor b)
{
    return sigad_matmul_transposed(tape, a, 0, b, 0);
}

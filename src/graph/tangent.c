/* Forward mode, and Hessian-vector products as forward over reverse (Pearlmutter 1994, "Fast exact
 * multiplication by the Hessian"). */
#include "graph/sweep.h"
#include <string.h>

static const sigad_tensor poison = {0, 0};

static bool check_pair(sigad_tape *tape, const char *caller, sigad_tensor x, sigad_tensor tangent)
{
    sigad_array a, b;
    char s[SG_SHAPE_TEXT], t[SG_SHAPE_TEXT];
    if (!sg_tape_resolve(tape, caller, x, &a) || !sg_tape_resolve(tape, caller, tangent, &b))
        return false;
    bool same = a.dtype == b.dtype && a.rank == b.rank &&
                memcmp(a.shape, b.shape, (size_t)a.rank * sizeof *a.shape) == 0;
    if (!same)
        sg_fail(&tape->context->error, a.dtype != b.dtype ? SIGAD_EDTYPE : SIGAD_ESHAPE,
                "%s: a tangent of %s %s for %s %s: they must agree", caller, sg_dtype_name(b.dtype),
                sg_shape_text(&b, t), sg_dtype_name(a.dtype), sg_shape_text(&a, s));
    return same;
}

static bool check_lists(sigad_tape *tape, const char *caller, int n, const sigad_tensor *x,
                        const sigad_tensor *tangent)
{
    if (n < 0 || (n && (!x || !tangent))) {
        sg_fail(&tape->context->error, SIGAD_EINVAL, "%s: %d tensors, but a list is NULL", caller,
                n);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (!check_pair(tape, caller, x[i], tangent[i])) return false;
    return true;
}

static bool mark(sg_sweep *sweep, int n, const sigad_tensor *x)
{
    for (int i = 0; i < n; i++)
        if (!sg_sweep_source(sweep, x[i])) return false;
    sg_sweep_mark(sweep);
    return true;
}

static bool seed_tangents(sg_sweep *sweep, const sg_field *field, int n, const sigad_tensor *x,
                          const sigad_tensor *tangent)
{
    for (int i = 0; i < n; i++) {
        sigad_array value;
        if (!sg_sweep_active(sweep, x[i])) continue;
        if (!sg_tape_resolve(sweep->tape, sweep->caller, tangent[i], &value) ||
            !sg_array_accumulate(sweep->tape->context, sweep->caller, &value,
                                 sg_field_at(field, x[i]), value.data))
            return false;
    }
    return true;
}

/* A cleared leaf shaped like `like`, for a result that outlives the sweep. */
static sigad_tensor result_like(sigad_tape *tape, const char *caller, sigad_tensor like)
{
    sigad_array value;
    if (!sg_tape_resolve(tape, caller, like, &value)) return poison;
    return sg_tape_leaf(tape, caller, SG_NODE_RESULT, &value, NULL);
}

static bool copy_result(const sg_sweep *sweep, sigad_tensor result, const void *data)
{
    const sigad_array *value = &sweep->tape->nodes[result.id].value;
    return sg_device_move(sweep->tape->context, sweep->caller, value->data, data,
                          sg_array_bytes(value));
}

/* ---- J v ----------------------------------------------------------------------------------- */

static bool push(sg_sweep *sweep, int n, const sigad_tensor *x, const sigad_tensor *tangent,
                 sigad_tensor result)
{
    sg_field field;
    if (!mark(sweep, n, x)) return false;
    if (!sg_sweep_reaches(sweep)) return true;
    if (!sg_sweep_require(sweep, 1u << SIGAD_JVP) || !sg_field_create(sweep, &field)) return false;
    if (!seed_tangents(sweep, &field, n, x, tangent) || !sg_sweep_push(sweep, &field)) return false;
    return copy_result(sweep, result, sg_field_at(&field, sweep->output));
}

sigad_tensor sigad_jvp(sigad_tape *tape, sigad_tensor y, int n, const sigad_tensor *x,
                       const sigad_tensor *x_tangent)
{
    const char *caller = "sigad_jvp";
    sg_sweep sweep;
    if (!sg_tape_ready(tape) || !check_lists(tape, caller, n, x, x_tangent)) return poison;
    size_t before = tape->count;
    sigad_tensor result = result_like(tape, caller, y);
    if (!result.generation) return poison;
    bool good = sg_sweep_begin(&sweep, tape, caller, y) && push(&sweep, n, x, x_tangent, result);
    sg_sweep_end(&sweep);
    if (good) return result;
    sg_tape_drop(tape, before);
    return poison;
}

/* ---- H v ----------------------------------------------------------------------------------- */

static bool hvp(sg_sweep *sweep, int n, const sigad_tensor *x, const sigad_tensor *v,
                const sigad_tensor *result)
{
    sg_field tangent, cotangent, second;
    char text[SG_SHAPE_TEXT];
    if (sweep->output_value.elements != 1) {
        sg_fail(&sweep->tape->context->error, SIGAD_ESHAPE,
                "%s: the loss has shape %s, one element is needed", sweep->caller,
                sg_shape_text(&sweep->output_value, text));
        return false;
    }
    if (!mark(sweep, n, x)) return false;
    if (!sg_sweep_reaches(sweep)) return true;
    if (!sg_sweep_require(sweep, 1u << SIGAD_VJP | 1u << SIGAD_JVP | 1u << SIGAD_SOC) ||
        !sg_field_create(sweep, &tangent) || !sg_field_create(sweep, &cotangent) ||
        !sg_field_create(sweep, &second))
        return false;
    if (!seed_tangents(sweep, &tangent, n, x, v) || !sg_sweep_push(sweep, &tangent) ||
        !sg_sweep_seed(sweep, &cotangent, poison) ||
        !sg_sweep_pull_tangent(sweep, &cotangent, &tangent, &second))
        return false;
    for (int i = 0; i < n; i++)
        if (sg_sweep_active(sweep, x[i]) &&
            !copy_result(sweep, result[i], sg_field_at(&second, x[i])))
            return false;
    return true;
}

sigad_status sigad_hvp(sigad_tape *tape, sigad_tensor loss, int n, const sigad_tensor *x,
                       const sigad_tensor *v, sigad_tensor *hv)
{
    const char *caller = "sigad_hvp";
    sg_sweep sweep;
    for (int i = 0; hv && i < n; i++) hv[i] = poison;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    if (n > 0 && !hv) return sg_fail(error, SIGAD_EINVAL, "%s: hv is NULL", caller);
    if (!check_lists(tape, caller, n, x, v)) return error->status;
    size_t before = tape->count;
    bool good = true;
    for (int i = 0; good && i < n; i++) {
        hv[i] = result_like(tape, caller, x[i]);
        good = hv[i].generation != 0;
    }
    if (good) {
        good = sg_sweep_begin(&sweep, tape, caller, loss) && hvp(&sweep, n, x, v, hv);
        sg_sweep_end(&sweep);
    }
    if (good) return SIGAD_OK;
    sg_tape_drop(tape, before);
    for (int i = 0; i < n; i++) hv[i] = poison;
    return error->status;
}

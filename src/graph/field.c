/* The arrays that run along with a sweep, and the seed that it starts from. */
#include "graph/sweep.h"
#include "ops/kernels.h"

void *sg_field_array(sg_sweep *sweep, const sigad_array *like)
{
    sigad_context *context = sweep->tape->context;
    const size_t bytes = sg_array_bytes(like);
    void *block = sg_arena_take(sweep->tape->side_values, bytes);
    if (!block) sg_context_no_memory(context, sweep->caller, bytes);
    return block && sg_device_clear(context, sweep->caller, block, bytes) ? block : NULL;
}

bool sg_field_create_empty(sg_sweep *sweep, sg_field *field)
{
    sigad_tape *tape = sweep->tape;
    size_t parameters = tape->context->parameter_count;
    size_t bytes = (sweep->count + 2 * parameters) * sizeof *field->node;
    field->node = sg_arena_take_zeroed(&tape->side, bytes);
    if (!field->node) return !sg_context_no_memory(tape->context, sweep->caller, bytes);
    field->parameter = field->node + sweep->count;
    field->room = field->parameter + parameters;
    return true;
}

bool sg_field_create(sg_sweep *sweep, sg_field *field)
{
    sigad_tape *tape = sweep->tape;
    if (!sg_field_create_empty(sweep, field)) return false;
    for (size_t i = 0; i < sweep->count; i++)
        if (sg_sweep_active(sweep, sg_tape_handle(tape, i)) &&
            !(field->node[i] = sg_field_array(sweep, &tape->nodes[i].value)))
            return false;
    for (size_t i = 0; i < tape->context->parameter_count; i++)
        if (sg_sweep_active(sweep, sg_context_parameter_handle(tape->context, i)) &&
            !(field->parameter[i] = sg_field_array(sweep, &tape->context->parameters[i]->value)))
            return false;
    return true;
}

static void **entry_of(const sg_field *field, sigad_tensor tensor)
{
    return sg_is_parameter(tensor) ? &field->parameter[tensor.id] : &field->node[tensor.id];
}

void *sg_field_at(const sg_field *field, sigad_tensor tensor)
{
    return *entry_of(field, tensor);
}

bool sg_field_need(sg_sweep *sweep, const sg_field *field, sigad_tensor tensor,
                   const sigad_array *like, bool *fresh)
{
    sigad_tape *tape = sweep->tape;
    void **entry = entry_of(field, tensor);
    *fresh = !*entry;
    if (*entry) return true;
    const size_t bytes = sg_array_bytes(like);
    *entry =
        sg_is_parameter(tensor) ? field->room[tensor.id] : sg_arena_take(tape->side_values, bytes);
    return *entry || !sg_context_no_memory(tape->context, sweep->caller, bytes);
}

bool sg_field_need_cleared(sg_sweep *sweep, const sg_field *field, sigad_tensor tensor,
                           const sigad_array *like)
{
    bool fresh;
    if (!sg_field_need(sweep, field, tensor, like, &fresh)) return false;
    return !fresh || sg_device_clear(sweep->tape->context, sweep->caller,
                                     sg_field_at(field, tensor), sg_array_bytes(like));
}

/* ---- the seed ------------------------------------------------------------------------------ */

/* y = x repeated to y's shape, aligned at the last axis; without x, all ones. */
static bool set_broadcast(sg_sweep *sweep, const sigad_array *to, void *y, const sigad_array *from)
{
    sigad_context *context = sweep->tape->context;
    const sg_kernels *kernels = context->place.kernels;
    sg_view view = {.rank = to->rank};
    int64_t y_step = 1, x_step = 1;
    for (int i = to->rank, k = from ? from->rank : 0; i-- > 0;) {
        const int64_t size = k-- > 0 ? from->shape[k] : 1;
        view.shape[i] = to->shape[i];
        view.y_stride[i] = y_step;
        view.x_stride[i] = size == 1 ? 0 : x_step;
        y_step *= to->shape[i];
        x_step *= size;
    }
    if (!to->elements) return true;
    const int32_t before = sg_device_enter(&context->device);
    if (from)
        kernels->copy(&context->place, to->dtype, &view, from->data, y);
    else
        kernels->fill(&context->place, to->dtype, to->elements, 1.0, y);
    sg_device_leave(&context->device, before);
    return sg_device_ran(context, sweep->caller);
}

static bool broadcasts(const sigad_array *from, const sigad_array *to)
{
    int shift = to->rank - from->rank;
    for (int i = 0; i < from->rank; i++)
        if (shift < 0 || (from->shape[i] != 1 && from->shape[i] != to->shape[i + shift]))
            return false;
    return true;
}

bool sg_sweep_seed(sg_sweep *sweep, const sg_field *field, sigad_tensor cotangent)
{
    sg_error *error = &sweep->tape->context->error;
    const sigad_array *y = &sweep->output_value;
    const bool given = cotangent.generation != 0;
    sigad_array value = {.dtype = y->dtype};
    char a[SG_SHAPE_TEXT], b[SG_SHAPE_TEXT];
    bool fresh;
    if (given && !sg_tape_resolve(sweep->tape, sweep->caller, cotangent, &value)) return false;
    if (value.dtype != y->dtype)
        sg_fail(error, SIGAD_EDTYPE, "%s: the cotangent is %s, the output %s (sigad_cast converts)",
                sweep->caller, sg_dtype_name(value.dtype), sg_dtype_name(y->dtype));
    else if (!broadcasts(&value, y))
        sg_fail(error, SIGAD_ESHAPE, "%s: a cotangent of shape %s does not broadcast to %s",
                sweep->caller, sg_shape_text(&value, a), sg_shape_text(y, b));
    else if (sg_field_need(sweep, field, sweep->output, y, &fresh))
        set_broadcast(sweep, y, sg_field_at(field, sweep->output), given ? &value : NULL);
    return !error->status;
}

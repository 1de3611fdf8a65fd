/* Reverse mode into the gradients of parameters and watched tensors. */
#include "graph/sweep.h"

static const sigad_tensor poison = {0, 0};

static void add_sources(sg_sweep *sweep)
{
    const sigad_tape *tape = sweep->tape;
    for (size_t i = 0; i < tape->context->parameter_count; i++)
        if (!tape->context->parameters[i]->frozen) sg_sweep_source_parameter(sweep, i);
    for (size_t i = 0; i < sweep->count; i++)
        if (tape->nodes[i].watched) sg_sweep_source_node(sweep, i);
}

/* A parameter whose gradient holds nothing yet receives in place; to others the sweep's share is
 * added when all went well, so that a failure leaves what they hold. */
static bool point_at_gradients(sg_sweep *sweep, sg_field *cotangent)
{
    sigad_context *context = sweep->tape->context;
    for (size_t i = 0; i < context->parameter_count; i++) {
        sg_parameter *parameter = context->parameters[i];
        if (!sg_sweep_active(sweep, sg_context_parameter_handle(context, i))) continue;
        if (!sg_parameter_need_gradient(context, parameter)) return false;
        cotangent->room[i] =
            parameter->reached ? sg_field_array(sweep, &parameter->value) : parameter->gradient;
        if (!cotangent->room[i]) return false;
    }
    return true;
}

static bool collect(sg_sweep *sweep, const sg_field *cotangent)
{
    sigad_tape *tape = sweep->tape;
    sigad_context *context = tape->context;
    for (size_t i = 0; i < context->parameter_count; i++) {
        sg_parameter *parameter = context->parameters[i];
        const void *share = cotangent->parameter[i];
        if (share && share != parameter->gradient &&
            !sg_array_accumulate(context, sweep->caller, &parameter->value, parameter->gradient,
                                 share))
            return false;
        parameter->reached |= share != NULL;
        parameter->touches += share != NULL;
    }
    for (size_t i = 0; i < sweep->count; i++) {
        sg_node *node = &tape->nodes[i];
        if (!node->watched || !cotangent->node[i]) continue;
        if (!sg_array_accumulate(context, sweep->caller, &node->value, node->gradient,
                                 cotangent->node[i]))
            return false;
        node->reached = true;
    }
    return true;
}

static bool backward(sg_sweep *sweep, sigad_tensor seed)
{
    sg_field cotangent;
    add_sources(sweep);
    sg_sweep_mark(sweep);
    if (!sg_sweep_reaches(sweep)) {
        sg_fail(&sweep->tape->context->error, SIGAD_EINVAL,
                "%s: the loss depends on no trainable parameter and on no watched tensor "
                "(a forgotten sigad_watch?)",
                sweep->caller);
        return false;
    }
    if (!sg_sweep_require(sweep, 1u << SIGAD_VJP) || !sg_field_create_empty(sweep, &cotangent) ||
        !point_at_gradients(sweep, &cotangent) || !sg_sweep_seed(sweep, &cotangent, seed) ||
        !sg_sweep_pull(sweep, &cotangent))
        return false;
    return collect(sweep, &cotangent);
}

sigad_status sigad_backward(sigad_tape *tape, sigad_tensor loss)
{
    const char *caller = "sigad_backward";
    sg_sweep sweep;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    if (!sg_sweep_begin(&sweep, tape, caller, loss)) return error->status;
    char text[SG_SHAPE_TEXT];
    if (sweep.output_value.elements != 1)
        sg_fail(error, SIGAD_ESHAPE,
                "%s: the loss has shape %s; reduce it to one element, or give a cotangent to "
                "sigad_backward_with",
                caller, sg_shape_text(&sweep.output_value, text));
    else
        backward(&sweep, poison);
    sg_sweep_end(&sweep);
    return error->status;
}

sigad_status sigad_backward_with(sigad_tape *tape, sigad_tensor y, sigad_tensor y_cotangent)
{
    const char *caller = "sigad_backward_with";
    sg_sweep sweep;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    if (!y_cotangent.generation)
        return sg_fail(error, SIGAD_EINVAL, "%s: the cotangent is the zero tensor", caller);
    if (!sg_sweep_begin(&sweep, tape, caller, y)) return error->status;
    backward(&sweep, y_cotangent);
    sg_sweep_end(&sweep);
    return error->status;
}

static sigad_tensor gradient_leaf(sigad_tape *tape, const char *caller, const sigad_array *value,
                                  const void *gradient)
{
    return gradient ? sg_tape_leaf_copy(tape, caller, SG_NODE_RESULT, value, gradient)
                    : sg_tape_leaf(tape, caller, SG_NODE_RESULT, value, NULL);
}

sigad_tensor sigad_gradient(sigad_tape *tape, sigad_tensor x)
{
    const char *caller = "sigad_gradient";
    if (!sg_tape_ready(tape)) return poison;
    if (sg_is_parameter(x)) {
        const sg_parameter *parameter = sg_context_parameter(tape->context, caller, x);
        if (!parameter) return poison;
        return gradient_leaf(tape, caller, &parameter->value,
                             parameter->reached ? parameter->gradient : NULL);
    }
    const sg_node *node = sg_tape_node(tape, caller, x);
    if (!node) return poison;
    if (!node->watched) {
        sg_fail(&tape->context->error, SIGAD_EINVAL,
                "%s: the tensor was not watched; call sigad_watch before backward", caller);
        return poison;
    }
    return gradient_leaf(tape, caller, &node->value, node->gradient);
}

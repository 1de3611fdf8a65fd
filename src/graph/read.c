/* What leaves a tape, and what is known of its tensors. */
#include "graph/tape.h"
#include "sigad/cuda.h"
#include <math.h>
#include <string.h>

sigad_status sigad_read(sigad_tape *tape, sigad_tensor x, void *out, size_t bytes)
{
    sigad_array value;
    if (!tape) return SIGAD_EINVAL;
    sg_error *error = &tape->context->error;
    if (error->status) return error->status;
    if (!sg_tape_resolve(tape, "sigad_read", x, &value)) return error->status;
    char text[SG_SHAPE_TEXT];
    if (bytes != sg_array_bytes(&value))
        return sg_fail(error, SIGAD_ESHAPE, "sigad_read: %s %s has %zu bytes, not %zu",
                       sg_dtype_name(value.dtype), sg_shape_text(&value, text),
                       sg_array_bytes(&value), bytes);
    if (bytes && !out) return sg_fail(error, SIGAD_EINVAL, "sigad_read: out is NULL");
    sg_device_get(tape->context, "sigad_read", out, value.data, bytes);
    return error->status;
}

double sigad_item(sigad_tape *tape, sigad_tensor x)
{
    sigad_array value;
    if (!sg_tape_ready(tape) || !sg_tape_resolve(tape, "sigad_item", x, &value)) return NAN;
    if (value.elements != 1) {
        char text[SG_SHAPE_TEXT];
        sg_fail(&tape->context->error, SIGAD_ESHAPE,
                "sigad_item: %s has %lld elements, one is needed", sg_shape_text(&value, text),
                (long long)value.elements);
        return NAN;
    }
    union {
        float f32;
        double f64;
        int64_t i64;
    } entry;
    if (!sg_device_get(tape->context, "sigad_item", &entry, value.data, sg_array_bytes(&value)))
        return NAN;
    return value.dtype == SIGAD_F32   ? (double)entry.f32
           : value.dtype == SIGAD_F64 ? entry.f64
                                      : (double)entry.i64;
}

const void *sigad_data(sigad_tape *tape, sigad_tensor x)
{
    sigad_array value;
    if (!sg_tape_ready(tape) || !sg_tape_resolve(tape, "sigad_data", x, &value)) return NULL;
    if (sg_device_is_host(&tape->context->device)) return value.data;
    sg_fail(&tape->context->error, SIGAD_EDEVICE,
            "sigad_data: the bytes lie on a CUDA device; use sigad_read, or sigad_cuda_data");
    return NULL;
}

const void *sigad_cuda_data(sigad_tape *tape, sigad_tensor x)
{
    sigad_array value;
    if (!sg_tape_ready(tape) || !sg_tape_resolve(tape, "sigad_cuda_data", x, &value)) return NULL;
    if (!sg_device_is_host(&tape->context->device)) return value.data;
    sg_fail(&tape->context->error, SIGAD_EDEVICE,
            "sigad_cuda_data: the context computes on the CPU; use sigad_data");
    return NULL;
}

sigad_status sigad_shape(sigad_tape *tape, sigad_tensor x, int *rank, int64_t *shape)
{
    sigad_array value;
    if (!tape) return SIGAD_EINVAL;
    if (!rank || !shape)
        return sg_fail(&tape->context->error, SIGAD_EINVAL, "sigad_shape: rank or shape is NULL");
    if (!sg_tape_resolve(tape, "sigad_shape", x, &value)) return tape->context->error.status;
    *rank = value.rank;
    memcpy(shape, value.shape, (size_t)value.rank * sizeof *shape);
    return SIGAD_OK;
}

const char *sg_node_operation(const sg_node *node)
{
    static const char *const leaf[] = {"input", "constant", "result"};
    return node->op ? node->op->name : leaf[node->kind];
}

sigad_status sigad_describe(sigad_tape *tape, sigad_tensor x, sigad_tensor_info *info)
{
    if (!tape) return SIGAD_EINVAL;
    if (sg_is_parameter(x)) return sigad_parameter_describe(tape->context, x, info);
    const sg_node *node = sg_tape_node(tape, "sigad_describe", x);
    if (!node) return tape->context->error.status;
    sigad_tensor_info full = {.operation = sg_node_operation(node),
                              .label = node->label,
                              .inputs = node->inputs,
                              .input_count = node->n};
    sg_info_of_array(tape->context, &node->value, &full);
    return sg_info_write(tape->context, &full, info);
}

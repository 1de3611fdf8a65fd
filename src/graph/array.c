#include "graph/context.h"
#include "graph/tape.h"
#include "ops/kernels.h"
#include <stdio.h>

const char *sg_dtype_name(int32_t dtype)
{
    return dtype == SIGAD_F32   ? "float32"
           : dtype == SIGAD_F64 ? "float64"
           : dtype == SIGAD_I64 ? "int64"
                                : "unknown dtype";
}

/* What is wrong with an array that cannot be measured. */
static sigad_status refuse(sg_error *error, const char *caller, const sigad_array *array)
{
    char text[SG_SHAPE_TEXT];
    if (!sg_dtype_bytes(array->dtype))
        return sg_fail(error, SIGAD_EINVAL,
                       "%s: dtype %d is none of SIGAD_F32, SIGAD_F64, SIGAD_I64", caller,
                       (int)array->dtype);
    if (array->rank < 0 || array->rank > SIGAD_MAX_RANK)
        return sg_fail(error, SIGAD_EINVAL, "%s: rank %d is not in 0..%d", caller, (int)array->rank,
                       SIGAD_MAX_RANK);
    for (int i = 0; i < array->rank; i++)
        if (array->shape[i] < 0)
            return sg_fail(error, SIGAD_EINVAL, "%s: axis %d has negative size %lld", caller, i,
                           (long long)array->shape[i]);
    return sg_fail(error, SIGAD_ERANGE, "%s: the size of %s overflows", caller,
                   sg_shape_text(array, text));
}

sigad_status sg_array_measure(sg_error *error, const char *caller, sigad_array *array)
{
    const size_t size = sg_dtype_bytes(array->dtype);
    int64_t elements = 1, nonzero = 1, bytes;
    if (!size || array->rank < 0 || array->rank > SIGAD_MAX_RANK)
        return refuse(error, caller, array);
    for (int i = 0; i < array->rank; i++) {
        const int64_t n = array->shape[i];
        if (n < 0) return refuse(error, caller, array);
        if (n && !sg_multiply(nonzero, n, &nonzero)) nonzero = INT64_MAX;
        elements = n == 0 ? 0 : elements ? nonzero : 0;
    }
    if (!sg_multiply(nonzero, (int64_t)size, &bytes) || bytes > PTRDIFF_MAX / 2)
        return refuse(error, caller, array);
    array->elements = elements;
    return SIGAD_OK;
}

sigad_status sg_array_describe(sg_error *error, const char *caller, sigad_dtype dtype, int rank,
                               const int64_t *shape, sigad_array *array)
{
    *array = (sigad_array){.dtype = (int32_t)dtype, .rank = rank};
    if (rank > 0 && !shape)
        return sg_fail(error, SIGAD_EINVAL, "%s: shape is NULL but rank is %d", caller, rank);
    for (int i = 0; i < rank && i < SIGAD_MAX_RANK; i++) array->shape[i] = shape[i];
    return sg_array_measure(error, caller, array);
}

const char *sg_shape_text(const sigad_array *array, char buffer[SG_SHAPE_TEXT])
{
    int used = snprintf(buffer, SG_SHAPE_TEXT, "[");
    for (int i = 0; i < array->rank && i < SIGAD_MAX_RANK; i++)
        used += snprintf(buffer + used, (size_t)(SG_SHAPE_TEXT - used), i ? ",%lld" : "%lld",
                         (long long)array->shape[i]);
    snprintf(buffer + used, (size_t)(SG_SHAPE_TEXT - used), "]");
    return buffer;
}

bool sg_array_accumulate(sigad_context *context, const char *caller, const sigad_array *array,
                         void *sum, const void *term)
{
    const sg_view all = {.rank = 1, .shape = {array->elements}, .y_stride = {1}, .x_stride = {1}};
    if (!array->elements) return true;
    const int32_t before = sg_device_enter(&context->device);
    context->place.kernels->add_scaled(&context->place, array->dtype, &all, 1.0, term, sum, false);
    sg_device_leave(&context->device, before);
    return sg_device_ran(context, caller);
}

#include "graph/init.h"
#include "graph/tape.h"
#include <stdio.h>
#include <string.h>

static size_t block_bytes(const sigad_array *value)
{
    size_t bytes = sg_array_bytes(value);
    return bytes ? bytes : 1;
}

void sg_parameter_destroy(sigad_context *context, sg_parameter *parameter)
{
    const sigad_allocator *allocator = &context->allocator;
    if (!parameter) return;
    sg_device_release(context, parameter->value.data, block_bytes(&parameter->value));
    sg_device_release(context, parameter->gradient, block_bytes(&parameter->value));
    if (parameter->name) sg_release(allocator, parameter->name, strlen(parameter->name) + 1);
    sg_release(allocator, parameter, sizeof *parameter);
}

bool sg_parameter_need_gradient(sigad_context *context, sg_parameter *parameter)
{
    size_t bytes = block_bytes(&parameter->value);
    if (!parameter->gradient) parameter->gradient = sg_device_take(context, bytes);
    if (!parameter->gradient) {
        sg_fail(&context->error, SIGAD_ENOMEM, "gradient of '%s': no memory for %zu bytes",
                parameter->name, bytes);
        return false;
    }
    return true;
}

/* ---- making -------------------------------------------------------------------------------- */

static sigad_status check_new(sigad_context *context, const char *name, sigad_dtype dtype)
{
    if (!name || !*name)
        return sg_fail(&context->error, SIGAD_EINVAL, "sigad_parameter: a name is needed");
    if (dtype != SIGAD_F32 && dtype != SIGAD_F64)
        return sg_fail(&context->error, SIGAD_EDTYPE,
                       "sigad_parameter '%s': dtype is %s, use SIGAD_F32 or SIGAD_F64", name,
                       sg_dtype_name((int32_t)dtype));
    if (sg_context_parameter_named(context, name))
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "sigad_parameter '%s': the context has one of this name already", name);
    return SIGAD_OK;
}

/* On the host, and then to where the parameter lives: every device starts from the same draws. */
static bool initialise(sigad_context *context, const char *caller, sg_parameter *parameter,
                       sigad_init init)
{
    sigad_array value = parameter->value;
    const size_t bytes = block_bytes(&value);
    if (sg_device_is_host(&context->device))
        return !sg_initialise(context, parameter->name, init, &value);
    value.data = sg_context_allocate(context, bytes);
    if (!value.data) return !sg_context_no_memory(context, caller, bytes);
    const bool good =
        !sg_initialise(context, parameter->name, init, &value) &&
        sg_device_put(context, caller, parameter->value.data, value.data, sg_array_bytes(&value)) &&
        sg_device_wait(context, caller);
    sg_release(&context->allocator, value.data, bytes);
    return good;
}

static sg_parameter *parameter_create(sigad_context *context, const char *caller, const char *name,
                                      const sigad_array *value, sigad_init init)
{
    sg_parameter *parameter = sg_allocate(&context->allocator, sizeof *parameter);
    if (parameter) {
        *parameter = (sg_parameter){.value = *value, .version = 1};
        parameter->name = sg_copy_text(&context->allocator, name);
        parameter->value.data = sg_device_take(context, block_bytes(value));
        if (parameter->name && parameter->value.data) {
            if (initialise(context, caller, parameter, init)) return parameter;
        } else {
            sg_context_no_memory(context, caller, block_bytes(value));
        }
    } else {
        sg_context_no_memory(context, caller, sizeof *parameter);
    }
    sg_parameter_destroy(context, parameter);
    return NULL;
}

sigad_tensor sigad_parameter(sigad_context *context, const char *name, sigad_dtype dtype, int rank,
                             const int64_t *shape, sigad_init init)
{
    const sigad_tensor poison = {0, 0};
    sigad_array value;
    char caller[256];
    if (!sg_context_ready(context) || check_new(context, name, dtype)) return poison;
    snprintf(caller, sizeof caller, "sigad_parameter '%.200s'", name);
    if (sg_array_describe(&context->error, caller, dtype, rank, shape, &value)) return poison;
    if (!sg_grow(&context->allocator, (void **)&context->parameters, context->parameter_count,
                 &context->parameter_capacity, sizeof *context->parameters)) {
        sg_context_no_memory(context, caller, sizeof *context->parameters);
        return poison;
    }
    sg_parameter *parameter = parameter_create(context, caller, name, &value, init);
    if (!parameter) return poison;
    context->parameters[context->parameter_count++] = parameter;
    return sg_context_parameter_handle(context, context->parameter_count - 1);
}

/* ---- finding ------------------------------------------------------------------------------- */

sigad_tensor sg_context_parameter_handle(const sigad_context *context, size_t index)
{
    return (sigad_tensor){(uint32_t)index, context->tag};
}

sg_parameter *sg_context_parameter(sigad_context *context, const char *caller, sigad_tensor handle)
{
    if (!handle.generation) {
        sg_fail(&context->error, SIGAD_EINVAL,
                "%s: the parameter is the zero tensor, though no error is set: was it made?",
                caller);
        return NULL;
    }
    if (!sg_is_parameter(handle)) {
        sg_fail(&context->error, SIGAD_EINVAL,
                "%s: this is a tensor of a tape; a parameter is needed", caller);
        return NULL;
    }
    if (handle.generation != context->tag || handle.id >= context->parameter_count) {
        sg_fail(&context->error, SIGAD_ESTALE, "%s: this parameter belongs to another context",
                caller);
        return NULL;
    }
    return context->parameters[handle.id];
}

static size_t position_of(const sigad_context *context, const char *name)
{
    size_t i = 0;
    while (i < context->parameter_count && strcmp(context->parameters[i]->name, name) != 0) i++;
    return i;
}

sg_parameter *sg_context_parameter_named(const sigad_context *context, const char *name)
{
    size_t i = position_of(context, name);
    return i < context->parameter_count ? context->parameters[i] : NULL;
}

sigad_tensor sigad_parameter_find(sigad_context *context, const char *name)
{
    const sigad_tensor poison = {0, 0};
    if (!sg_context_ready(context)) return poison;
    size_t i = name ? position_of(context, name) : context->parameter_count;
    if (i < context->parameter_count) return sg_context_parameter_handle(context, i);
    sg_fail(&context->error, SIGAD_EINVAL, "sigad_parameter_find: no parameter is called '%s'",
            name ? name : "(NULL)");
    return poison;
}

int sigad_parameter_count(const sigad_context *context)
{
    return context ? (int)context->parameter_count : 0;
}

sigad_tensor sigad_parameter_at(sigad_context *context, int index)
{
    const sigad_tensor poison = {0, 0};
    if (!context) return poison;
    if (index >= 0 && (size_t)index < context->parameter_count)
        return sg_context_parameter_handle(context, (size_t)index);
    sg_fail(&context->error, SIGAD_EINVAL, "sigad_parameter_at: index %d is not in 0..%d", index,
            (int)context->parameter_count - 1);
    return poison;
}

/* ---- using --------------------------------------------------------------------------------- */

sigad_status sg_info_write(sigad_context *context, const sigad_tensor_info *full,
                           sigad_tensor_info *info)
{
    uint32_t size = info ? info->size : 0;
    if (size < sizeof size)
        return sg_fail(&context->error, SIGAD_EINVAL,
                       "sigad_tensor_info: set size before the call (SIGAD_TENSOR_INFO_INIT)");
    memcpy(info, full, size < sizeof *full ? size : sizeof *full);
    if (size > sizeof *full) memset((char *)info + sizeof *full, 0, size - sizeof *full);
    info->size = size;
    return SIGAD_OK;
}

void sg_info_of_array(const sigad_context *context, const sigad_array *value,
                      sigad_tensor_info *info)
{
    info->dtype = value->dtype;
    info->device = sg_device_is_host(&context->device) ? SIGAD_CPU : SIGAD_CUDA;
    info->rank = value->rank;
    info->elements = value->elements;
    memcpy(info->shape, value->shape, sizeof info->shape);
}

sigad_status sigad_parameter_describe(sigad_context *context, sigad_tensor handle,
                                      sigad_tensor_info *info)
{
    if (!context) return SIGAD_EINVAL;
    const sg_parameter *parameter =
        sg_context_parameter(context, "sigad_parameter_describe", handle);
    if (!parameter) return context->error.status;
    sigad_tensor_info full = {
        .operation = "parameter", .label = parameter->name, .trainable = !parameter->frozen};
    sg_info_of_array(context, &parameter->value, &full);
    return sg_info_write(context, &full, info);
}

/* The parameter, if `bytes` is its size and there is memory to exchange them with. */
static sg_parameter *checked(sigad_context *context, const char *caller, sigad_tensor handle,
                             const void *data, size_t bytes)
{
    sg_parameter *parameter = sg_context_parameter(context, caller, handle);
    if (!parameter) return NULL;
    size_t wanted = sg_array_bytes(&parameter->value);
    if (bytes != wanted)
        sg_fail(&context->error, SIGAD_ESHAPE, "%s '%s': it has %zu bytes, not %zu", caller,
                parameter->name, wanted, bytes);
    else if (!data && bytes)
        sg_fail(&context->error, SIGAD_EINVAL, "%s '%s': data is NULL", caller, parameter->name);
    else
        return parameter;
    return NULL;
}

sigad_status sigad_parameter_read(sigad_context *context, sigad_tensor handle, void *data,
                                  size_t bytes)
{
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    const sg_parameter *parameter = checked(context, "sigad_parameter_read", handle, data, bytes);
    if (!parameter) return context->error.status;
    sg_device_get(context, "sigad_parameter_read", data, parameter->value.data, bytes);
    return context->error.status;
}

sigad_status sigad_parameter_write(sigad_context *context, sigad_tensor handle, const void *data,
                                   size_t bytes)
{
    const char *caller = "sigad_parameter_write";
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    sg_parameter *parameter = checked(context, caller, handle, data, bytes);
    if (!parameter) return context->error.status;
    if (sg_device_put(context, caller, parameter->value.data, data, bytes) &&
        sg_device_wait(context, caller))
        parameter->version++;
    return context->error.status;
}

sigad_status sigad_parameter_freeze(sigad_context *context, sigad_tensor handle, int frozen)
{
    if (!context) return SIGAD_EINVAL;
    if (context->error.status) return context->error.status;
    sg_parameter *parameter = sg_context_parameter(context, "sigad_parameter_freeze", handle);
    if (!parameter) return context->error.status;
    parameter->frozen = frozen != 0;
    return SIGAD_OK;
}

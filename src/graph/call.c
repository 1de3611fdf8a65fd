#include "graph/call.h"
#include "core/random.h"

const char *sg_op_function_name(const sigad_context *context, int which)
{
    static const char *const host[] = {"fwd", "vjp", "jvp", "soc"};
    static const char *const cuda[] = {"cuda_fwd", "cuda_vjp", "cuda_jvp", "cuda_soc"};
    return (sg_device_is_host(&context->device) ? host : cuda)[which];
}

uint64_t sg_call_random_key(const sigad_op_call *public_call)
{
    const sg_call *call = (const sg_call *)(const void *)public_call;
    uint64_t key = sg_random_key(call->tape->context->seed, call->tape->serial);
    return sg_random_key(sg_random_key(key, call->tape->step), call->position);
}

sigad_status sigad_op_fail(const sigad_op_call *public_call, sigad_status status,
                           const char *format, ...)
{
    if (!public_call) return SIGAD_EINVAL;
    const sg_call *call = (const sg_call *)(const void *)public_call;
    va_list values;
    va_start(values, format);
    sg_fail_operation(&call->tape->context->error, status ? status : SIGAD_EINTERNAL, call->name,
                      call->label, format, values);
    va_end(values);
    return status;
}

/* A kernel that could not be launched was noted; the operation did not look. */
static void report_launch(sg_call *call)
{
    sigad_context *context = call->tape->context;
    const int error = context->place.error;
    context->place.error = 0;
    sigad_op_fail(&call->call, SIGAD_ECUDA, "a kernel could not be launched, CUDA error %d: %s",
                  error, sg_device_error_text(&context->device, error));
}

void sg_call_report(sg_call *call, sigad_status status, int which)
{
    const sigad_context *context = call->tape->context;
    const char *name = which == SG_INFER ? "infer" : sg_op_function_name(context, which);
    if (context->place.error) report_launch(call);
    if (status && !context->error.status)
        sigad_op_fail(&call->call, status, "%s failed: %s", name, sigad_status_string(status));
}

sigad_status sg_call_on_device(sg_call *call, sigad_op_function function)
{
    const sg_device *device = &call->tape->context->device;
    const int32_t before = sg_device_enter(device);
    const sigad_status status = function(&call->call);
    sg_device_leave(device, before);
    return status;
}

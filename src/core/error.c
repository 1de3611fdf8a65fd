#include "core/error.h"
#include <stdio.h>
#include <string.h>

/* All messages begin "WHO: " or "WHO 'label': ". */
static int place_for_label(const char *message)
{
    const char *colon = strstr(message, ": ");
    return colon && colon > message && colon[-1] != '\'' ? (int)(colon - message) : 0;
}

sigad_status sg_failv(sg_error *error, sigad_status status, const char *format, va_list values)
{
    return sg_fail_operation(error, status, NULL, NULL, format, values);
}

sigad_status sg_fail(sg_error *error, sigad_status status, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    status = sg_failv(error, status, format, values);
    va_end(values);
    return status;
}

sigad_status sg_fail_operation(sg_error *error, sigad_status status, const char *name,
                               const char *label, const char *format, va_list values)
{
    if (error->status) return error->status;
    int used = 0;
    if (name && label && *label)
        used = snprintf(error->message, sizeof error->message, "%.200s '%.200s': ", name, label);
    else if (name)
        used = snprintf(error->message, sizeof error->message, "%.200s: ", name);
    vsnprintf(error->message + used, sizeof error->message - (size_t)used, format, values);
    error->label_at = place_for_label(error->message);
    error->status = status;
    if (error->log) error->log(error->log_user, SIGAD_LOG_ERROR, error->message);
    return status;
}

void sg_error_add_label(sg_error *error, const char *label)
{
    if (!error->status || !error->label_at || !*label) return;
    char rest[SG_MESSAGE_BYTES];
    size_t at = (size_t)error->label_at;
    memcpy(rest, error->message + at, sizeof rest - at);
    snprintf(error->message + at, sizeof error->message - at, " '%.200s'%s", label, rest);
    error->label_at = 0;
}

sigad_status sg_error_clear(sg_error *error)
{
    sigad_status held = error->status;
    error->status = SIGAD_OK;
    error->label_at = 0;
    error->message[0] = '\0';
    return held;
}

const char *sigad_status_string(sigad_status status)
{
    static const char *const text[] = {"no error",
                                       "invalid argument",
                                       "shapes do not fit",
                                       "element types do not fit",
                                       "wrong device",
                                       "out of memory",
                                       "out of range",
                                       "stale handle",
                                       "parameter modified after use",
                                       "differentiated too often",
                                       "input or output failed",
                                       "malformed data",
                                       "CUDA runtime error",
                                       "not supported",
                                       "internal error"};
    int value = (int)status;
    return value >= 0 && value < (int)(sizeof text / sizeof *text) ? text[value] : "unknown status";
}

int32_t sigad_version(void)
{
    return SIGAD_VERSION;
}

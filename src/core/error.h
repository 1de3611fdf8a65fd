/* The first error of a context, with its message. It sticks until it is cleared. */
#ifndef SG_ERROR_H
#define SG_ERROR_H
#include "sigad/base.h"
#include <stdarg.h>

enum { SG_MESSAGE_BYTES = 1024 };

typedef struct {
    sigad_status status;
    int label_at; /* where a label may still be put into the message, 0: nowhere */
    sigad_log_function log;
    void *log_user;
    char message[SG_MESSAGE_BYTES];
} sg_error;

/* Keeps the first error, tells the log hook, and returns the status that is held. The message
 * begins with "WHO: " or "WHO 'label': "; a missing label can be added until the next
 * sg_error_settle, which every function that makes a tensor calls when it finds an error. */
sigad_status sg_fail(sg_error *error, sigad_status status, const char *format, ...)
    SIGAD_PRINTF(3, 4);
sigad_status sg_failv(sg_error *error, sigad_status status, const char *format, va_list values);

/* As sg_fail, with "NAME: " or "NAME 'label': " in front. */
sigad_status sg_fail_operation(sg_error *error, sigad_status status, const char *name,
                               const char *label, const char *format, va_list values);
void sg_error_add_label(sg_error *error, const char *label);
static inline void sg_error_settle(sg_error *error)
{
    error->label_at = 0;
}

sigad_status sg_error_clear(sg_error *error);
#endif

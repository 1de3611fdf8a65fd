/* Checks that the options of this room share. */
#ifndef SG_OPTION_H
#define SG_OPTION_H
#include "graph/context.h"

/* 0 means the default, DBL_MIN stands for a true 0. */
double sg_option(double given, double standard);
/* SIGAD_EINVAL, with a message that names function and option, unless the option fits. */
sigad_status sg_option_not_negative(sigad_context *context, const char *function,
                                    const char *option, double value);
sigad_status sg_option_below_1(sigad_context *context, const char *function, const char *option,
                               double value);

/* The same for a field that no library knows yet. */
sigad_status sg_option_reserved(sigad_context *context, const char *function, int64_t value);
#endif

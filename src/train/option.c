#include "train/option.h"
#include <float.h>

double sg_option(double given, double standard)
{
    if (given == 0.0) return standard;
    return given == DBL_MIN ? 0.0 : given;
}

sigad_status sg_option_not_negative(sigad_context *context, const char *function,
                                    const char *option, double value)
{
    if (value >= 0.0 && value <= DBL_MAX) return SIGAD_OK;
    return sg_fail(&context->error, SIGAD_EINVAL,
                   "%s: %s is %g; it must be finite and not negative", function, option, value);
}

sigad_status sg_option_below_1(sigad_context *context, const char *function, const char *option,
                               double value)
{
    if (value >= 0.0 && value < 1.0) return SIGAD_OK;
    return sg_fail(&context->error, SIGAD_EINVAL,
                   "%s: %s is %g; it must be at least 0 and less than 1", function, option, value);
}

sigad_status sg_option_reserved(sigad_context *context, const char *function, int64_t value)
{
    if (!value) return SIGAD_OK;
    return sg_fail(&context->error, SIGAD_EINVAL, "%s: reserved is %lld; it must be 0", function,
                   (long long)value);
}

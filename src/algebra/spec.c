#include "algebra/spec.h"
#include "algebra/words.h"
#include "core/memory.h"
#include "core/options.h"
#include <math.h>

static sigad_status refuse(sg_error *error, const char *caller, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static sigad_status refuse(sg_error *error, const char *caller, const char *format, ...)
{
    if (!error) return SIGAD_EINVAL;
    va_list values;
    va_start(values, format);
    sg_fail_operation(error, SIGAD_EINVAL, caller, NULL, format, values);
    va_end(values);
    return SIGAD_EINVAL;
}

sigad_status sg_spec_read(sg_error *error, const char *caller, const sigad_sig_spec *given,
                          sigad_sig_spec *known)
{
    if (!given) return refuse(error, caller, "spec is NULL");
    sigad_status status = sg_options(error, "sigad_sig_spec", given, known, sizeof *known);
    if (status) return status;
    known->size = sizeof *known;
    const struct {
        const char *name;
        int32_t value, least, most;
        const char *right;
    } field[] = {{"dimension", known->dimension, 0, INT32_MAX, "positive"},
                 {"degree", known->degree, 1, INT32_MAX, "set, to 1 or more"},
                 {"time_aug", known->time_aug, 0, 1, "0 or 1"},
                 {"lead_lag", known->lead_lag, 0, 1, "0 or 1"},
                 {"scalar_term", known->scalar_term, 0, 1, "0 or 1"},
                 {"method", known->method, SIGAD_EXPANDED, SIGAD_LYNDON_BRACKETS, "0, 1 or 2"},
                 {"kernel", known->kernel, SIGAD_KERNEL_AUTO, SIGAD_KERNEL_CORE, "0, 1 or 2"}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        if (field[i].value < field[i].least || field[i].value > field[i].most)
            return refuse(error, caller, "spec.%s is %d, must be %s", field[i].name,
                          (int)field[i].value, field[i].right);
    if (!isfinite(known->end_time))
        return refuse(error, caller, "spec.end_time is %g, must be finite", known->end_time);
    if (known->end_time == 0.0) known->end_time = 1.0;
    return SIGAD_OK;
}

sigad_status sg_spec_sig_length(const sigad_sig_spec *spec, int64_t *length)
{
    int64_t words;
    if (!sg_words_total(sg_spec_letters(spec), spec->degree, &words) ||
        !sg_add(words, spec->scalar_term, &words))
        return SIGAD_ERANGE;
    *length = words;
    return SIGAD_OK;
}

sigad_status sg_spec_log_sig_length(const sigad_sig_spec *spec, int64_t *length)
{
    if (spec->method == SIGAD_EXPANDED) return sg_spec_sig_length(spec, length);
    return sg_lyndon_total(sg_spec_letters(spec), spec->degree, length) ? SIGAD_OK : SIGAD_ERANGE;
}

static sigad_status public_length(const sigad_sig_spec *spec, int64_t *length,
                                  sigad_status (*of)(const sigad_sig_spec *, int64_t *))
{
    sigad_sig_spec known;
    if (!length) return SIGAD_EINVAL;
    sigad_status status = sg_spec_read(NULL, NULL, spec, &known);
    if (status) return status;
    return known.dimension ? of(&known, length) : SIGAD_EINVAL;
}

sigad_status sigad_sig_length(const sigad_sig_spec *spec, int64_t *length)
{
    return public_length(spec, length, sg_spec_sig_length);
}

sigad_status sigad_log_sig_length(const sigad_sig_spec *spec, int64_t *length)
{
    return public_length(spec, length, sg_spec_log_sig_length);
}

#include "algebra/spec.h"
#include "algebra/words.h"
#include "core/memory.h"
#include "core/options.h"
#include <math.h>

static sigad_status bad_field(sg_error *error, const char *caller, const char *field,
                              long long value, const char *right)
{
    if (error)
        sg_fail(error, SIGAD_EINVAL, "%s: spec.%s is %lld, must be %s", caller, field, value,
                right);
    return SIGAD_EINVAL;
}

sigad_status sg_spec_read(sg_error *error, const char *caller, const sigad_sig_spec *given,
                          sigad_sig_spec *known)
{
    if (!given) {
        if (error) sg_fail(error, SIGAD_EINVAL, "%s: spec is NULL", caller);
        return SIGAD_EINVAL;
    }
    sigad_status status = sg_options(error, "sigad_sig_spec", given, known, sizeof *known);
    if (status) return status;
    known->size = sizeof *known;
    if (known->dimension < 0)
        return bad_field(error, caller, "dimension", known->dimension, "positive");
    if (known->degree < 1)
        return bad_field(error, caller, "degree", known->degree, "set, to 1 or more");
    const struct {
        const char *name;
        int32_t value, most;
        const char *right;
    } field[] = {{"time_aug", known->time_aug, 1, "0 or 1"},
                 {"lead_lag", known->lead_lag, 1, "0 or 1"},
                 {"scalar_term", known->scalar_term, 1, "0 or 1"},
                 {"method", known->method, SIGAD_LYNDON_BRACKETS, "0, 1 or 2"},
                 {"reserved", known->reserved, 0, "0"}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        if (field[i].value < 0 || field[i].value > field[i].most)
            return bad_field(error, caller, field[i].name, field[i].value, field[i].right);
    if (!isfinite(known->end_time)) {
        if (error)
            sg_fail(error, SIGAD_EINVAL, "%s: spec.end_time is %g, must be finite", caller,
                    known->end_time);
        return SIGAD_EINVAL;
    }
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

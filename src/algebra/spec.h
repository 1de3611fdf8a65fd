/* Reading a sigad_sig_spec, and the sizes that follow from it. */
#ifndef SG_SPEC_H
#define SG_SPEC_H
#include "core/error.h"
#include "sigad/signature.h"

/* Copies a caller's spec into `known`, with end_time 0 replaced by 1, and refuses fields that are
 * never right: SIGAD_EINVAL, or SIGAD_ENOTSUP for a longer struct with a set tail. A dimension of 0
 * passes (operations on a tape infer it); a plan needs more. With `error`, the message begins with
 * `caller`. */
sigad_status sg_spec_read(sg_error *error, const char *caller, const sigad_sig_spec *given,
                          sigad_sig_spec *known);

/* Channels of the augmented path. */
static inline int64_t sg_spec_letters(const sigad_sig_spec *spec)
{
    return (int64_t)spec->dimension * (1 + spec->lead_lag) + spec->time_aug;
}

/* Number of entries of a signature with the spec's scalar term, and of the log-signature in the
 * spec's method; SIGAD_ERANGE if it does not fit. The spec has been read by sg_spec_read and its
 * dimension is set. */
sigad_status sg_spec_sig_length(const sigad_sig_spec *spec, int64_t *length);
sigad_status sg_spec_log_sig_length(const sigad_sig_spec *spec, int64_t *length);

#endif

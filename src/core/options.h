/* The rule of options: a struct starts with `size`; a longer one than we know is accepted if its
 * unknown tail is zero; a shorter one is filled up with zeros. */
#ifndef SG_OPTIONS_H
#define SG_OPTIONS_H
#include "core/error.h"

/* Copies what the caller passed into `known` (of `known_bytes`, which starts with a uint32_t size).
 * NULL given: all zero. `name` is the struct's, for the message. error may be NULL. */
sigad_status sg_options(sg_error *error, const char *name, const void *given, void *known,
                        size_t known_bytes);

/* The same rule for a struct that is used where it stands: refuses one that is longer than we know,
 * unless the rest is zero. */
sigad_status sg_options_check_tail(sg_error *error, const char *name, const void *given,
                                   size_t known_bytes);
#endif

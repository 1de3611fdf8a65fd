#include "core/options.h"
#include <string.h>

sigad_status sg_options_check_tail(sg_error *error, const char *name, const void *given,
                                   size_t known_bytes)
{
    uint32_t size;
    memcpy(&size, given, sizeof size);
    for (size_t i = known_bytes; i < size; i++)
        if (((const unsigned char *)given)[i]) {
            if (error)
                sg_fail(error, SIGAD_ENOTSUP,
                        "%s: byte %zu is set, but this library knows %zu bytes only; use a newer "
                        "library",
                        name, i, known_bytes);
            return SIGAD_ENOTSUP;
        }
    return SIGAD_OK;
}

sigad_status sg_options(sg_error *error, const char *name, const void *given, void *known,
                        size_t known_bytes)
{
    uint32_t size = 0;
    memset(known, 0, known_bytes);
    if (!given) return SIGAD_OK;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size) {
        if (error)
            sg_fail(error, SIGAD_EINVAL, "%s: size is %u, set it (SIGAD_..._INIT does)", name,
                    (unsigned)size);
        return SIGAD_EINVAL;
    }
    memcpy(known, given, size < known_bytes ? size : known_bytes);
    return sg_options_check_tail(error, name, given, known_bytes);
}

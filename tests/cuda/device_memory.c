/* Memory of the emulated device: the host's, in blocks of exactly the size asked for, so that the
 * address sanitizer sees what is read past them. */
#include "device_memory.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *device_take(size_t bytes)
{
    void *block = NULL;
    if (posix_memalign(&block, 256, bytes ? bytes : 1)) return NULL;
    memset(block, 0xff, bytes);
    return block;
}

void device_release(void *block)
{
    free(block);
}

int device_put(void *to, const void *from, size_t bytes)
{
    if (bytes) memcpy(to, from, bytes);
    return 0;
}

int device_get(void *to, const void *from, size_t bytes)
{
    return device_put(to, from, bytes);
}

const char *device_name(void)
{
    return "emulation";
}

double device_seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Memory of the device that a check runs on: the emulation's or a real one's. */
#ifndef DEVICE_MEMORY_H
#define DEVICE_MEMORY_H
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

void *device_take(size_t bytes); /* 256-byte aligned and filled with NaN; NULL if memory is short */
void device_release(void *block);
int device_put(void *to, const void *from, size_t bytes); /* 0, or the runtime's error */
int device_get(void *to, const void *from, size_t bytes); /* waits for all that was queued */
void *device_take_pinned(size_t bytes);                   /* of the host; NULL if memory is short */
void device_release_pinned(void *block);
const char *device_name(void);
double device_products(int scalar_bytes); /* multiply-adds a second, at most; 0: nobody knows */
double device_seconds(void);              /* waits for all that was queued, then looks at a clock */

#ifdef __cplusplus
}
#endif
#endif

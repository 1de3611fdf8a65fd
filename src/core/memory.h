/* Memory through the caller's hook. Every block is 64-byte aligned; sizes are handed back when it
 * is released, as the hook wants. */
#ifndef SG_MEMORY_H
#define SG_MEMORY_H
#include "sigad/base.h"
#include <stdbool.h>

enum { SG_ALIGNMENT = 64, SG_DEVICE_ALIGNMENT = 256 };

/* The hook that {NULL, NULL} stands for: aligned memory of the C library. */
sigad_allocator sg_allocator_or_default(sigad_allocator allocator);

/* NULL on failure. `bytes` must not be 0. The fresh block is not cleared. */
void *sg_allocate(const sigad_allocator *allocator, size_t bytes);
/* The old block stays on failure. */
void *sg_reallocate(const sigad_allocator *allocator, void *block, size_t old_bytes,
                    size_t new_bytes);
void sg_release(const sigad_allocator *allocator, void *block,
                size_t bytes); /* NULL does nothing */

/* Makes room for one more of `*count` items of `item_bytes`, doubling `*capacity`; false when
 * memory is short (nothing has changed then). */
bool sg_grow(const sigad_allocator *allocator, void **items, size_t count, size_t *capacity,
             size_t item_bytes);

/* Text of the block's own; release with strlen + 1 bytes. */
char *sg_copy_text(const sigad_allocator *allocator, const char *text);

/* Overflow-checked sizes: false, and *result untouched, if the exact value does not fit. Operands
 * must not be negative. */
static inline bool sg_multiply(int64_t a, int64_t b, int64_t *result)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product)) return false;
    *result = product;
    return true;
}
static inline bool sg_add(int64_t a, int64_t b, int64_t *result)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return false;
    *result = sum;
    return true;
}
#endif

#include "support/failing_allocator.h"
#include <stdlib.h>
#include <string.h>

static void *resize(void *user, void *pointer, size_t old_size, size_t new_size, size_t alignment)
{
    failing_allocator *a = user;
    void *fresh = NULL;
    if (new_size) {
        a->made++;
        bool fails = a->fail_at && (a->for_ever ? a->made >= a->fail_at : a->made == a->fail_at);
        a->failed += fails;
        if (fails || posix_memalign(&fresh, alignment, new_size)) return NULL;
        memset(fresh, 0x41, new_size); /* 2.3e6 as a double: nobody may count on cleared memory */
        if (pointer) memcpy(fresh, pointer, old_size < new_size ? old_size : new_size);
        a->live += (int64_t)new_size;
    }
    if (pointer) a->live -= (int64_t)old_size;
    free(pointer);
    return fresh;
}

sigad_allocator failing_allocator_hook(failing_allocator *allocator)
{
    return (sigad_allocator){resize, allocator};
}

void failing_allocator_arm(failing_allocator *allocator, int64_t fail_at, bool for_ever)
{
    allocator->fail_at = fail_at;
    allocator->for_ever = for_ever;
    allocator->made = allocator->failed = 0;
}

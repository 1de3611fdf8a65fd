#include "core/memory.h"
#include "ops/cpu/signature.h"

int64_t sg_work_add(int64_t total, int64_t copies, int64_t elements)
{
    const int64_t most = (int64_t)1 << 59;
    if (total < 0 || elements > most || !sg_multiply(copies, sg_block(elements), &elements) ||
        !sg_add(total, elements, &total) || total > most)
        return -1;
    return total;
}

#include "train/rules/rules.h"

extern const sg_update_loops sg_updates_base;
#if defined(__x86_64__)
extern const sg_update_loops sg_updates_avx2, sg_updates_avx512;
const sg_update_loops *const sg_updates[SG_ISAS] = {&sg_updates_base, &sg_updates_avx2,
                                                    &sg_updates_avx512};
#else
const sg_update_loops *const sg_updates[SG_ISAS] = {&sg_updates_base, &sg_updates_base,
                                                    &sg_updates_base};
#endif

#include "core/cpu.h"
#include "sigad/base.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const name[SG_ISAS] = {"base", "avx2", "avx512"};

static sg_isa supported(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma"))
        return SG_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        return SG_ISA_AVX2;
#endif
    return SG_ISA_BASE;
}

sg_isa sg_isa_best(void)
{
    sg_isa best = supported();
    const char *wanted = getenv("SIGAD_INSTRUCTION_SET");
    for (int isa = SG_ISA_BASE; wanted && isa < (int)best; isa++)
        if (strcmp(wanted, name[isa]) == 0) return (sg_isa)isa;
    return best;
}

static atomic_int known; /* one more than the answer; 0: nobody has asked */

static __attribute__((noinline)) sg_isa ask(void)
{
    const sg_isa best = sg_isa_best();
    atomic_store_explicit(&known, (int)best + 1, memory_order_relaxed);
    return best;
}

sg_isa sg_isa_chosen(void)
{
    const int found = atomic_load_explicit(&known, memory_order_relaxed);
    return found ? (sg_isa)(found - 1) : ask();
}

const char *sg_isa_name(sg_isa isa)
{
    return name[isa];
}

const char *sigad_instruction_set(void)
{
    return name[sg_isa_best()];
}

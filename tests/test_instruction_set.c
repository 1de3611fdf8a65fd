/* Which instruction set the kernels are chosen for. */
#include "core/cpu.h"
#include <criterion/criterion.h>
#include <sigad/base.h>
#include <stdlib.h>

/* The environment variable lowers the instruction set, and nothing else changes it. */
Test(instruction_set, can_be_lowered)
{
    unsetenv("SIGAD_INSTRUCTION_SET");
    sg_isa best = sg_isa_best();
    cr_assert_str_eq(sigad_instruction_set(), sg_isa_name(best));
    for (int isa = SG_ISA_BASE; isa <= (int)best; isa++) {
        setenv("SIGAD_INSTRUCTION_SET", sg_isa_name((sg_isa)isa), 1);
        cr_assert_str_eq(sigad_instruction_set(), sg_isa_name((sg_isa)isa));
    }
    setenv("SIGAD_INSTRUCTION_SET", "quantum", 1);
    cr_assert_str_eq(sigad_instruction_set(), sg_isa_name(best));
}

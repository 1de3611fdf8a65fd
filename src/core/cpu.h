/* Which instructions this processor has. */
#ifndef SG_CPU_H
#define SG_CPU_H

typedef enum { SG_ISA_BASE, SG_ISA_AVX2, SG_ISA_AVX512, SG_ISAS } sg_isa;

/* The best one that the processor and the operating system support, or the one that the environment
 * variable SIGAD_INSTRUCTION_SET names (base, avx2, avx512) if that is no better than what is
 * there. */
sg_isa sg_isa_best(void);
/* The same, asked for once in a process: for what must cost nothing. */
sg_isa sg_isa_chosen(void);
const char *sg_isa_name(sg_isa isa);
#endif

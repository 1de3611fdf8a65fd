/* How many threads a block of a signature kernel may have: constants of each kernel, by which the
 * compiler bounds its registers and layout.c its blocks. */
#ifndef SG_CUDA_BOUNDS_H
#define SG_CUDA_BOUNDS_H

#ifdef __cplusplus
#    define SG_BOUND constexpr int
#else
#    define SG_BOUND static inline int
#endif

/* Blocks of a multiprocessor that every kernel leaves registers for. */
enum { SG_CUDA_SIDE_BY_SIDE = 2, SG_CUDA_REGISTERS = 65536 };

/* Which kernel: as in sg_cuda_layout. */
typedef struct {
    int levels, tile_k, tile_q, degree, scalar_bytes, backward;
} sg_cuda_kind;

/* Registers that a thread asks for, more or less, as the compiler says without bounds: for the
 * words that it holds, and in the backward for what its suffixes hand on. */
SG_BOUND sg_cuda_registers(sg_cuda_kind k)
{
    int held = 0, words = k.tile_k, chain = 0;
    for (int level = 1; level <= k.levels; level++) {
        held += k.backward && level < k.levels ? 2 * words : words;
        words *= k.tile_q ? k.tile_q : k.tile_k;
    }
    for (int j = 1; j <= k.degree - k.levels; j++) chain += k.degree - j;
    held *= k.scalar_bytes / 4;
    chain *= k.scalar_bytes / 4;
    return k.backward ? 50 + held * 8 / 5 + 3 * chain
                      : 50 + held * 11 / 10 + (k.scalar_bytes == 8 ? 15 : 0);
}

/* 128, 170 or 255 registers are left for each. */
SG_BOUND sg_cuda_most_threads(sg_cuda_kind k)
{
    int registers = sg_cuda_registers(k);
    return registers <= 130 ? 256 : registers <= 205 ? 192 : 128;
}
#endif

/* A step on the processor. Arrays are cut into blocks of a fixed size, and sums have a fixed order,
 * so that the bits do not depend on the number of threads. */
#include "train/rules/rules.h"
#include "core/parallel.h"

#define SG_ENTRY   static inline
#define SG_KERNELS "train/squares.inc"
#include "ops/cpu/both_reals.h"

extern const sg_update_loops sg_updates_base;
#if defined(__x86_64__)
extern const sg_update_loops sg_updates_avx2, sg_updates_avx512;
const sg_update_loops *const sg_updates[SG_ISAS] = {&sg_updates_base, &sg_updates_avx2,
                                                    &sg_updates_avx512};
#else
const sg_update_loops *const sg_updates[SG_ISAS] = {&sg_updates_base, &sg_updates_base,
                                                    &sg_updates_base};
#endif

enum { BLOCK = 1 << 14, SUMS = 256 };

static int64_t blocks_of(int64_t count)
{
    return (count + BLOCK - 1) / BLOCK;
}

static size_t entry_bytes(int32_t dtype)
{
    return dtype == SIGAD_F64 ? sizeof(double) : sizeof(float);
}

/* ---- the joint norm of all gradients --------------------------------------------------------- */

typedef struct {
    int32_t dtype;
    int64_t n;
    const char *gradient;
    double clip_value;
    int64_t first; /* block whose sum comes first in `sum` */
    double sum[SUMS];
} norm_job;

static void sum_block(void *user, int64_t index, int worker)
{
    (void)worker;
    norm_job *s = user;
    int64_t first = (s->first + index) * BLOCK, left = s->n - first;
    s->sum[index] =
        SG_BY_DTYPE(s->dtype, squares)(s->gradient + (size_t)first * entry_bytes(s->dtype),
                                       left < BLOCK ? left : BLOCK, s->clip_value);
}

static bool add_squares(sg_place *place, int32_t dtype, const sg_update *u, double *result)
{
    norm_job s = {
        .dtype = dtype, .n = u->count, .gradient = u->gradient, .clip_value = u->clip_value};
    double sum = 0.0;
    for (int64_t blocks = blocks_of(u->count); s.first < blocks; s.first += SUMS) {
        int64_t count = blocks - s.first < SUMS ? blocks - s.first : SUMS;
        sg_parallel(place->threads, count, sum_block, &s);
        for (int64_t i = 0; i < count; i++) sum += s.sum[i];
    }
    *result += sum;
    return isfinite(*result);
}

static void clip(sg_place *place, sg_origin origin, double most, double *sum)
{
    (void)place, (void)origin;
    double norm = sqrt(*sum);
    *sum = norm > most ? most / norm : 1.0;
}

/* ---- the update ------------------------------------------------------------------------------ */

typedef struct {
    const sg_update *whole;
    size_t entry_bytes;
    sg_update_loop update;
} job;

static void update_block(void *user, int64_t block, int worker)
{
    (void)worker;
    const job *j = user;
    sg_update part = *j->whole;
    int64_t first = block * BLOCK;
    size_t skip = (size_t)first * j->entry_bytes;
    part.count = part.count - first < BLOCK ? part.count - first : BLOCK;
    part.value = (char *)part.value + skip;
    part.gradient = (const char *)part.gradient + skip;
    for (int slot = 0; slot < SG_SLOTS; slot++)
        if (part.slot[slot]) part.slot[slot] = (char *)part.slot[slot] + skip;
    j->update(&part);
}

static void update(sg_place *place, int rule, int32_t dtype, const sg_update *u)
{
    job j = {u, entry_bytes(dtype), (*sg_updates[sg_isa_chosen()])[rule][dtype == SIGAD_F64]};
    sg_parallel(place->threads, blocks_of(u->count), update_block, &j);
}

const sg_rule_kernels sg_cpu_rules = {.add_squares = add_squares, .clip = clip, .update = update};

/* One update of an optimizer's parameters. Arrays are cut into blocks of a fixed size, and sums
 * have a fixed order, so that the bits do not depend on the number of threads. */
#include "core/parallel.h"
#include "train/rules/rules.h"

#define SG_KERNELS "train/squares.inc"
#include "ops/cpu/both_reals.h"

enum { BLOCK = 1 << 14, SUMS = 256 };

static int64_t blocks_of(int64_t count)
{
    return (count + BLOCK - 1) / BLOCK;
}

static bool is_updated(const sigad_optimizer *o, const sg_parameter *p)
{
    return p->reached && !p->frozen && sg_optimizer_covers(o, p);
}

/* ---- the joint norm of all gradients --------------------------------------------------------- */

typedef struct {
    const sg_parameter *parameter;
    double clip_value;
    int64_t first; /* block whose sum comes first in `sum` */
    double sum[SUMS];
} norm_job;

static void sum_block(void *user, int64_t index, int worker)
{
    (void)worker;
    norm_job *s = user;
    const sigad_array *value = &s->parameter->value;
    int64_t first = (s->first + index) * BLOCK, left = value->elements - first;
    const char *gradient = s->parameter->gradient;
    s->sum[index] =
        SG_BY_DTYPE(value->dtype, squares)(gradient + (size_t)first * sg_dtype_bytes(value->dtype),
                                           left < BLOCK ? left : BLOCK, s->clip_value);
}

static double sum_of_squares(const sigad_optimizer *o, const sg_parameter *p)
{
    norm_job s = {.parameter = p, .clip_value = sg_optimizer_group(o, p).clip_value};
    double sum = 0.0;
    for (int64_t blocks = blocks_of(p->value.elements); s.first < blocks; s.first += SUMS) {
        int64_t count = blocks - s.first < SUMS ? blocks - s.first : SUMS;
        sg_parallel(o->context->place.threads, count, sum_block, &s);
        for (int64_t i = 0; i < count; i++) sum += s.sum[i];
    }
    return sum;
}

static sigad_status find_clip_factor(const sigad_optimizer *o, double *factor)
{
    sigad_context *context = o->context;
    double sum = 0.0;
    for (size_t i = 0; i < context->parameter_count; i++) {
        const sg_parameter *p = context->parameters[i];
        if (!is_updated(o, p)) continue;
        sum += sum_of_squares(o, p);
        if (!isfinite(sum))
            return sg_fail(
                &context->error, SIGAD_EINVAL,
                "sigad_optimizer_step: the gradient of '%.200s' has no finite norm, so that "
                "it cannot be clipped to %g",
                p->name, o->clip_norm);
    }
    double norm = sqrt(sum);
    *factor = norm > o->clip_norm ? o->clip_norm / norm : 1.0;
    return SIGAD_OK;
}

/* ---- the update ------------------------------------------------------------------------------ */

typedef struct {
    sg_update whole;
    size_t entry_bytes;
    sg_update_loop update;
} job;

static void update_block(void *user, int64_t block, int worker)
{
    (void)worker;
    const job *j = user;
    sg_update part = j->whole;
    int64_t first = block * BLOCK;
    size_t skip = (size_t)first * j->entry_bytes;
    part.count = j->whole.count - first < BLOCK ? j->whole.count - first : BLOCK;
    part.value = (char *)part.value + skip;
    part.gradient = (const char *)part.gradient + skip;
    for (int slot = 0; slot < SG_SLOTS; slot++)
        if (part.slot[slot]) part.slot[slot] = (char *)part.slot[slot] + skip;
    j->update(&part);
}

static void update_parameter(const sigad_optimizer *o, sg_parameter *p, sg_state *state,
                             double clip_factor)
{
    sg_group group = sg_optimizer_group(o, p);
    double decay = group.weight_decay < 0.0 ? o->weight_decay : group.weight_decay;
    job j = {.whole = {.optimizer = o,
                       .lr = o->lr * group.lr_factor,
                       .weight_decay = p->value.rank < 2 ? 0.0 : decay,
                       .clip_value = group.clip_value,
                       .clip_factor = clip_factor,
                       .updates = ++state->updates,
                       .count = p->value.elements,
                       .value = p->value.data,
                       .gradient = p->gradient},
             .entry_bytes = sg_dtype_bytes(p->value.dtype),
             .update = (*sg_updates[sg_isa_chosen()])[o->rule->kind][p->value.dtype == SIGAD_F64]};
    for (int slot = 0; slot < SG_SLOTS; slot++) j.whole.slot[slot] = state->slot[slot];
    sg_parallel(o->context->place.threads, blocks_of(p->value.elements), update_block, &j);
    p->version++;
}

sigad_status sigad_optimizer_step(sigad_optimizer *o)
{
    if (!o) return SIGAD_EINVAL;
    sigad_context *context = o->context;
    if (context->error.status) return context->error.status;

    double clip_factor = 1.0;
    for (size_t i = 0; i < context->parameter_count; i++)
        if (is_updated(o, context->parameters[i]) && !sg_optimizer_state(o, i))
            return context->error.status;
    if (o->clip_norm > 0.0 && find_clip_factor(o, &clip_factor)) return context->error.status;
    for (size_t i = 0; i < context->parameter_count; i++)
        if (is_updated(o, context->parameters[i]))
            update_parameter(o, context->parameters[i], o->states[i], clip_factor);
    return SIGAD_OK;
}

#include "algebra/plan.h"
#include "algebra/spec.h"
#include <stdatomic.h>
#include <string.h>

static sigad_status build_levels(sigad_plan *plan)
{
    size_t degree = (size_t)plan->degree;
    plan->size = sg_arena_take(&plan->arena, (degree + 1) * sizeof *plan->size);
    plan->offset = sg_arena_take(&plan->arena, (degree + 2) * sizeof *plan->offset);
    plan->inverse = sg_arena_take(&plan->arena, (degree + 1) * sizeof *plan->inverse);
    if (!plan->size || !plan->offset || !plan->inverse) return SIGAD_ENOMEM;
    plan->size[0] = 1;
    plan->inverse[0] = 0.0;
    plan->offset[0] = plan->offset[1] = 0;
    for (size_t k = 1; k <= degree; k++) {
        plan->size[k] = plan->size[k - 1] * plan->letters;
        plan->offset[k + 1] = plan->offset[k] + plan->size[k];
        plan->inverse[k] = 1.0 / (double)k;
    }
    return SIGAD_OK;
}

static sigad_status build_reversed(sigad_plan *plan)
{
    int64_t words = sg_plan_words(plan);
    if (words > SG_REVERSED) return SIGAD_OK;
    int32_t *place = sg_arena_take(&plan->arena, (size_t)words * sizeof *place);
    if (!place) return SIGAD_ENOMEM;
    /* the mirror image of k u is that of u, followed by k: the next digit */
    for (int32_t k = 1; k <= plan->degree; k++)
        for (int64_t i = 0; i < plan->size[k]; i++) {
            int64_t first = i / plan->size[k - 1], rest = i % plan->size[k - 1];
            int64_t mirror = k == 1 ? 0 : place[plan->offset[k - 1] + rest] - plan->offset[k - 1];
            place[plan->offset[k] + i] =
                (int32_t)(plan->offset[k] + mirror * plan->letters + first);
        }
    plan->reversed = place;
    return SIGAD_OK;
}

static sigad_status build_core(sigad_plan *plan)
{
    if (plan->spec.kernel == SIGAD_KERNEL_PLAIN ||
        !sg_core_exists(plan->letters, plan->degree, sg_plan_words(plan)))
        return SIGAD_OK;
    plan->core = sg_core_build(&plan->arena, plan->letters, plan->degree);
    return plan->core ? SIGAD_OK : SIGAD_ENOMEM;
}

static sigad_status build_sums(sigad_plan *plan)
{
    const sigad_sig_spec *spec = &plan->spec;
    if (!spec->lead_lag || spec->kernel != SIGAD_KERNEL_AUTO ||
        !sg_sums_exist(spec->dimension, spec->time_aug, plan->degree, sg_plan_words(plan)))
        return SIGAD_OK;
    plan->sums = sg_sums_build(&plan->arena, spec->dimension, spec->time_aug, plan->degree);
    return plan->sums ? SIGAD_OK : SIGAD_ENOMEM;
}

static sigad_status build_moving(sigad_plan *plan)
{
    const sigad_sig_spec *spec = &plan->spec;
    plan->moving_count = spec->dimension + spec->time_aug;
    for (int side = 0; side < 2; side++) {
        int32_t *letter = sg_arena_take(&plan->arena, (size_t)plan->moving_count * sizeof *letter);
        if (!letter) return SIGAD_ENOMEM;
        int32_t first = spec->lead_lag && side == 0 ? spec->dimension : 0;
        for (int32_t i = 0; i < spec->dimension; i++) letter[i] = first + i;
        if (spec->time_aug) letter[spec->dimension] = plan->letters - 1;
        plan->moving[side] = letter;
    }
    return SIGAD_OK;
}

static sigad_status build(sigad_plan *plan)
{
    sigad_status status = build_levels(plan);
    if (!status) status = build_moving(plan);
    if (!status) status = build_reversed(plan);
    if (!status) status = build_core(plan);
    if (!status) status = build_sums(plan);
    if (!status && sg_plan_has_tables(plan)) status = sg_plan_build_tables(plan);
    return status;
}

sigad_status sigad_plan_create_with(const sigad_sig_spec *spec, const sigad_allocator *allocator,
                                    sigad_plan **result)
{
    sigad_plan fresh = {.letters = 0};
    if (!result) return SIGAD_EINVAL;
    *result = NULL;
    sigad_status status = sg_spec_read(NULL, NULL, spec, &fresh.spec);
    if (status) return status;
    if (!fresh.spec.dimension) return SIGAD_EINVAL;
    int64_t letters = sg_spec_letters(&fresh.spec);
    if (letters > INT32_MAX || fresh.spec.degree > SG_MOST_DEGREE) return SIGAD_ERANGE;
    status = sg_spec_sig_length(&fresh.spec, &fresh.sig_length);
    if (!status) status = sg_spec_log_sig_length(&fresh.spec, &fresh.log_sig_length);
    if (status) return status;
    fresh.letters = (int32_t)letters;
    fresh.isa = sg_isa_best();
    fresh.degree = fresh.spec.degree;
    fresh.allocator =
        sg_allocator_or_default(allocator ? *allocator : (sigad_allocator){NULL, NULL});

    sigad_plan *plan = sg_allocate(&fresh.allocator, sizeof *plan);
    if (!plan) return SIGAD_ENOMEM;
    *plan = fresh;
    sg_arena_init(&plan->arena, &plan->allocator);
    status = build(plan);
    if (status) {
        sigad_plan_destroy(plan);
        return status;
    }
    *result = plan;
    return SIGAD_OK;
}

sigad_status sigad_plan_create(const sigad_sig_spec *spec, sigad_plan **plan)
{
    return sigad_plan_create_with(spec, NULL, plan);
}

void sigad_plan_destroy(sigad_plan *plan)
{
    if (!plan) return;
    sigad_allocator allocator = plan->allocator;
    for (sg_plan_copy *copy = plan->copies, *next; copy; copy = next) {
        next = copy->next;
        copy->release(copy, &allocator);
    }
    sg_arena_destroy(&plan->arena);
    sg_release(&allocator, plan, sizeof *plan);
}

sg_plan_copy *sg_plan_copy_find(const sigad_plan *plan, int32_t device)
{
    sg_plan_copy *copy = plan->copies;
    while (copy && copy->device != device) copy = copy->next;
    return copy;
}

bool sg_plan_copy_add(const sigad_plan *plan, sg_plan_copy *copy)
{
    /* The list is not part of what a plan promises not to change. */
    _Atomic(sg_plan_copy *) *list = &((sigad_plan *)(uintptr_t)plan)->copies;
    copy->next = *list;
    while (!sg_plan_copy_find(plan, copy->device))
        if (atomic_compare_exchange_weak(list, &copy->next, copy)) return true;
    return false;
}

#include "ops/cpu/sum.h"
#include "core/least.h"
#include "ops/cpu/parallel_rows.h"
#include <string.h>

enum {
    PIECE = 1024, /* entries of a run that are summed in lanes */
    LEAF = 16,    /* rows of columns that are summed one after the other */
    TILE = 128,   /* columns that are summed together */
    BLOCK = 32768 /* entries that one thread takes at once, about */
};

typedef struct {
    const sg_sum *plan;
    const void *x;
    double divisor;
    void *y, *workspace;
    bool add;
} job;

/* Where unit row u starts, over the summed axes outside the innermost one. */
static int64_t unit_offset(const sg_sum *plan, int64_t u)
{
    int64_t offset = 0;
    for (int i = plan->summed_axes - 1; i > 0; i--) {
        offset += u % plan->summed_size[i] * plan->summed_stride[i];
        u /= plan->summed_size[i];
    }
    return plan->summed_axes ? offset + u * plan->summed_stride[0] : 0;
}

static int64_t kept_offset(const sg_sum *plan, int64_t index)
{
    int64_t offset = 0;
    for (int i = plan->kept_axes - 1; i > 0; i--) {
        offset += index % plan->kept_size[i] * plan->kept_stride[i];
        index /= plan->kept_size[i];
    }
    return plan->kept_axes ? offset + index * plan->kept_stride[0] : 0;
}

#define SG_KERNELS "ops/cpu/sum.inc"
#include "ops/cpu/both_reals.h"

/* Axes of size 1 dropped and neighbours of one kind merged; returns how many are left. */
static int merge_axes(int rank, const int64_t *shape, unsigned summed, int64_t *size,
                      bool *is_summed)
{
    int axes = 0;
    for (int i = 0; i < rank; i++) {
        bool kind = summed >> i & 1;
        if (shape[i] == 1) continue;
        if (axes > 0 && is_summed[axes - 1] == kind) {
            size[axes - 1] *= shape[i];
            continue;
        }
        size[axes] = shape[i];
        is_summed[axes++] = kind;
    }
    return axes;
}

static int64_t cuts(int64_t n, int64_t of)
{
    return (n + of - 1) / of;
}

static int64_t entries_of_unit(const sg_sum *plan)
{
    return plan->run > 1 ? sg_least(plan->run, PIECE) : plan->tile;
}

/* One chunk for sums that one thread does well alone. */
static void cut_units(sg_sum *plan)
{
    int64_t chunks = sg_least(plan->units, cuts(plan->units * entries_of_unit(plan), BLOCK));
    plan->units_per_chunk = cuts(plan->units, chunks);
    plan->chunks = cuts(plan->units, plan->units_per_chunk);
}

void sg_sum_plan(sg_sum *plan, int rank, const int64_t *shape, unsigned summed)
{
    int64_t size[SIGAD_MAX_RANK], stride[SIGAD_MAX_RANK], step = 1;
    bool is_summed[SIGAD_MAX_RANK];
    int axes = merge_axes(rank, shape, summed, size, is_summed);
    *plan = (sg_sum){.kept = 1, .columns = 1, .run = 1, .units = 1, .chunks = 1};
    for (int i = axes - 1; i >= 0; step *= size[i--]) stride[i] = step;
    if (axes > 0) *(is_summed[axes - 1] ? &plan->run : &plan->columns) = size[axes - 1];
    for (int i = 0; i < axes - 1; i++) {
        if (is_summed[i]) {
            plan->units *= size[i];
            plan->summed_size[plan->summed_axes] = size[i];
            plan->summed_stride[plan->summed_axes++] = stride[i];
        } else {
            plan->kept *= size[i];
            plan->kept_size[plan->kept_axes] = size[i];
            plan->kept_stride[plan->kept_axes++] = stride[i];
        }
    }
    plan->pieces = cuts(plan->run, PIECE);
    plan->units *= plan->pieces;
    plan->outputs = plan->kept * plan->columns;
    plan->tile = sg_least(plan->columns, TILE);
    if (plan->outputs == 0 || plan->units == 0) return;
    plan->tiles = cuts(plan->columns, plan->tile);
    cut_units(plan);
}

void sg_sum_plan_unbroadcast(sg_sum *plan, const sigad_array *y, const sigad_array *x)
{
    unsigned summed = 0;
    for (int i = 0; i < y->rank; i++) {
        int axis = i - (y->rank - x->rank);
        if (axis < 0 || (x->shape[axis] == 1 && y->shape[i] != 1)) summed |= 1u << i;
    }
    sg_sum_plan(plan, y->rank, y->shape, summed);
}

size_t sg_sum_workspace(const sg_sum *plan, int32_t dtype)
{
    if (plan->chunks < 2) return 0;
    return (size_t)(plan->chunks * plan->outputs) * (dtype == SIGAD_F64 ? 8 : 4);
}

static void run(sg_place *place, const sg_sum *plan, int32_t dtype, job j)
{
    j.plan = plan;
    sg_parallel_rows(place->threads, plan->kept * plan->tiles * plan->chunks,
                     plan->units_per_chunk * entries_of_unit(plan), SG_BY_DTYPE(dtype, sum_items),
                     &j);
}

void sg_cpu_sum(sg_place *place, const sg_sum *plan, int32_t dtype, const void *x, double divisor,
                void *y, bool add, void *workspace)
{
    if (plan->outputs == 0) return;
    if (plan->units == 0) {
        if (!add) memset(y, 0, (size_t)plan->outputs * (dtype == SIGAD_F64 ? 8 : 4));
        return;
    }
    run(place, plan, dtype,
        (job){.x = x, .divisor = divisor, .y = y, .workspace = workspace, .add = add});
    if (plan->chunks < 2) return;
    sg_sum last;
    sg_sum_plan(&last, 2, (int64_t[]){plan->chunks, plan->outputs}, 1);
    last.chunks = 1;
    last.units_per_chunk = last.units;
    run(place, &last, dtype, (job){.x = workspace, .divisor = divisor, .y = y, .add = add});
}

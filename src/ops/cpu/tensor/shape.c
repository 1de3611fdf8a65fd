#include "core/memory.h"
#include "ops/cpu/steps.h"
#include "ops/cpu/tensor/tensor.h"

enum {
    WIDE = 2048,      /* bytes of a node's columns, about */
    WIDE_BACK = 1024, /* and backward, where there are twice as many streams */
    TOGETHER = 4,     /* letters of nodes that are not joined */
    MOST = 128,       /* increments in a block, forward */
    MOST_UNDONE = 32, /* and backward: rounding errors of undoing add up inside a block */
    LEAST = 16,
    CACHE = 1 << 19, /* bytes of all streams, about */
    /* a tensor that is larger passes through memory once in a block, which costs more than streams
     * that leave the cache */
    LARGE = 1 << 22,
    LARGE_CACHE = 1 << 21
};

static int64_t parts(int64_t whole, int64_t part)
{
    return (whole + part - 1) / part;
}

/* To whole lines; a division would be felt by the shortest paths. */
static int64_t lines(int64_t count, int64_t line)
{
    return (count + line - 1) & -line;
}

static void cut_levels(const sigad_plan *plan, int64_t bytes, bool backward, sg_tensor_shape *shape)
{
    int64_t line = SG_TENSOR_LINE / bytes, d = plan->letters;
    int64_t wide = (backward ? WIDE_BACK : WIDE) / bytes;
    int64_t columns = d, held = d; /* of a node, and of a row */
    bool whole = true;
    shape->level[0] = (sg_tensor_level){0}; /* constants stand where its streams would */
    for (int m = 1; m < plan->degree; m++) {
        sg_tensor_level *l = &shape->level[m];
        *l = (sg_tensor_level){.columns = held,
                               .row = lines(held + line - 1, line) | line,
                               .panel = columns,
                               .letters = d < TOGETHER ? d : TOGETHER};
        if (columns > wide) {
            l->panel = lines(parts(columns, parts(columns, wide)), line);
        } else if (whole) {
            l->joined = true;
            l->letters = columns * d <= wide ? d : parts(d, parts(d, wide / columns));
        }
        whole = l->joined && l->letters == d;
        held = l->panel * l->letters;
        columns = l->joined ? held : l->panel;
    }
}

/* Bytes of all streams for one increment. */
static int64_t stream_bytes(const sigad_plan *plan, int64_t bytes, bool backward,
                            const sg_tensor_shape *shape)
{
    int64_t entries = 0;
    for (int m = 1; m < plan->degree; m++) entries += (plan->degree - m) * shape->level[m].row;
    return entries * bytes * (backward ? 2 : 1) + (backward ? shape->z_row * SG_TENSOR_LINE : 0);
}

/* Takes count entries off the front of the scratch. */
static void take(void *work, int64_t *total, void **part, int64_t count, int64_t bytes)
{
    const int64_t most_bytes = (int64_t)1 << 62; /* more than any memory */
    int64_t size;
    *part = *total < 0 || !work ? NULL : (char *)work + *total;
    if (*total < 0 || !sg_multiply(count, bytes, &size) ||
        !sg_add(*total, lines(size, SG_TENSOR_LINE), total) || *total > most_bytes)
        *total = -1;
}

int64_t sg_tensor_place(const sigad_plan *plan, int64_t steps, int64_t bytes, bool backward,
                        void *work, sg_tensor_shape *shape, sg_tensor_area *area)
{
    int64_t line = SG_TENSOR_LINE / bytes, low = sg_plan_low_words(plan), total = 0, count;
    shape->z_row = lines(plan->letters, line);
    cut_levels(plan, bytes, backward, shape);
    shape->far = sg_plan_words(plan) > CACHE / bytes;
    int64_t room = sg_plan_words(plan) > LARGE / bytes ? LARGE_CACHE : CACHE;
    int64_t increment = stream_bytes(plan, bytes, backward, shape);
    shape->most = backward ? MOST_UNDONE : MOST;
    while (shape->most > LEAST && shape->most * increment > room) shape->most /= 2;
    int64_t longest = shape->most;
    if (steps < shape->most) shape->most = steps;
    count = shape->most;
    take(work, &total, &area->z, count * shape->z_row, bytes);
    for (int m = 1; m < plan->degree; m++) {
        int64_t entries = (plan->degree - m) * count * shape->level[m].row;
        take(work, &total, &area->stream[m], entries, bytes);
        if (backward) take(work, &total, &area->returned[m], entries, bytes);
    }
    if (!backward) return total;
    sg_cuts cuts = sg_cut(steps, longest);
    take(work, &total, &area->z_bar, count * shape->z_row, bytes);
    take(work, &total, &area->sums, count * shape->z_row, SG_TENSOR_LINE);
    take(work, &total, &area->state, low, bytes);
    take(work, &total, &area->state_bar, low, bytes);
    take(work, &total, &area->kept, low, (cuts.kept - 1) * bytes);
    take(work, &total, &area->ends, low, (cuts.spans > 2 ? cuts.spans - 2 : 0) * bytes);
    return total;
}

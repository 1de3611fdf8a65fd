#include "ops/cpu/view.h"
#include "ops/cpu/walk.h"
#include <string.h>

enum { TILE = 16 };

/* Loops that a body may exchange: the inner one should be the longer. */
typedef struct {
    int64_t n, step_x, step_y;
} axis;

static void axes_of(const sg_stretch *run, axis *outer, axis *inner)
{
    *inner = (axis){run->n, run->step[1], run->step[0]};
    *outer = (axis){run->rows, run->row_step[1], run->row_step[0]};
    if (run->n > 8 || run->rows <= run->n) return;
    axis other = *inner;
    *inner = *outer;
    *outer = other;
}

/* Where neither array is dense along a run, as in a transpose, runs are cut so that a tile of them
 * stays in the cache: each line is then read and written once. */
static int64_t tile_of(const axis *outer, const axis *inner)
{
    const bool dense = inner->step_x == 1 && inner->step_y == 1;
    return dense || outer->n == 1 || inner->n < TILE ? inner->n : TILE;
}

/* The body for each part of each run: `part` of the inner axis, from at_x and at_y on. */
#define EACH_TILE(outer, inner, body)                                                      \
    do {                                                                                   \
        const int64_t tile = tile_of(&(outer), &(inner));                                  \
        for (int64_t from = 0; from < (inner).n; from += tile) {                           \
            const int64_t left = (inner).n - from;                                         \
            const axis part = {left < tile ? left : tile, (inner).step_x, (inner).step_y}; \
            for (int64_t i = 0; i < (outer).n; i++) {                                      \
                const int64_t at_x = i * (outer).step_x + from * (inner).step_x,           \
                              at_y = i * (outer).step_y + from * (inner).step_y;           \
                body;                                                                      \
            }                                                                              \
        }                                                                                  \
    } while (0)

typedef struct {
    const void *x;
    void *y;
    double factor;
    bool fresh;
} job;

#define SG_KERNELS "ops/cpu/view.inc"
#include "ops/cpu/both_reals.h"

sg_view sg_view_back(const sg_view *view)
{
    sg_view back = {.rank = view->rank, .y_offset = view->x_offset, .x_offset = view->y_offset};
    memcpy(back.shape, view->shape, sizeof back.shape);
    memcpy(back.y_stride, view->x_stride, sizeof back.y_stride);
    memcpy(back.x_stride, view->y_stride, sizeof back.x_stride);
    return back;
}

static void walk(sg_place *place, int32_t dtype, const sg_view *view, sg_stretch_body body, job j)
{
    sg_walk plan;
    int64_t stride[2][SIGAD_MAX_RANK], bytes = dtype == SIGAD_F32 ? 4 : 8;
    memcpy(stride[0], view->y_stride, sizeof stride[0]);
    memcpy(stride[1], view->x_stride, sizeof stride[1]);
    j.x = (const char *)j.x + view->x_offset * bytes;
    j.y = (char *)j.y + view->y_offset * bytes;
    sg_walk_strides(&plan, view->rank, view->shape, 2, (const int64_t(*)[SIGAD_MAX_RANK])stride);
    sg_walk_run_rows(&plan, place->threads, body, &j);
}

/* Integers move as doubles do: a copy through a double's register keeps the bits. */
void sg_cpu_copy(sg_place *place, int32_t dtype, const sg_view *view, const void *x, void *y)
{
    walk(place, dtype, view, dtype == SIGAD_F32 ? copy_f32 : copy_f64, (job){.x = x, .y = y});
}

void sg_cpu_add_scaled(sg_place *place, int32_t dtype, const sg_view *view, double factor,
                       const void *x, void *y, bool fresh)
{
    walk(place, dtype, view, SG_BY_DTYPE(dtype, add_scaled), (job){x, y, factor, fresh});
}

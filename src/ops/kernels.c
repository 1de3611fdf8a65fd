#include "ops/kernels.h"
#include <string.h>

static void clear(sg_place *place, void *y, size_t bytes)
{
    (void)place;
    if (bytes) memset(y, 0, bytes);
}

static void move(sg_place *place, void *y, const void *x, size_t bytes)
{
    (void)place;
    if (bytes) memcpy(y, x, bytes);
}

/* y as one row of entries that all come from one place. */
static void fill(sg_place *place, int32_t dtype, int64_t n, double value, void *y)
{
    const float narrow = (float)value;
    const sg_view all = {.rank = 1, .shape = {n}, .y_stride = {1}, .x_stride = {0}};
    sg_cpu_copy(place, dtype, &all, dtype == SIGAD_F32 ? (const void *)&narrow : &value, y);
}

static void set_key(sg_place *place, uint64_t key, uint64_t *to)
{
    (void)place;
    *to = key;
}

const sg_kernels sg_cpu_kernels = {.clear = clear,
                                   .move = move,
                                   .copy = sg_cpu_copy,
                                   .add_scaled = sg_cpu_add_scaled,
                                   .fill = fill,
                                   .set_rows = sg_cpu_set_rows,
                                   .add_to_rows = sg_cpu_add_to_rows,
                                   .cast = sg_cpu_cast,
                                   .cast_add = sg_cpu_cast_add,
                                   .check_index = sg_cpu_check_index,
                                   .gather = sg_cpu_gather,
                                   .gather_add = sg_cpu_gather_add,
                                   .scatter_workspace = sg_cpu_scatter_workspace,
                                   .scatter_add = sg_cpu_scatter_add,
                                   .one_hot = sg_cpu_one_hot,
                                   .extreme = sg_cpu_extreme,
                                   .pick = sg_cpu_pick,
                                   .put = sg_cpu_put,
                                   .unary = sg_cpu_unary,
                                   .binary = sg_cpu_binary,
                                   .equal = sg_cpu_equal,
                                   .less = sg_cpu_less,
                                   .where = sg_cpu_where,
                                   .add_where = sg_cpu_add_where,
                                   .along = sg_cpu_along,
                                   .root = sg_cpu_root,
                                   .finite = sg_cpu_finite,
                                   .log_plus = sg_cpu_log_plus,
                                   .loss = sg_cpu_loss,
                                   .sum = sg_cpu_sum,
                                   .cumsum = sg_cpu_cumsum,
                                   .softmax = sg_cpu_softmax,
                                   .layer_norm = sg_cpu_layer_norm,
                                   .layer_norm_times = sg_cpu_layer_norm_times,
                                   .layer_norm_project = sg_cpu_layer_norm_project,
                                   .layer_norm_bend = sg_cpu_layer_norm_bend,
                                   .cross_entropy_fwd = sg_cpu_cross_entropy_fwd,
                                   .cross_entropy_vjp = sg_cpu_cross_entropy_vjp,
                                   .cross_entropy_jvp = sg_cpu_cross_entropy_jvp,
                                   .cross_entropy_soc = sg_cpu_cross_entropy_soc,
                                   .nll_terms = sg_cpu_nll_terms,
                                   .nll_vjp = sg_cpu_nll_vjp,
                                   .gemm = sg_cpu_gemm,
                                   .set_key = set_key,
                                   .uniform = sg_cpu_uniform,
                                   .normal = sg_cpu_normal,
                                   .dropout = sg_cpu_dropout};

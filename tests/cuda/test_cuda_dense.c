/* Every kernel of the CUDA table for dense operations beside that of the CPU's, on the emulated
 * device: shapes of no entry, of one, and around each bound at which threads are dealt otherwise.
 */
#include "core/random.h"
#include "dense_pair.h"
#include "emulation_control.h"
#include "ops/binary.h"
#include "ops/unary.h"
#include <criterion/criterion.h>
#include <math.h>

TestSuite(cuda_dense, .init = dense_begin, .fini = dense_end);

static const int32_t reals[] = {SIGAD_F32, SIGAD_F64};
#define EACH_REAL(dtype) for (int32_t dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)

static const int64_t sizes[] = {0, 1, 31, 32, 33, 255, 257, 1000};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* ---- entry by entry ------------------------------------------------------------------------- */

static void check_unary(int kind, sg_unary_order order, int32_t dtype, int64_t n, bool fresh)
{
    /* every function is smooth between 0.2 and 0.9, and has another branch below 0 */
    const bool positive = kind == SG_UNARY_log || kind == SG_UNARY_sqrt || kind == SG_UNARY_power ||
                          kind == SG_UNARY_reciprocal || kind == SG_UNARY_log1p;
    pair x = dense_drawn(dtype, n, positive ? 0.2 : -3, positive ? 3 : 3);
    pair y = dense_drawn(dtype, n, 0.2, 0.9), p = dense_drawn(dtype, n, -1, 1);
    pair q = dense_drawn(dtype, n, -1, 1), out = dense_drawn(dtype, n, -1, 1);
    const double a = kind == SG_UNARY_clip ? -0.3 : dense_number(0.5, 3), b = 0.4;
    sg_unary_arrays host = {x.host, y.host, p.host, q.host, out.host, fresh};
    sg_unary_arrays device = {x.device, y.device, p.device, q.device, out.device, fresh};
    sg_cpu_kernels.unary(&dense_host, kind, order, dtype, n, a, b, &host);
    sg_cuda_dense_kernels.unary(&dense_device, kind, order, dtype, n, a, b, &device);
    dense_expect(&out, 1e-5, 1e-13, "unary %d, order %d, n %lld", kind, order, (long long)n);
    pair *all[] = {&x, &y, &p, &q, &out};
    for (int i = 0; i < 5; i++) dense_release(all[i]);
}

Test(cuda_dense, unary)
{
    for (int kind = 0; kind < SG_UNARY_COUNT; kind++)
        for (int order = 0; order < SG_UNARY_ORDERS; order++) EACH_REAL(dtype)
    check_unary(kind, (sg_unary_order)order, dtype, sizes[(kind + order) % SIZES], kind % 2);
}

/* Infinities, zeros, NaN, and where functions run out of range. */
Test(cuda_dense, unary_of_extremes)
{
    static const double points[] = {0,     -0.0, INFINITY, -INFINITY, NAN,    1e-300,
                                    1e-30, 90,   -90,      40,        -1e300, 1e300,
                                    -1000, 1000, 710,      -750,      0.55,   -0.55};
    enum { N = sizeof points / sizeof *points };
    EACH_REAL(dtype)
    for (int kind = 0; kind < SG_UNARY_COUNT; kind++) {
        pair x = dense_filled(dtype, N, 0), out = dense_filled(dtype, N, 0);
        for (int i = 0; i < N; i++) {
            if (kind == SG_UNARY_affine && fabs(points[i]) >= 1e300) continue;
            if (dtype == SIGAD_F32)
                ((float *)x.host)[i] = (float)points[i];
            else
                ((double *)x.host)[i] = points[i];
        }
        dense_upload(&x);
        sg_unary_arrays host = {.x = x.host, .out = out.host};
        sg_unary_arrays device = {.x = x.device, .out = out.device};
        sg_cpu_kernels.unary(&dense_host, kind, SG_UNARY_VALUE, dtype, N, 1.5, 2, &host);
        sg_cuda_dense_kernels.unary(&dense_device, kind, SG_UNARY_VALUE, dtype, N, 1.5, 2, &device);
        dense_expect(&out, 1e-5, 1e-13, "unary %d", kind);
        dense_release(&x);
        dense_release(&out);
    }
}

static sigad_array array_like(const pair *p, int rank, const int64_t *shape, bool device)
{
    sigad_array a = {
        .data = device ? p->device : p->host, .dtype = p->dtype, .rank = rank, .elements = p->n};
    for (int i = 0; i < rank; i++) a.shape[i] = shape[i];
    return a;
}

/* An operand of y's shape, some of whose axes are 1, or that has fewer axes. */
static int operand_shape(int rank, const int64_t *shape, int64_t *result, int64_t *elements)
{
    int drop = (int)dense_integer(0, rank + 1);
    bool whole = dense_integer(0, 3) == 0;
    if (whole) drop = 0;
    *elements = 1;
    for (int i = drop; i < rank; i++) {
        result[i - drop] = whole || dense_integer(0, 2) ? shape[i] : 1;
        *elements *= result[i - drop];
    }
    return rank - drop;
}

enum { OPERANDS = 3 };
typedef struct {
    int rank;
    int64_t shape[SIGAD_MAX_RANK], entries;
    pair y, operand[OPERANDS];
    sigad_array host[OPERANDS + 1], device[OPERANDS + 1]; /* the last is y */
} broadcast;

static broadcast drawn_broadcast(int32_t dtype, int32_t first_dtype, int32_t y_dtype)
{
    broadcast b = {.rank = (int)dense_integer(0, 5), .entries = 1};
    for (int i = 0; i < b.rank; i++) {
        b.shape[i] = dense_integer(dense_integer(0, 8) ? 1 : 0, 7);
        b.entries *= b.shape[i];
    }
    b.y = dense_drawn(y_dtype, b.entries, 0.3, 1);
    for (int k = 0; k < OPERANDS; k++) {
        int64_t shape[SIGAD_MAX_RANK], n;
        int rank = operand_shape(b.rank, b.shape, shape, &n);
        b.operand[k] =
            dense_drawn(k ? dtype : first_dtype, n, k || first_dtype != SIGAD_I64 ? 0.5 : 0, 2);
        b.host[k] = array_like(&b.operand[k], rank, shape, false);
        b.device[k] = array_like(&b.operand[k], rank, shape, true);
    }
    b.host[OPERANDS] = array_like(&b.y, b.rank, b.shape, false);
    b.device[OPERANDS] = array_like(&b.y, b.rank, b.shape, true);
    return b;
}

static void release_broadcast(broadcast *b)
{
    dense_release(&b->y);
    for (int k = 0; k < OPERANDS; k++) dense_release(&b->operand[k]);
}

Test(cuda_dense, binary)
{
    for (int round = 0; round < 12; round++)
        for (int kind = 0; kind < SG_BINARY_COUNT; kind++)
            for (int order = 0; order < SG_BINARY_ORDERS; order++) {
                int32_t dtype = reals[dense_integer(0, 2)];
                broadcast b = drawn_broadcast(dtype, dtype, dtype);
                pair g = dense_drawn(dtype, b.entries, -1, 1),
                     out = dense_drawn(dtype, b.entries, -1, 1);
                const bool second = order >= SG_BINARY_DAB, fresh = round % 2;
                sg_binary_arrays host = {&b.host[0],
                                         &b.host[1],
                                         &b.host[3],
                                         order ? &b.host[2] : NULL,
                                         second ? g.host : NULL,
                                         out.host,
                                         fresh};
                sg_binary_arrays device = {&b.device[0],
                                           &b.device[1],
                                           &b.device[3],
                                           order ? &b.device[2] : NULL,
                                           second ? g.device : NULL,
                                           out.device,
                                           fresh};
                sg_cpu_kernels.binary(&dense_host, kind, (sg_binary_order)order, &host);
                sg_cuda_dense_kernels.binary(&dense_device, kind, (sg_binary_order)order, &device);
                dense_expect(&out, 1e-5, 1e-13, "binary %d, order %d", kind, order);
                dense_release(&g);
                dense_release(&out);
                release_broadcast(&b);
            }
}

Test(cuda_dense, comparisons_and_choices)
{
    for (int round = 0; round < 60; round++) {
        int32_t dtype = reals[round % 2];
        broadcast b = drawn_broadcast(dtype, SIGAD_I64, dtype);
        sg_cpu_kernels.where(&dense_host, &b.host[0], &b.host[1], &b.host[2], &b.host[3]);
        sg_cuda_dense_kernels.where(&dense_device, &b.device[0], &b.device[1], &b.device[2],
                                    &b.device[3]);
        dense_expect(&b.y, 0, 0, "where");
        sg_cpu_kernels.add_where(&dense_host, &b.host[0], round % 3, &b.host[1], &b.host[3],
                                 b.y.host);
        sg_cuda_dense_kernels.add_where(&dense_device, &b.device[0], round % 3, &b.device[1],
                                        &b.device[3], b.y.device);
        dense_expect(&b.y, 0, 0, "add_where");
        release_broadcast(&b);
    }
    for (int round = 0; round < 60; round++) {
        int32_t dtype = round % 3 == 0 ? SIGAD_I64 : reals[round % 2];
        broadcast b = drawn_broadcast(dtype, dtype, SIGAD_I64);
        sg_cpu_kernels.less(&dense_host, &b.host[0], &b.host[1], &b.host[3]);
        sg_cuda_dense_kernels.less(&dense_device, &b.device[0], &b.device[1], &b.device[3]);
        dense_expect(&b.y, 0, 0, "less");
        sg_cpu_kernels.equal(&dense_host, &b.host[0], &b.host[1], &b.host[3]);
        sg_cuda_dense_kernels.equal(&dense_device, &b.device[0], &b.device[1], &b.device[3]);
        dense_expect(&b.y, 0, 0, "equal");
        release_broadcast(&b);
    }
}

Test(cuda_dense, losses)
{
    for (int loss = 0; loss < SG_LOSS_COUNT; loss++)
        for (int order = 0; order < SG_LOSS_ORDERS; order++) EACH_REAL(dtype)
    for (int with = 0; with < 4; with++) {
        int64_t n = sizes[(loss + order + with) % SIZES];
        pair p = dense_drawn(dtype, n, -2, 2), t = dense_drawn(dtype, n, -2, 2);
        pair u = dense_drawn(dtype, n, -2, 2), out = dense_drawn(dtype, n, -2, 2);
        pair g = dense_filled(dtype, 1, 0.7);
        sg_loss_arrays host = {p.host,   t.host,  with & 1 ? u.host : NULL, {g.host, n + 1}, 0.9,
                               out.host, with > 1};
        sg_loss_arrays device = {p.device,          t.device, with & 1 ? u.device : NULL,
                                 {g.device, n + 1}, 0.9,      out.device,
                                 with > 1};
        sg_cpu_kernels.loss(&dense_host, (sg_loss)loss, (sg_loss_order)order, dtype, n, &host);
        sg_cuda_dense_kernels.loss(&dense_device, (sg_loss)loss, (sg_loss_order)order, dtype, n,
                                   &device);
        dense_expect(&out, 1e-5, 1e-13, "loss %d, order %d", loss, order);
        pair *all[] = {&p, &t, &u, &out, &g};
        for (int i = 0; i < 5; i++) dense_release(all[i]);
    }
}

/* ---- entries elsewhere ---------------------------------------------------------------------- */

/* A view that permutes, reverses, or repeats axes of x. */
static sg_view drawn_view(int64_t *x_entries, int64_t *y_entries, bool repeat)
{
    sg_view v = {.rank = (int)dense_integer(0, 6)};
    int64_t x_step = 1, y_step = 1;
    int order[SIGAD_MAX_RANK];
    for (int i = 0; i < v.rank; i++) {
        order[i] = i;
        v.shape[i] = dense_integer(dense_integer(0, 9) ? 1 : 0, 6);
    }
    for (int i = v.rank - 1; i > 0; i--) {
        int j = (int)dense_integer(0, i + 1), held = order[i];
        order[i] = order[j], order[j] = held;
    }
    for (int i = v.rank - 1; i >= 0; y_step *= v.shape[i--]) v.y_stride[i] = y_step;
    for (int i = v.rank - 1; i >= 0; i--) {
        int axis = order[i];
        if (repeat && dense_integer(0, 3) == 0) continue;
        v.x_stride[axis] = x_step;
        if (dense_integer(0, 3) == 0 && v.shape[axis]) {
            v.x_offset += (v.shape[axis] - 1) * x_step;
            v.x_stride[axis] = -x_step;
        }
        x_step *= v.shape[axis];
    }
    *x_entries = x_step > 0 ? x_step : 1;
    v.y_offset = dense_integer(0, 3);
    *y_entries = y_step + v.y_offset;
    return v;
}

Test(cuda_dense, views)
{
    for (int round = 0; round < 150; round++) {
        int64_t nx, ny;
        sg_view v = drawn_view(&nx, &ny, true);
        int32_t dtype = round % 5 == 0 ? SIGAD_I64 : reals[round % 2];
        pair x = dense_drawn(dtype, nx, -9, 9), y = dense_drawn(dtype, ny, -9, 9);
        sg_cpu_kernels.copy(&dense_host, dtype, &v, x.host, y.host);
        sg_cuda_dense_kernels.copy(&dense_device, dtype, &v, x.device, y.device);
        dense_expect(&y, 0, 0, "copy");
        if (dtype != SIGAD_I64) {
            sg_cpu_kernels.add_scaled(&dense_host, dtype, &v, 1.5, x.host, y.host, round % 3 == 0);
            sg_cuda_dense_kernels.add_scaled(&dense_device, dtype, &v, 1.5, x.device, y.device,
                                             round % 3 == 0);
            dense_expect(&y, 1e-6, 1e-15, "add_scaled");
        }
        dense_release(&x);
        dense_release(&y);
    }
}

Test(cuda_dense, bytes_rows_and_types)
{
    EACH_REAL(dtype)
    for (int s = 0; s < SIZES; s++) {
        int64_t n = sizes[s], columns = 3;
        pair x = dense_drawn(dtype, n, -9, 9), y = dense_drawn(dtype, n, -9, 9);
        pair row = dense_drawn(dtype, columns, -1, 1),
             matrix = dense_drawn(dtype, n * columns, -1, 1);
        size_t bytes = (size_t)n * (dtype == SIGAD_F32 ? 4 : 8);
        sg_cpu_kernels.move(&dense_host, y.host, x.host, bytes);
        sg_cuda_dense_kernels.move(&dense_device, y.device, x.device, bytes);
        dense_expect(&y, 0, 0, "move");
        sg_cpu_kernels.set_rows(&dense_host, dtype, n, columns, row.host, matrix.host);
        sg_cuda_dense_kernels.set_rows(&dense_device, dtype, n, columns, row.device, matrix.device);
        dense_expect(&matrix, 0, 0, "set_rows");
        sg_cpu_kernels.add_to_rows(&dense_host, dtype, n, columns, row.host, matrix.host);
        sg_cuda_dense_kernels.add_to_rows(&dense_device, dtype, n, columns, row.device,
                                          matrix.device);
        dense_expect(&matrix, 0, 0, "add_to_rows");
        sg_cpu_kernels.fill(&dense_host, dtype, n, 2.5, y.host);
        sg_cuda_dense_kernels.fill(&dense_device, dtype, n, 2.5, y.device);
        dense_expect(&y, 0, 0, "fill");
        sg_cpu_kernels.clear(&dense_host, y.host, bytes);
        sg_cuda_dense_kernels.clear(&dense_device, y.device, bytes);
        dense_expect(&y, 0, 0, "clear");
        for (int32_t to = SIGAD_F32; to <= SIGAD_I64; to++) {
            const sg_origin origin = {.operation = "cast", .node = 3};
            pair z = dense_drawn(to, n, -9, 9), integers = dense_drawn(SIGAD_I64, n, -9, 9);
            sg_cpu_kernels.cast(&dense_host, origin, n, dtype, x.host, to, z.host);
            sg_cuda_dense_kernels.cast(&dense_device, origin, n, dtype, x.device, to, z.device);
            dense_expect(&z, 0, 0, "cast to %d", to);
            if (to != SIGAD_I64) {
                sg_cpu_kernels.cast_add(&dense_host, n, dtype, x.host, to, z.host);
                sg_cuda_dense_kernels.cast_add(&dense_device, n, dtype, x.device, to, z.device);
                dense_expect(&z, 0, 0, "cast_add to %d", to);
            }
            sg_cpu_kernels.cast(&dense_host, origin, n, SIGAD_I64, integers.host, to, z.host);
            sg_cuda_dense_kernels.cast(&dense_device, origin, n, SIGAD_I64, integers.device, to,
                                       z.device);
            dense_expect(&z, 0, 0, "cast of integers to %d", to);
            dense_release(&z);
            dense_release(&integers);
        }
        pair *all[] = {&x, &y, &row, &matrix};
        for (int i = 0; i < 4; i++) dense_release(all[i]);
    }
    cr_assert_eq(dense_finding().kind, SG_FOUND_NOTHING);
}

/* ---- by index ------------------------------------------------------------------------------- */

Test(cuda_dense, gather_and_scatter)
{
    static const int64_t counts[] = {0, 1, 2, 33, 300, 1023, 1024, 1025, 2500};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) EACH_REAL(dtype)
    for (int64_t inner = 1; inner <= 3; inner += 2) {
        sg_gather_shape s = {.outer = c > 5 ? 1 : 2,
                             .size = dtype == SIGAD_F32 ? 7 : 400,
                             .inner = inner,
                             .count = counts[c]};
        pair index = dense_drawn(SIGAD_I64, s.count, 0, (double)s.size);
        pair x = dense_drawn(dtype, s.outer * s.size * s.inner, -1, 1);
        pair y = dense_drawn(dtype, s.outer * s.count * s.inner, -1, 1);
        const int64_t room = (int64_t)sg_cuda_dense_kernels.scatter_workspace(s.count) / 8;
        pair work = dense_drawn(SIGAD_I64, room, 0, 0);
        sg_cpu_kernels.scatter_add(&dense_host, dtype, s, index.host, y.host, x.host, NULL);
        sg_cuda_dense_kernels.scatter_add(&dense_device, dtype, s, index.device, y.device, x.device,
                                          work.device);
        dense_expect(&x, 0, 0, "scatter_add, %lld", (long long)s.count);
        sg_cpu_kernels.gather(&dense_host, dtype, s, index.host, x.host, y.host);
        sg_cuda_dense_kernels.gather(&dense_device, dtype, s, index.device, x.device, y.device);
        dense_expect(&y, 0, 0, "gather");
        sg_cpu_kernels.gather_add(&dense_host, dtype, s, index.host, x.host, y.host);
        sg_cuda_dense_kernels.gather_add(&dense_device, dtype, s, index.device, x.device, y.device);
        dense_expect(&y, 0, 0, "gather_add");
        pair rows = dense_drawn(dtype, s.count * 9, -1, 1);
        sg_cpu_kernels.one_hot(&dense_host, s.count, 9, index.host, dtype, rows.host);
        sg_cuda_dense_kernels.one_hot(&dense_device, s.count, 9, index.device, dtype, rows.device);
        dense_expect(&rows, 0, 0, "one_hot");
        pair *all[] = {&index, &x, &y, &rows, &work};
        for (int i = 0; i < 5; i++) dense_release(all[i]);
    }
}

/* The first one is noted, once, and nothing is touched out of bounds. */
Test(cuda_dense, bad_indexes)
{
    enum { COUNT = 700, SIZE = 5 };
    sg_gather_shape s = {.outer = 1, .size = SIZE, .inner = 2, .count = COUNT};
    pair index = dense_drawn(SIGAD_I64, COUNT, 0, SIZE), x = dense_drawn(SIGAD_F64, 2 * SIZE, 1, 2);
    pair y = dense_drawn(SIGAD_F64, 2 * COUNT, 1, 2), kept = dense_filled(SIGAD_F64, 2 * SIZE, 0);
    int64_t *entry = index.host;
    entry[300] = SIZE, entry[12] = -1, entry[699] = INT64_MAX;
    dense_upload(&index);
    const int64_t room = (int64_t)sg_cuda_dense_kernels.scatter_workspace(COUNT) / 8;
    pair work = dense_drawn(SIGAD_I64, room, 0, 0);
    const sg_origin first = {.operation = "gather", .node = 8},
                    second = {.operation = "one_hot", .node = 9};
    cr_assert_eq(sg_cuda_dense_kernels.check_index(&dense_device, first, COUNT, SIZE, index.device),
                 -1);
    cr_assert_eq(sg_cuda_dense_kernels.check_index(&dense_device, second, COUNT, 1, index.device),
                 -1);
    sg_finding found = dense_finding();
    cr_assert_eq(found.kind, SG_FOUND_INDEX);
    cr_assert_str_eq(found.origin.operation, "gather");
    cr_assert(found.origin.node == 8 && found.entry == 12 && found.index == -1 &&
              found.size == SIZE);
    sg_cuda_dense_kernels.gather(&dense_device, SIGAD_F64, s, index.device, x.device, y.device);
    sg_cuda_dense_kernels.scatter_add(&dense_device, SIGAD_F64, s, index.device, y.device,
                                      kept.device, work.device);
    for (int64_t k = 0; k < COUNT; k++)
        for (int i = 0; i < 2; i++) {
            const bool inside = entry[k] >= 0 && entry[k] < SIZE;
            double value = ((double *)x.host)[(inside ? entry[k] : 0) * 2 + i];
            ((double *)y.host)[2 * k + i] = value;
            if (inside) ((double *)kept.host)[entry[k] * 2 + i] += value;
        }
    dense_expect(&y, 0, 0, "gather");
    dense_expect(&kept, 0, 0, "scatter_add");
    pair *all[] = {&index, &x, &y, &kept, &work};
    for (int i = 0; i < 5; i++) dense_release(all[i]);
}

Test(cuda_dense, no_integer)
{
    pair x = dense_drawn(SIGAD_F64, 600, -9, 9), y = dense_drawn(SIGAD_I64, 600, 0, 1);
    double *entry = x.host;
    entry[400] = NAN, entry[401] = 0x1p63;
    dense_upload(&x);
    const sg_origin origin = {.operation = "cast", .node = 1};
    sg_cuda_dense_kernels.cast(&dense_device, origin, 600, SIGAD_F64, x.device, SIGAD_I64,
                               y.device);
    sg_finding found = dense_finding();
    cr_assert(found.kind == SG_FOUND_NO_INTEGER && found.entry == 400 && isnan(found.value));
    for (int i = 0; i < 600; i++)
        ((int64_t *)y.host)[i] = i == 400 || i == 401 ? 0 : (int64_t)entry[i];
    dense_expect(&y, 0, 0, "cast");
    dense_release(&x);
    dense_release(&y);
}

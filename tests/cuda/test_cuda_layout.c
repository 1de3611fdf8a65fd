/* How kernels are laid over a device: a function of the shape and the device, tested without one.
 */
#include "ops/cuda/remembered.h"
#include <criterion/criterion.h>
#include <string.h>

static const sg_cuda_properties devices[] = {{.multiprocessors = 1, .shared_bytes = 96 << 10},
                                             {.multiprocessors = 108, .shared_bytes = 163 << 10},
                                             {.multiprocessors = 132, .shared_bytes = 227 << 10}};
enum { DEVICES = sizeof devices / sizeof *devices };

/* What every layout must hold to, whatever it chooses. */
static void check(const sg_cuda_shape *s, const sg_cuda_layout *q)
{
    int64_t nodes = 1;
    for (int32_t i = q->levels; i < s->degree; i++) nodes *= s->letters;
    cr_assert_eq(q->nodes, nodes);
    int64_t of_k = (s->letters + q->tile_k - 1) / q->tile_k;
    int64_t of_q = q->tile_q ? (s->letters + q->tile_q - 1) / q->tile_q : 1;
    cr_assert_eq(q->tiles, of_k * of_q, "each letter has a tile");
    cr_assert_geq((int64_t)q->slices * q->per_group, nodes * q->tiles, "each word has a thread");
    cr_assert_lt((int64_t)(q->slices - 1) * q->per_group, nodes * q->tiles, "no slice is empty");
    cr_assert(q->slices == 1 || q->groups == 1);
    cr_assert(q->parts >= 1 && q->parts <= q->slices);
    cr_assert(q->threads % 32 == 0 && q->threads <= 256 && q->threads >= q->groups * q->per_group);
    cr_assert_geq(q->chunks * q->chunk_steps, s->steps, "each step has a chunk");
    if (s->steps) cr_assert_lt((q->chunks - 1) * q->chunk_steps, s->steps, "no chunk is empty");
    if (s->degree == 1) cr_assert_eq(q->chunks, 1);
    cr_assert_geq(q->width, s->letters);
    cr_assert_geq(q->tasks * q->groups, s->batch * q->chunks * q->pieces * q->parts);
    cr_assert_geq(q->piece_steps * q->pieces, q->chunk_steps, "each step has a piece");
    cr_assert(q->pieces == 1 || (q->groups == q->pieces && q->slices == 1 && q->levels > 1));
    cr_assert(!q->whole || (q->chunks == 1 && q->slices == 1));
    cr_assert(q->blocks <= q->tasks && (q->blocks >= 1 || s->batch == 0));
    cr_assert_leq(q->shared_bytes, 96 << 10, "no more than any device has");
    if (!s->backward) return;
    cr_assert(q->sum_steps >= 1 && q->sum_lanes >= 1 && q->sum_lanes <= 32);
    cr_assert_eq(q->sum_lanes & (q->sum_lanes - 1), 0, "a power of two");
}

Test(cuda_layout, fits_every_shape)
{
    static const int32_t letters[] = {2, 3, 4, 5, 8, 13, 40, 256, 257, 3000};
    static const int64_t batches[] = {0, 1, 2, 31, 500, 100000}, steps[] = {0, 1, 33, 999, 1000000};
    for (int device = 0; device < DEVICES; device++)
        for (int l = 0; l < 10; l++)
            for (int32_t degree = 1; degree < 31; degree++)
                for (int b = 0; b < 6; b++)
                    for (int t = 0; t < 5; t++)
                        for (int backward = 0; backward < 2; backward++)
                            for (int32_t bytes = 4; bytes <= 8; bytes += 4) {
                                sg_cuda_shape s = {batches[b], steps[t], letters[l],
                                                   degree,     bytes,    backward};
                                sg_cuda_layout q;
                                if (sg_cuda_lay_out(&s, &devices[device], &q)) check(&s, &q);
                            }
}

Test(cuda_layout, refuses_what_cannot_be_counted)
{
    sg_cuda_layout q;
    sg_cuda_shape s = {1, 10, 2, 30, 4, false};
    cr_assert(sg_cuda_lay_out(&s, &devices[2], &q));
    s.degree = 31;
    cr_assert_not(sg_cuda_lay_out(&s, &devices[2], &q));
    s = (sg_cuda_shape){1, 10, 50000, 2, 4, false};
    cr_assert_not(sg_cuda_lay_out(&s, &devices[2], &q));
}

/* Small paths share a block of threads; large ones are cut. */
Test(cuda_layout, blocks_are_full)
{
    sg_cuda_layout q;
    for (int32_t letters = 2; letters <= 8; letters++)
        for (int32_t degree = 1; degree <= 6; degree++) {
            sg_cuda_shape s = {10000, 100, letters, degree, 4, false};
            cr_assert(sg_cuda_lay_out(&s, &devices[2], &q));
            int used = q.groups * q.per_group;
            cr_assert_geq(used * 10, q.threads * 6, "%d letters, degree %d: %d of %d threads",
                          letters, degree, used, q.threads);
        }
}

/* Time is cut where paths are few, and only there. */
Test(cuda_layout, chunks)
{
    sg_cuda_layout q;
    sg_cuda_shape s = {1, 100000, 3, 4, 4, false};
    cr_assert(sg_cuda_lay_out(&s, &devices[2], &q));
    cr_assert_geq(q.chunks * q.pieces, 100);
    cr_assert_geq(q.chunk_steps, SG_CUDA_LEAST_CHUNK);
    s.batch = 100000;
    cr_assert(sg_cuda_lay_out(&s, &devices[2], &q));
    cr_assert_eq(q.chunks, 1);
    for (int64_t chunks = 1; chunks <= 2048; chunks *= 2) { /* no cut is modelled much better */
        sg_cuda_layout other;
        s.batch = 7;
        cr_assert(sg_cuda_lay_out(&s, &devices[2], &q));
        cr_assert(sg_cuda_lay_out_chunks(&s, &devices[2], chunks, &other));
        cr_assert_leq(0.97 * sg_cuda_cycles(&s, &devices[2], &q),
                      sg_cuda_cycles(&s, &devices[2], &other));
    }
    s = (sg_cuda_shape){1, SG_CUDA_LEAST_CHUNK, 3, 4, 4, false};
    cr_assert(sg_cuda_lay_out(&s, &devices[2], &q));
    cr_assert_eq(q.chunks, 1);
}

/* Rounds of runs end with one product, after no long run. */
Test(cuda_layout, runs)
{
    for (int64_t all = 2; all < 1 << 22; all += 1 + all / 5)
        for (int64_t chunks = all, run; chunks > 1; chunks = (chunks + run - 1) / run) {
            run = sg_cuda_run_of(chunks);
            cr_assert_geq(run, 2);
            cr_assert_leq(run, chunks);
            cr_assert_leq(run, 32);
        }
}

/* ---- plans that are remembered --------------------------------------------------------------- */

static void expect_same_plan(sg_cuda_remembered *r, const sg_cuda_shape *shape,
                             const sg_cuda_properties *device, const sg_cuda_layout *like)
{
    sg_cuda_layout expected, got;
    memset(&expected, 0, sizeof expected);
    memset(&got, 0xff, sizeof got);
    if (like)
        sg_cuda_lay_out_again(NULL, shape, device, like, &expected);
    else
        cr_assert(sg_cuda_lay_out(shape, device, &expected));
    cr_assert(sg_cuda_lay_out_again(r, shape, device, like, &got));
    cr_assert_eq(got.chunks, expected.chunks);
    cr_assert_eq(got.blocks, expected.blocks);
    cr_assert_eq(got.threads, expected.threads);
    cr_assert_eq(got.levels, expected.levels);
    cr_assert_eq(got.degree, expected.degree);
    cr_assert_eq(got.sum_steps, expected.sum_steps);
    cr_assert_eq(got.shared_bytes, expected.shared_bytes);
}

/* More shapes than are remembered, which differ in one thing each; other devices; entries that are
 * in use by someone else. */
Test(cuda_layout, remembered)
{
    sg_cuda_remembered r = {.busy = 0};
    const sg_cuda_layout like = {.chunks = 4, .chunk_steps = 250};
    for (int round = 0; round < 3; round++)
        for (int which = 0; which < 7; which++)
            for (int k = 0; k < 2; k++) {
                const sg_cuda_shape shape = {.batch = which == 1 ? 64 : 16,
                                             .steps = which == 2 ? 300 : 1000,
                                             .letters = which == 3 ? 4 : 3,
                                             .degree = which == 4 ? 3 : 4,
                                             .scalar_bytes = which == 5 ? 8 : 4,
                                             .backward = which == 6};
                const sg_cuda_shape first = {16, 1000, 3, 4, 4, false};
                atomic_store(&r.busy, round == 2);
                expect_same_plan(&r, &first, &devices[k], NULL);
                expect_same_plan(&r, &shape, &devices[k], NULL);
                if (which != 2) expect_same_plan(&r, &shape, &devices[k], &like);
                expect_same_plan(&r, &shape, &devices[k], NULL);
                cr_assert_eq(atomic_load(&r.busy), round == 2);
            }
    const sg_cuda_shape too_large = {
        .batch = 1, .steps = 9, .letters = 2, .degree = 31, .scalar_bytes = 4};
    sg_cuda_layout q;
    atomic_store(&r.busy, 0);
    cr_assert_not(sg_cuda_lay_out_again(&r, &too_large, &devices[0], NULL, &q));
    cr_assert_not(sg_cuda_lay_out_again(&r, &too_large, &devices[0], NULL, &q));
}

/* Time cut into pieces that one block of threads joins, alone and inside of chunks: every kind of
 * kernel that does, against the functions on host memory. */
#include "device_call.h"
#include "emulation_control.h"
#include "ops/cuda/layout.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static sg_cuda_layout layout_of(const device_call *c)
{
    const sg_cuda_properties device = {.multiprocessors = emulated.multiprocessors,
                                       .shared_bytes = 96 << 10};
    const int lead_lag = c->spec.lead_lag + 1;
    const sg_cuda_shape shape = {c->batch,
                                 (c->length - 1) * lead_lag,
                                 c->spec.dimension * lead_lag + c->spec.time_aug,
                                 c->spec.degree,
                                 (int32_t)call_entry_bytes(c),
                                 call_is_backward(c->call)};
    sg_cuda_layout q;
    cr_assert(sg_cuda_lay_out(&shape, &device, &q));
    return q;
}

/* Both directions in both types; how often time was cut so that `wanted` says yes. */
static int check(device_call c, bool (*wanted)(const sg_cuda_layout *q))
{
    int met = 0;
    for (int backward = 0; backward < 2; backward++)
        for (int dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++) {
            c.call = backward ? SIGAD_CALL_SIG_BACKPROP : SIGAD_CALL_SIG;
            c.dtype = (sigad_dtype)dtype;
            size_t bytes = (size_t)call_out_entries(&c) * call_entry_bytes(&c);
            void *x = call_numbers(c.dtype, c.batch * call_x_entries(&c), 0.3, 0.3);
            void *g = call_numbers(c.dtype, c.batch * call_y_entries(&c), 1, 0.8);
            void *found = malloc(bytes), *want = malloc(bytes);
            sg_cuda_layout q = layout_of(&c);
            met += wanted(&q);
            c.x = x;
            c.y_bar = backward ? g : NULL;
            cr_assert_eq(call_on_device(&c, found), SIGAD_OK);
            cr_assert_eq(call_on_host(&c, want), SIGAD_OK);
            double error = call_distance(c.dtype, call_out_entries(&c), found, want);
            cr_assert_lt(error, c.dtype == SIGAD_F32 ? 3e-4 : 1e-11,
                         "%d channels, degree %d, batch %d, length %d, %d chunks of %d pieces: %g",
                         c.spec.dimension, c.spec.degree, (int)c.batch, (int)c.length,
                         (int)q.chunks, q.pieces, error);
            free(x);
            free(g);
            free(found);
            free(want);
        }
    return met;
}

static bool has_pieces(const sg_cuda_layout *q)
{
    return q->pieces > 1;
}
static bool has_pieces_of_chunks(const sg_cuda_layout *q)
{
    return q->pieces > 1 && q->chunks > 1;
}

static device_call call_of(int dimension, int degree, int64_t batch, int64_t length)
{
    return (device_call){.spec = {SIGAD_SIG_SPEC_INIT, .dimension = dimension, .degree = degree},
                         .batch = batch,
                         .length = length};
}

#ifdef SIGAD_FEW_TILES
static const int shapes[][2] = {{3, 3}, {3, 4}, {3, 5}};
#else
static const int shapes[][2] = {{2, 2}, {2, 3}, {2, 5}, {2, 7}, {3, 2}, {3, 3},  {3, 5},
                                {4, 2}, {4, 3}, {4, 4}, {5, 3}, {5, 4}, {6, 2},  {6, 3},
                                {7, 4}, {8, 3}, {8, 4}, {9, 2}, {9, 3}, {16, 2}, {20, 2}};
#endif
enum { SHAPES = sizeof shapes / sizeof *shapes };

Test(cuda_pieces, each_kernel)
{
    emulated.multiprocessors = 1;
    for (int i = 0; i < SHAPES; i++) {
        int met = 0;
        for (int64_t length = 20; length < 120; length += 17)
            met += check(call_of(shapes[i][0], shapes[i][1], 2, length), has_pieces);
        cr_assert_geq(met, 6, "%d letters, degree %d", shapes[i][0], shapes[i][1]);
    }
}

Test(cuda_pieces, of_chunks)
{
    emulated.multiprocessors = 64;
    int met = 0;
    for (int i = 0; i < SHAPES; i++)
        met += check(call_of(shapes[i][0], shapes[i][1], 1, 2003), has_pieces_of_chunks);
    cr_assert_geq(met, SHAPES);
}

static bool has_chunks(const sg_cuda_layout *q)
{
    return q->chunks > 1;
}

/* Products of chunks are compiled for some degrees, and for any; more chunks than a thread
 * multiplies. */
Test(cuda_pieces, chunks_of_each_degree)
{
    static const int of[][3] = {{32, 2, 2600}, {16, 3, 300}, {4, 4, 4000}, {4, 5, 1300},
                                {4, 6, 330},   {2, 7, 3000}, {2, 8, 1300}, {2, 9, 1500}};
    emulated.multiprocessors = 132;
    for (int i = 0; i < 8; i++)
        cr_expect_eq(check(call_of(of[i][0], of[i][1], 1, of[i][2]), has_chunks), 4, "degree %d",
                     of[i][1]);
}

Test(cuda_pieces, lengths_and_augmentation)
{
    static const int64_t lengths[] = {150, 0, 1, 2, 7, 75, 149, 151};
    emulated.multiprocessors = 2;
    for (int time_aug = 0; time_aug < 2; time_aug++)
        for (int scalar = 0; scalar < 2; scalar++) {
            device_call c = call_of(3 - time_aug, 4, 8, 151);
            c.spec.time_aug = time_aug;
            c.spec.scalar_term = scalar;
            c.lengths = lengths;
            cr_assert_eq(check(c, has_pieces), 4);
        }
#ifndef SIGAD_FEW_TILES
    device_call c = call_of(2, 4, 8, 151);
    c.spec.lead_lag = 1;
    c.lengths = lengths;
    cr_assert_eq(check(c, has_pieces), 4);
#endif
}

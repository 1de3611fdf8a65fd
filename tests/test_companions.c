/* The bits of a path's signature and of its cotangent do not depend on the other paths of the
 * batch: on whether those are longer or shorter, and so on who shares its lanes. */
#include "algebra/plan.h"
#include "core/cpu.h"
#include "core/random.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 35, COMPANIES = 5 };

static void *make(int64_t count, size_t size)
{
    void *block = calloc((size_t)count + 1, size);
    cr_assert_not_null(block);
    return block;
}

static double draw(uint64_t seed, int64_t i)
{
    return 2 * sg_random_uniform(seed, (uint64_t)i) - 1;
}

static void *draw_array(bool single, int64_t count, double scale, uint64_t seed)
{
    void *array = make(count, single ? sizeof(float) : sizeof(double));
    for (int64_t i = 0; i < count; i++)
        if (single)
            ((float *)array)[i] = (float)(scale * draw(seed, i));
        else
            ((double *)array)[i] = scale * draw(seed, i);
    return array;
}

/* What lies beyond a path's end must not be looked at. */
static void *end_paths(bool single, const void *points, int64_t length, int64_t d,
                       const int64_t *lengths)
{
    size_t size = single ? sizeof(float) : sizeof(double);
    char *x = make(BATCH * length * d, size);
    memcpy(x, points, (size_t)(BATCH * length * d) * size);
    for (int64_t i = 0; i < BATCH; i++)
        for (int64_t j = lengths[i] * d; j < length * d; j++)
            if (single)
                ((float *)(void *)x)[i * length * d + j] = NAN;
            else
                ((double *)(void *)x)[i * length * d + j] = NAN;
    return x;
}

/* In the first company all paths are as long as can be. In the next ones every third keeps its
 * length of the company before, and the others draw new ones, of long, mixed and short paths. In
 * the last one all are as long as a short one of the company before. */
static void draw_lengths(int company, int64_t length, const int64_t *before, int64_t *lengths)
{
    uint64_t seed = sg_random_key((uint64_t)length, (uint64_t)company);
    double most = company == 3 ? 0.45 : 1;
    for (int i = 0; i < BATCH; i++) {
        double part = company ? sg_random_uniform(seed, (uint64_t)i) * most : 1;
        lengths[i] = company && i % 3 == company % 3 ? before[i] : (int64_t)(part * (double)length);
        if (company == COMPANIES - 1) lengths[i] = before[1];
    }
}

typedef struct {
    int64_t lengths[BATCH];
    char *sig, *path_bar;
} company;

static company run(const sigad_plan *plan, bool single, int64_t length, int number,
                   const int64_t *before, const void *points, const void *g)
{
    company c;
    int64_t d = plan->spec.dimension;
    size_t size = single ? sizeof(float) : sizeof(double);
    draw_lengths(number, length, before, c.lengths);
    void *x = end_paths(single, points, length, d, c.lengths);
    c.sig = make(BATCH * plan->sig_length, size);
    c.path_bar = make(BATCH * length * d, size);
    void *sig = c.sig, *path_bar = c.path_bar;
    if (single) {
        cr_assert_eq(sigad_sig_f32(plan, BATCH, length, c.lengths, x, sig, 1), SIGAD_OK);
        cr_assert_eq(sigad_sig_backprop_f32(plan, BATCH, length, c.lengths, x, g, path_bar, 1),
                     SIGAD_OK);
    } else {
        cr_assert_eq(sigad_sig_f64(plan, BATCH, length, c.lengths, x, sig, 1), SIGAD_OK);
        cr_assert_eq(sigad_sig_backprop_f64(plan, BATCH, length, c.lengths, x, g, path_bar, 1),
                     SIGAD_OK);
    }
    free(x);
    return c;
}

static void check(sigad_plan *plan, bool single, int64_t length)
{
    size_t size = single ? sizeof(float) : sizeof(double);
    int64_t d = plan->spec.dimension;
    void *points = draw_array(single, BATCH * length * d, 0.2, 1),
         *g = draw_array(single, BATCH * plan->sig_length, 1, 2);
    company c[COMPANIES];
    for (int k = 0; k < COMPANIES; k++)
        c[k] = run(plan, single, length, k, k ? c[k - 1].lengths : NULL, points, g);
    size_t y = (size_t)plan->sig_length * size, x = (size_t)(length * d) * size;
    for (int a = 0; a < COMPANIES; a++)
        for (int b = 0; b < a; b++)
            for (size_t i = 0; i < BATCH; i++) {
                if (c[a].lengths[i] != c[b].lengths[i]) continue;
                bool same = !memcmp(c[a].sig + i * y, c[b].sig + i * y, y),
                     same_bar = !memcmp(c[a].path_bar + i * x, c[b].path_bar + i * x, x);
                cr_assert(
                    same && same_bar,
                    "%s %s: %s of path %d, %d of %d points, companies %d and %d: d %d, N %d, time "
                    "%d, lead-lag %d",
                    sg_isa_name(plan->isa), single ? "f32" : "f64",
                    same ? "cotangent" : "signature", (int)i, (int)c[a].lengths[i], (int)length, a,
                    b, (int)d, (int)plan->degree, (int)plan->spec.time_aug,
                    (int)plan->spec.lead_lag);
            }
    for (int k = 0; k < COMPANIES; k++) free(c[k].sig), free(c[k].path_bar);
    free(points);
    free(g);
}

/* flags: 1 time, 2 lead-lag. */
static void check_all(int32_t d, int32_t degree, int flags, int64_t length)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = d, .degree = degree,
                           .time_aug = flags & 1, .lead_lag = flags >> 1};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int single = 0; single < 2; single++) {
            plan->isa = (sg_isa)isa;
            check(plan, single, length);
        }
    sigad_plan_destroy(plan);
}

/* Around each block of increments, and each way to add them up. */
Test(companions, few_letters)
{
    const int64_t length[] = {2, 9, 21, 64, 100, 131};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int32_t d = 2; d <= 4; d++)
            for (int32_t degree = 2; degree <= 5; degree++)
                for (int flags = 0; flags < 2; flags++) check_all(d, degree, flags, length[i]);
}

Test(companions, lead_lag)
{
    const int64_t length[] = {5, 21, 64, 100};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int32_t d = 1; d <= 2; d++)
            for (int32_t degree = 2; degree <= 4; degree++)
                for (int flags = 2; flags < 4; flags++) check_all(d, degree, flags, length[i]);
}

/* Chunks of time, in lanes and in pieces. */
Test(companions, long_paths)
{
    const int64_t length[] = {290, 400, 1100};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int32_t d = 2; d <= 4; d++)
            for (int32_t degree = 2; degree <= 4; degree++) check_all(d, degree, 0, length[i]);
    check_all(2, 4, 2, 300);
    check_all(2, 7, 0, 400);
}

Test(companions, many_letters)
{
    for (int32_t d = 5; d <= 12; d += 2)
        for (int32_t degree = 2; degree <= 3; degree++) check_all(d, degree, d % 4 / 2, 45);
    check_all(5, 5, 0, 100);
}

/* The core (algebra/core.h) against all words: the same signature from a quarter of the words, for
 * every pair of letters and degree that has one. */
#include "core/random.h"
#include "ops/cpu/lanes/lanes.h"
#include "support/numbers.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 16 };

static void *make(size_t count, size_t size)
{
    void *block = calloc(count + 1, size);
    cr_assert_not_null(block);
    return block;
}

static sigad_plan *plan_of(int32_t d, int32_t degree, int kernel, sg_isa isa)
{
    sigad_plan *plan;
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = d, .degree = degree, .kernel = kernel};
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    plan->isa = isa;
    return plan;
}

/* Signatures of ROWS paths, one after the other. */
static void *signatures(const sigad_plan *plan, bool single, int64_t length, const void *path)
{
    const sg_lane_kernels *lanes = (single ? sg_lanes_f32 : sg_lanes_f64)[plan->isa];
    size_t bytes = single ? sizeof(float) : sizeof(double);
    char *sig = make((size_t)(ROWS * plan->sig_length), bytes);
    size_t need = (size_t)lanes->sig_bytes(plan, length);
    void *work = aligned_alloc(64, need / 64 * 64 + 64);
    memset(work, 0x7f, need / 64 * 64 + 64); /* large numbers, as doubles and as floats */
    for (int first = 0; first < ROWS; first += lanes->lanes) {
        const void *from[ROWS];
        void *to[ROWS];
        int64_t lengths[ROWS], room[ROWS];
        double time[ROWS] = {0};
        for (int r = 0; r < lanes->lanes; r++) {
            from[r] =
                (const char *)path + (size_t)((first + r) * length * plan->spec.dimension) * bytes;
            to[r] = sig + (size_t)((first + r) * plan->sig_length) * bytes;
            lengths[r] = length - r % 3 * (length / 4);
            room[r] = length;
        }
        lanes->sig(plan, length, lanes->lanes, lengths, room, time, from, to, work);
    }
    for (size_t i = need; i < need / 64 * 64 + 64; i++) cr_assert_eq(((char *)work)[i], 0x7f);
    free(work);
    return sig;
}

/* Largest difference at a level, relative to the level's largest entry, over all levels. */
static double distance(const sigad_plan *plan, bool single, const void *found, const void *wanted)
{
    double worst = 0;
    for (int r = 0; r < ROWS; r++)
        for (int32_t k = 1; k <= plan->degree; k++) {
            double error = 0, size = 0;
            for (int64_t i = plan->offset[k]; i < plan->offset[k + 1]; i++) {
                double x = numbers_entry(single, found, r * plan->sig_length + i),
                       y = numbers_entry(single, wanted, r * plan->sig_length + i);
                if (!(fabs(x - y) <= error)) error = fabs(x - y);
                size = fmax(size, fabs(y));
            }
            if (!(error / size <= worst)) worst = error / size;
        }
    return worst;
}

static void *draw_paths(bool single, int32_t d, int64_t length)
{
    int64_t n = ROWS * length * d;
    float *narrow = make((size_t)n, sizeof *narrow);
    double *path = make((size_t)n, sizeof *path);
    for (int64_t i = 0; i < n; i++) {
        double step = 0.4 * (sg_random_uniform((uint64_t)d, (uint64_t)i) - 0.5);
        path[i] = i % (length * d) < d ? 0 : path[i - d] + step;
        narrow[i] = (float)path[i];
    }
    free(single ? (void *)path : narrow);
    return single ? (void *)narrow : path;
}

static void check(int32_t d, int32_t degree, int64_t length, bool single, sg_isa isa)
{
    sigad_plan *core = plan_of(d, degree, SIGAD_KERNEL_CORE, isa),
               *plain = plan_of(d, degree, SIGAD_KERNEL_PLAIN, isa);
    cr_assert(core->core || degree == 2);
    cr_assert_null(plain->core);
    void *path = draw_paths(single, d, length);
    void *found = signatures(core, single, length, path),
         *wanted = signatures(plain, single, length, path);
    double error = distance(core, single, found, wanted),
           limit = (single ? 6e-8 : 1.1e-16) * 2 * sqrt((double)length) * pow(3, degree);
    cr_assert(error <= limit, "d %d, N %d, length %d, %s, %s: %g", (int)d, (int)degree, (int)length,
              single ? "float" : "double", sg_isa_name(isa), error);
    free(path);
    free(found);
    free(wanted);
    sigad_plan_destroy(core);
    sigad_plan_destroy(plain);
}

static int64_t words_of(int32_t d, int32_t degree)
{
    int64_t words = 0, size = 1;
    for (int32_t m = 1; m <= degree; m++) words += size *= d;
    return words;
}

Test(core, agrees_with_all_words)
{
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int32_t d = 2; d <= SG_CORE_LANE_LETTERS; d++)
            for (int32_t degree = 2; degree <= 10 && words_of(d, degree) < 6000; degree++)
                for (int single = 0; single < 2; single++)
                    check(d, degree, 20 + degree, single, (sg_isa)isa);
}

/* sum over m of (b - 1) b^(m-2) for b = 1 .. d, and d */
Test(core, counts)
{
    for (int32_t d = 2; d <= SG_CORE_LANE_LETTERS; d++) {
        int32_t degree = d <= 4 ? 5 : 3;
        sigad_plan *plan = plan_of(d, degree, SIGAD_KERNEL_AUTO, SG_ISA_BASE);
        const sg_core *core = plan->core;
        int64_t words = sg_plan_words(plan), *seen = make((size_t)core->entries, sizeof *seen);
        for (int64_t i = 0; i < words; i++) {
            cr_assert(core->place[i] >= 0 && core->place[i] < core->entries);
            seen[core->place[i]]++;
        }
        for (int64_t i = 0; i < core->entries; i++) cr_assert(seen[i] <= 1, "two words, one entry");
        for (int32_t m = 2; m <= degree; m++)
            for (int32_t a = 0; a < d; a++)
                cr_assert_eq(core->power[d - a][m - 1] - core->power[d - a][m - 2],
                             (int64_t)((d - a - 1) * pow(d - a, m - 2)));
        free(seen);
        sigad_plan_destroy(plan);
    }
}

Test(core, exists_only_where_it_pays)
{
    cr_assert(!sg_core_exists(1, 5, 5));
    cr_assert(!sg_core_exists(3, 2, 12));
    cr_assert(sg_core_exists(2, 12, words_of(2, 12)));
    cr_assert(!sg_core_exists(2, 13, words_of(2, 13)));
    cr_assert(!sg_core_exists(12, 5, words_of(12, 5)));
    cr_assert(!sg_core_exists(17, 3, words_of(17, 3)));
}

/* Chunks of time joined by products: lengths on both sides of each number of chunks. */
Test(core, joins_chunks)
{
    const int64_t length[] = {31, 40, 41, 48, 49, 80, 82, 120, 121, 250, 251, 400, 402, 700, 1600};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int32_t d = 2; d <= 5; d++)
            for (int single = 0; single < 2; single++)
                check(d, 2 + (int32_t)(i + (size_t)d) % 5, length[i], single, sg_isa_best());
}

/* Top levels of more than SG_CORE_STAGE bytes are completed by their first letters. */
#ifndef SIGAD_FEW_TILES /* which have no level as large */
Test(core, completes_large_levels_in_parts)
{
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        check(10, 5, 90, true, (sg_isa)isa);
    check(8, 5, 82, false, sg_isa_best());
    check(16, 4, 33, false, sg_isa_best());
    check(13, 4, 151, true, sg_isa_best());
}
#endif

/* Above degree 6 they are completed before they are joined, in degree 6 before the last join. */
Test(core, joins_whole_chunks)
{
    const int64_t length[] = {81, 151, 300, 301, 400, 401};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int single = 0; single < 2; single++)
            for (int32_t degree = 6; degree <= 10; degree++) {
                check(2, degree, length[i], single, sg_isa_best());
                if (degree < 8) check(3, degree, length[i], single, sg_isa_best());
            }
}

/* A short path beside long ones, where chunks of its group are empty for it, and beside short ones,
 * where they are left out: the same bits, also of zeros. */
Test(core, bits_do_not_depend_on_companions)
{
    enum { LENGTH = 900, SHORT = 100, D = 3 };
    for (int32_t degree = 2; degree <= 7; degree++)
        for (int single = 0; single < 2; single++) {
            sigad_plan *plan = plan_of(D, degree, SIGAD_KERNEL_AUTO, sg_isa_best());
            const sg_lane_kernels *lanes = (single ? sg_lanes_f32 : sg_lanes_f64)[plan->isa];
            size_t bytes = single ? sizeof(float) : sizeof(double);
            char *path = draw_paths(single, D, LENGTH);
            for (int t = 0; t < LENGTH; t++) memset(path + (size_t)(t * D + 1) * bytes, 0, bytes);
            void *work = aligned_alloc(64, (size_t)lanes->sig_bytes(plan, LENGTH) / 64 * 64 + 64);
            void *sig[2][ROWS];
            const void *from[ROWS];
            const double time[ROWS] = {0};
            for (int with_long = 0; with_long < 2; with_long++) {
                int64_t lengths[ROWS], room[ROWS];
                for (int r = 0; r < lanes->lanes; r++) {
                    from[r] = path + (size_t)(r * LENGTH * D) * bytes;
                    lengths[r] = r && with_long ? LENGTH : SHORT;
                    room[r] = LENGTH;
                    sig[with_long][r] = make((size_t)plan->sig_length, bytes);
                }
                lanes->sig(plan, LENGTH, lanes->lanes, lengths, room, time, from, sig[with_long],
                           work);
            }
            cr_assert_eq(memcmp(sig[0][0], sig[1][0], (size_t)plan->sig_length * bytes), 0, "N %d",
                         (int)degree);
            for (int r = 0; r < lanes->lanes; r++) free(sig[0][r]), free(sig[1][r]);
            free(work);
            free(path);
            sigad_plan_destroy(plan);
        }
}

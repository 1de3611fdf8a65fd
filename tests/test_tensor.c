/* Kernels inside one tensor, of every instruction set that this processor has, against the plain
 * kernels for complex numbers and the textbook: shapes on both sides of each boundary inside. */
#include "core/random.h"
#include "ops/cpu/signature.h"
#include "ops/cpu/signature_ref.h"
#include "ops/cpu/tensor/tensor.h"
#include <complex.h>
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One path and one cotangent, in all scalars, and what the plain kernels say. */
typedef struct {
    sigad_plan *plan;
    int64_t length, points, words; /* points: entries of the path */
    float *path_f32, *g_f32;
    double *path, *g;
    double _Complex *sig, *path_bar;
} example;

static void *make(int64_t count, size_t size)
{
    void *block = calloc((size_t)count + 1, size);
    cr_assert_not_null(block);
    return block;
}

static void *make_work(int64_t elements, size_t size)
{
    cr_assert_geq(elements, 0);
    size_t bytes = (size_t)elements * size / 64 * 64 + 64;
    void *work = aligned_alloc(64, bytes);
    cr_assert_not_null(work);
    memset(work, 0xff, bytes); /* nothing in there is a number */
    return work;
}

static void run_plain(example *e)
{
    const sigad_plan *plan = e->plan;
    double _Complex *x = make(e->points, sizeof *x), *g = make(e->words, sizeof *g);
    for (int64_t i = 0; i < e->points; i++) x[i] = e->path[i];
    for (int64_t i = 0; i < e->words; i++) g[i] = e->g[i];
    void *work = make_work(sg_sig_work_c64(plan, e->length), sizeof *x);
    sg_sig_c64(plan, e->length, x, e->sig, work);
    free(work);
    work = make_work(sg_sig_vjp_work_c64(plan, e->length), sizeof *x);
    sg_sig_vjp_c64(plan, e->length, x, g, e->path_bar, work);
    free(work);
    free(x);
    free(g);
}

static example example_create(const sigad_sig_spec *spec, int64_t length, uint64_t seed)
{
    example e = {.length = length, .points = length * spec->dimension};
    cr_assert_eq(sigad_plan_create(spec, &e.plan), SIGAD_OK);
    e.words = e.plan->sig_length;
    e.path = make(e.points, sizeof *e.path);
    e.path_f32 = make(e.points, sizeof *e.path_f32);
    e.g = make(e.words, sizeof *e.g);
    e.g_f32 = make(e.words, sizeof *e.g_f32);
    e.sig = make(e.words, sizeof *e.sig);
    e.path_bar = make(e.points, sizeof *e.path_bar);
    double step = 1 / sqrt((double)(length + 1));
    for (int64_t i = 0; i < e.points; i++) {
        double before = i < spec->dimension ? 0 : e.path[i - spec->dimension];
        e.path_f32[i] = (float)(before + step * (2 * sg_random_uniform(seed, (uint64_t)i) - 1));
        e.path[i] = e.path_f32[i];
    }
    for (int64_t i = 0; i < e.words; i++) {
        e.g_f32[i] = (float)(2 * sg_random_uniform(seed + 1, (uint64_t)i) - 1);
        e.g[i] = e.g_f32[i];
    }
    run_plain(&e);
    return e;
}

static void example_destroy(example *e)
{
    sigad_plan_destroy(e->plan);
    free(e->path);
    free(e->path_f32);
    free(e->g);
    free(e->g_f32);
    free(e->sig);
    free(e->path_bar);
}

/* Largest difference relative to the largest entry. */
static double distance(bool single, int64_t n, const void *found, const double _Complex *wanted)
{
    double worst = 0, size = 1;
    for (int64_t i = 0; i < n; i++) {
        double value = single ? (double)((const float *)found)[i] : ((const double *)found)[i];
        double error = fabs(value - creal(wanted[i]));
        if (!(error <= worst)) worst = error;
        size = fmax(size, fabs(creal(wanted[i])));
    }
    return worst / size;
}

/* What overwrites is what adds to nothing, and nothing behind the path is touched. */
static void check_fresh(const example *e, bool single, const void *path_bar)
{
    size_t bytes = single ? sizeof(float) : sizeof(double), size = (size_t)e->points * bytes;
    int64_t entries = (single ? sg_sig_vjp_work_f32 : sg_sig_vjp_work_f64)(e->plan, e->length);
    unsigned char *fresh = malloc(size + 64), *behind = fresh + size;
    void *work = make_work(entries, bytes);
    memset(fresh, 0xff, size + 64); /* not numbers */
    (single ? sg_sig_vjp_fresh_f32 : sg_sig_vjp_fresh_f64)(
        e->plan, e->length, single ? (const void *)e->path_f32 : e->path,
        single ? (const void *)e->g_f32 : e->g, fresh, work);
    for (int64_t i = 0; i < e->points; i++)
        cr_assert(single ? ((float *)fresh)[i] == ((const float *)path_bar)[i]
                         : ((double *)fresh)[i] == ((const double *)path_bar)[i]);
    for (int i = 0; i < 64; i++) cr_assert(behind[i] == 0xff);
    free(work);
    free(fresh);
}

static void check(example *e, sg_isa isa, bool single)
{
    sigad_plan *plan = e->plan;
    size_t bytes = single ? sizeof(float) : sizeof(double);
    /* each increment adds an error of rounding */
    double tolerance = (single ? FLT_EPSILON : DBL_EPSILON) * (double)(100 + e->length);
    void *sig = make(e->words, bytes), *path_bar = make(e->points, bytes);
    memset(sig, 0xff, (size_t)e->words * bytes); /* what is overwritten is not read */
    plan->isa = isa;
    if (single) {
        void *work = make_work(sg_sig_work_f32(plan, e->length), bytes);
        sg_sig_f32(plan, e->length, e->path_f32, sig, work);
        free(work);
        work = make_work(sg_sig_vjp_work_f32(plan, e->length), bytes);
        sg_sig_vjp_f32(plan, e->length, e->path_f32, e->g_f32, path_bar, work);
        free(work);
    } else {
        void *work = make_work(sg_sig_work_f64(plan, e->length), bytes);
        sg_sig_f64(plan, e->length, e->path, sig, work);
        free(work);
        work = make_work(sg_sig_vjp_work_f64(plan, e->length), bytes);
        sg_sig_vjp_f64(plan, e->length, e->path, e->g, path_bar, work);
        free(work);
    }
    check_fresh(e, single, path_bar);
    double error = distance(single, e->words, sig, e->sig),
           error_bar = distance(single, e->points, path_bar, e->path_bar);
    cr_assert(error <= tolerance && error_bar <= 8 * tolerance,
              "%s f%d: d %d, N %d, length %lld, time %d, lead-lag %d, scalar %d: %g and %g",
              sg_isa_name(isa), single ? 32 : 64, (int)plan->spec.dimension, (int)plan->degree,
              (long long)e->length, (int)plan->spec.time_aug, (int)plan->spec.lead_lag,
              (int)plan->spec.scalar_term, error, error_bar);
    free(sig);
    free(path_bar);
}

/* Every instruction set, both reals. */
static void check_all(int32_t d, int32_t degree, int flags, int64_t length)
{
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,
                           .dimension = d,
                           .degree = degree,
                           .time_aug = flags & 1,
                           .lead_lag = flags >> 1 & 1,
                           .scalar_term = flags >> 2 & 1,
                           .kernel = flags & 8 ? SIGAD_KERNEL_CORE : SIGAD_KERNEL_AUTO,
                           .end_time = 0.7};
    example e = example_create(&spec, length, (uint64_t)(1000 * d + 10 * degree + flags));
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (int single = 0; single < 2; single++) check(&e, (sg_isa)isa, single);
    example_destroy(&e);
}

/* Rows of every length around a vector's, tiles of every size. */
Test(tensor, every_number_of_letters)
{
    for (int32_t d = 1; d <= 20; d++)
        for (int32_t degree = 1; degree <= (d <= 3 ? 7 : d <= 7 ? 4 : 3); degree++)
            check_all(d, degree, 0, 12);
    check_all(33, 3, 0, 6);
    check_all(40, 3, 0, 5);
    check_all(40, 2, 0, 70);
}

/* Wide levels go up in panels of columns. */
Test(tensor, more_letters_than_a_panel_has_columns)
{
    const int32_t d[] = {127, 128, 129, 255, 257, 300};
    for (size_t i = 0; i < sizeof d / sizeof *d; i++) check_all(d[i], 2, i % 2 ? 4 : 0, 5);
    check_all(130, 3, 0, 3);
    check_all(12, 4, 0, 4);
}

Test(tensor, deep_trees)
{
    check_all(2, 13, 0, 8);
    check_all(3, 8, 4, 8);
    check_all(5, 6, 0, 6);
    check_all(2, 7, 3, 7);
}

/* Blocks of 64 increments forward, 32 backward, fewer for wide tensors; spans of 32 such blocks. */
Test(tensor, lengths_around_blocks)
{
    const int64_t length[] = {0,  1,  2,  3,  16,  17,   18,   32,  33,
                              34, 64, 65, 66, 129, 1025, 1026, 2100};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int flags = 0; flags < 4; flags++) check_all(2, 3, flags, length[i]);
    for (size_t i = 0; i < 14; i++) check_all(17, 2, 4, length[i]);
    check_all(13, 3, 0, 600);
}

/* Degrees that are walked back through states: of a block, kept, and between spans. */
Test(tensor, states_of_long_paths)
{
    const int64_t length[] = {2, 17, 33, 34, 65, 66, 129, 1025, 1026, 2049, 2050, 2100};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (int flags = 0; flags < 4; flags++) check_all(1, 5, flags, length[i]);
    for (int i = 0; i < 7; i++) check_all(2, 5 + i % 3, 0, length[i]);
    check_all(3, 5, 0, 1100);
    check_all(2, 5, 0, 2100);
}

/* Nodes that are not joined, in groups of four letters, and tensors outside the cache. */
Test(tensor, large_trees)
{
    check_all(5, 7, 0, 20);
    check_all(7, 6, 0, 5);
    check_all(3, 6, 2, 9);
    check_all(11, 5, 0, 18);
    check_all(4, 5, 3, 12);
    check_all(2, 16, 0, 4);
}

/* Lead-lag, where half of the letters stand still, and time, which never does. */
Test(tensor, every_augmentation)
{
    for (int flags = 0; flags < 8; flags++)
        for (int32_t d = 1; d <= 11; d += 2)
            for (int32_t degree = 1; degree <= (d <= 3 ? 4 : 3); degree++)
                check_all(d, degree, flags, 10 + d);
}

/* Degrees 2 to 4 backward: letters around a vector's, blocks of 256 entries or of 128 points, tiles
 * of 4 vectors of points, fewer increments than what a field's tables are worth. */
Test(tensor, closed_forms)
{
    const int32_t dimension[] = {2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17};
    const int64_t length[] = {2,  3,  4,  5,  8,  9,   16,  17,  31,  32, 33,
                              34, 63, 64, 65, 66, 127, 128, 129, 257, 300};
    for (size_t i = 0; i < sizeof dimension / sizeof *dimension; i++)
        for (size_t j = 0; j < sizeof length / sizeof *length; j++)
            for (int32_t degree = 2; degree <= 4; degree++)
                if (dimension[i] < (degree == 4 ? 6 : 10) || length[j] < (degree == 4 ? 33 : 70))
                    check_all(dimension[i], degree, (int)(i + 3 * j) % 8, length[j]);
}

/* Degree 3 by the core: letters around vectors and tiles, increments around a block, chosen by the
 * kernels themselves from 41 points on. */
Test(tensor, the_core_of_degree_three)
{
    for (int32_t d = 10; d <= 34; d++) check_all(d, 3, 8, 4);
    for (int flags = 8; flags < 16; flags++)
        for (int32_t d = 5; d <= 17; d += 4) check_all(d, 3, flags, 7);
    check_all(49, 3, 8, 2);
    check_all(20, 3, 8, 1);
    check_all(20, 3, 0, 41);
    check_all(21, 3, 4, 130);
    check_all(11, 3, 2, 150);
}

/* Degree 3 forward by points: letters around tiles, points around vectors and blocks of 16 of them,
 * both ends of the range of lengths, with time and without. */
Test(tensor, volumes)
{
    const int64_t length[] = {8,  9,   10,  16,  17,  18,  32,  33,  34,   63,   64,  65,
                              66, 127, 128, 129, 130, 256, 257, 258, 2048, 2049, 2050};
    for (int32_t d = 2; d <= 17; d++)
        for (size_t i = 0; i < sizeof length / sizeof *length; i++)
            if (d <= 5 || length[i] <= 65 + 4 * (i % 4 == 0)) check_all(d, 3, i % 2, length[i]);
    for (int32_t d = 6; d <= 16; d += 5) check_all(d, 3, 5, 258);
}

/* And the textbook, so that an error of both kernels would be seen. */
Test(tensor, agrees_with_the_textbook)
{
    for (int flags = 0; flags < 8; flags++)
        for (int32_t d = 1; d <= 13; d += 4) {
            sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT,
                                   .dimension = d,
                                   .degree = 3,
                                   .time_aug = flags & 1,
                                   .lead_lag = flags >> 1 & 1,
                                   .scalar_term = flags >> 2 & 1,
                                   .end_time = 0.7};
            example e = example_create(&spec, 6, (uint64_t)flags);
            int64_t entries;
            double *want = sg_sig_ref(&spec, e.length, e.path, &entries),
                   *sig = make(e.words, sizeof *sig);
            void *work = make_work(sg_sig_work_f64(e.plan, e.length), sizeof *sig);
            sg_sig_f64(e.plan, e.length, e.path, sig, work);
            cr_assert_eq(entries, e.words);
            for (int64_t i = 0; i < entries; i++)
                cr_assert_float_eq(sig[i], want[i], 1e-14, "d %d, flags %d", (int)d, flags);
            free(want);
            free(sig);
            free(work);
            example_destroy(&e);
        }
}

/* The dense loops that choose, look for extremes, sum exponentials and draw random words, on each
 * instruction set, and copies in another order, at sizes around what they take at once. */
#include "core/philox.h"
#include "ops/cpu/dense/dense.h"
#include "ops/kernels.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { MOST = 300 };

static double draw(uint64_t seed, int64_t i)
{
    return sg_random_uniform(seed, (uint64_t)i);
}

/* Few different values, some of them NaN, or none. */
static void fill(uint64_t seed, int64_t n, bool nans, float *f32, double *f64)
{
    for (int64_t i = 0; i < n; i++) {
        f32[i] = (float)(int)(draw(seed, i) * 40) / 4 - 5;
        if (nans && draw(seed + 1000, i) < 0.01) f32[i] = NAN;
        f64[i] = f32[i];
    }
}

static int64_t first_extreme(int64_t n, int64_t step, bool largest, const double *x)
{
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++) {
        const double next = x[k * step], old = x[best * step];
        if (isnan(old)) break;
        if (isnan(next) || (largest ? next > old : next < old)) best = k;
    }
    return best;
}

Test(dense_loops, extremes_are_the_first_ones)
{
    static float f32[MOST * MOST];
    static double f64[MOST * MOST];
    static int64_t of_f32[MOST], of_f64[MOST];
    static const int64_t size[] = {1, 2, 63, 64, 65, 127, 128, 129, 200, 300},
                         inner[] = {1, 2, 63, 64, 65, 130};
    sg_place place = {.threads = 2};
    for (uint64_t seed = 0; seed < 120; seed++) {
        sg_split split = {.outer = 1, .n = size[seed % 10], .inner = inner[seed / 10 % 6]};
        const bool largest = seed % 2;
        fill(seed, split.n * split.inner, seed % 3, f32, f64);
        sg_cpu_extreme(&place, SIGAD_F32, split, largest, f32, of_f32);
        sg_cpu_extreme(&place, SIGAD_F64, split, largest, f64, of_f64);
        for (int64_t i = 0; i < split.inner; i++) {
            const int64_t want = first_extreme(split.n, split.inner, largest, f64 + i);
            cr_assert_eq(of_f32[i], want);
            cr_assert_eq(of_f64[i], want);
        }
    }
}

/* One entry that stands out, anywhere in a row. */
Test(dense_loops, extremes_are_found_everywhere)
{
    static float x[MOST];
    sg_place place = {.threads = 1};
    for (int64_t n = 1; n < MOST; n++)
        for (int64_t at = n > 70 ? n - 70 : 0; at < n; at++)
            for (int kind = 0; kind < 3; kind++) {
                int64_t index;
                x[at] = kind == 0 ? 1 : kind == 1 ? -1 : NAN;
                sg_cpu_extreme(&place, SIGAD_F32, (sg_split){1, n, 1}, kind != 1, x, &index);
                cr_assert_eq(index, at);
                x[at] = 0;
            }
}

Test(dense_loops, every_instruction_set)
{
    static float f32[MOST], out32[MOST];
    static double f64[MOST], out64[MOST];
    static int64_t row[SG_EXTREME_COLUMNS];
    for (int isa = sg_isa_best(); isa >= 0; isa--)
        for (int64_t n = 1; n < MOST; n++) {
            const sg_dense *single = sg_dense_f32[isa], *wide = sg_dense_f64[isa];
            const int width = (int)(n % SG_EXTREME_COLUMNS) + 1;
            double most = -INFINITY, sum = 0;
            fill((uint64_t)n, n, false, f32, f64);
            for (int64_t i = 0; i < n; i++) most = fmax(most, f64[i]);
            for (int64_t i = 0; i < n; i++) sum += exp(f64[i] - most);
            cr_assert_eq(single->largest(n, f32), most);
            cr_assert_eq(wide->largest(n, f64), most);
            cr_assert_float_eq(single->exps(n, f32, 1, most, out32), sum, 1e-6 * sum);
            cr_assert_float_eq(wide->exps(n, f64, 1, most, out64), sum, 1e-14 * sum);
            for (int64_t i = 0; i < n; i++) cr_assert_float_eq(out64[i], exp(f64[i] - most), 1e-15);
            if (n < width) continue;
            wide->extremes(n / width, width, width, true, f64, row);
            for (int i = 0; i < width; i++)
                cr_assert_eq(row[i], first_extreme(n / width, width, true, f64 + i));
        }
}

Test(dense_loops, words_and_what_they_keep)
{
    const uint64_t key = 0x123456789abcdef0, high = 0x1000000005, first = 0xfffffff8;
    uint32_t words[4 * SG_WORD_BLOCKS];
    double x[4 * SG_WORD_BLOCKS], y[4 * SG_WORD_BLOCKS];
    for (int isa = sg_isa_best(); isa >= 0; isa--)
        for (uint64_t step = 1; step <= 4; step++) {
            const sg_dense *dense = sg_dense_f64[isa];
            dense->words(key, high, first, step, words);
            for (uint64_t b = 0; b < SG_WORD_BLOCKS; b++) {
                const sg_random_block want = sg_philox(key, high, first + b * step);
                cr_assert_arr_eq(words + 4 * b, want.word, sizeof want.word);
            }
            for (int i = 0; i < 4 * SG_WORD_BLOCKS; i++) x[i] = i, y[i] = 0.5;
            dense->keep(61, words, words[3], 2.0, x, y, step % 2);
            for (int i = 0; i < 4 * SG_WORD_BLOCKS; i++) {
                const double kept = words[i] >= words[3] ? 2.0 * i : 0;
                cr_assert_eq(y[i], i < 61 ? kept + (step % 2 ? 0.5 : 0) : 0.5);
            }
        }
}

Test(dense_loops, copies_in_another_order)
{
    static double x[MOST * 40], y[MOST * 40], sum[MOST * 40];
    static const int64_t size[] = {1, 2, 15, 16, 17, 33, 40, 299};
    sg_place place = {.threads = 2};
    for (int64_t i = 0; i < MOST * 40; i++) x[i] = draw(1, i);
    for (int r = 0; r < 8; r++)
        for (int c = 0; c < 7; c++) {
            const int64_t rows = size[r], columns = size[c];
            const sg_view view = {.rank = 2,
                                  .shape = {rows, columns},
                                  .x_stride = {columns, 1},
                                  .y_stride = {1, rows}};
            for (int64_t i = 0; i < rows * columns; i++) sum[i] = 1;
            sg_cpu_copy(&place, SIGAD_F64, &view, x, y);
            sg_cpu_add_scaled(&place, SIGAD_F64, &view, 2.0, x, sum, false);
            for (int64_t i = 0; i < rows; i++)
                for (int64_t k = 0; k < columns; k++) {
                    cr_assert_eq(y[k * rows + i], x[i * columns + k]);
                    cr_assert_eq(sum[k * rows + i], 1 + 2 * x[i * columns + k]);
                }
        }
}

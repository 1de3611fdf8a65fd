/* Dense products against three plain loops: transposes, factors, strides, batches, blocks, threads.
 */
#include "core/parallel.h"
#include "core/random.h"
#include "ops/cpu/gemm.h"
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static double load(int32_t dtype, const void *data, int64_t i)
{
    return dtype == SIGAD_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void store(int32_t dtype, void *data, int64_t i, double value)
{
    if (dtype == SIGAD_F32)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}

static void *numbers(int32_t dtype, int64_t count, uint64_t key)
{
    void *data = malloc((size_t)count * sizeof(double) + 64);
    for (int64_t i = 0; i < count; i++) store(dtype, data, i, sg_random_normal(key, (uint64_t)i));
    return data;
}

/* C[i, j] of one batch item, added to what `c` holds. */
static void naive_item(const sg_gemm_plan *p, const void *a, int64_t at_a, const void *b,
                       int64_t at_b, double *c, int64_t at_c)
{
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++)
            for (int64_t q = 0; q < p->k; q++)
                c[at_c + i * p->ldc + j] +=
                    p->alpha *
                    load(p->dtype, a, at_a + (p->transpose_a ? q * p->lda + i : i * p->lda + q)) *
                    load(p->dtype, b, at_b + (p->transpose_b ? j * p->ldb + q : q * p->ldb + j));
}

static void naive(const sg_gemm_plan *p, int axis, const void *a, int64_t at_a, const void *b,
                  int64_t at_b, double *c, int64_t at_c)
{
    if (axis == p->axes) {
        naive_item(p, a, at_a, b, at_b, c, at_c);
        return;
    }
    const sg_gemm_axis *x = &p->axis[axis];
    for (int64_t i = 0; i < x->size; i++)
        naive(p, axis + 1, a, at_a + i * x->a, b, at_b + i * x->b, c, at_c + i * x->c);
}

/* Elements that a matrix of all batch items spans. */
static int64_t span(const sg_gemm_plan *p, char which)
{
    int64_t rows = which == 'a'   ? (p->transpose_a ? p->k : p->m)
                   : which == 'b' ? (p->transpose_b ? p->n : p->k)
                                  : p->m;
    int64_t last = rows * (which == 'a' ? p->lda : which == 'b' ? p->ldb : p->ldc);
    for (int i = 0; i < p->axes; i++)
        last += (p->axis[i].size - 1) * (which == 'a'   ? p->axis[i].a
                                         : which == 'b' ? p->axis[i].b
                                                        : p->axis[i].c);
    return last < 0 ? 0 : last;
}

/* Compares with the plain loops for 1, 2, 3 and 8 threads, bit by bit among those. Elements between
   the rows of C must stay what they were; with beta = 0 the old C is made of NaN, which must not
   show. */
static void check(sg_gemm_plan p)
{
    int64_t elements = span(&p, 'c');
    size_t bytes = (size_t)elements * (p.dtype == SIGAD_F32 ? sizeof(float) : sizeof(double));
    void *a = numbers(p.dtype, span(&p, 'a'), 1), *b = numbers(p.dtype, span(&p, 'b'), 2),
         *old = numbers(p.dtype, elements, 3);
    double *expected = calloc((size_t)elements + 1, sizeof *expected),
           *products = calloc((size_t)elements + 1, sizeof *products);
    bool *part = calloc((size_t)elements + 1, sizeof *part);
    naive(&p, 0, a, 0, b, 0, products, 0);
    sg_gemm_plan ones = p;
    ones.k = 1, ones.lda = ones.ldb = 0, ones.alpha = 1;
    for (int i = 0; i < p.axes; i++) ones.axis[i].a = ones.axis[i].b = 0;
    double one[1 << 11];
    for (int i = 0; i < 1 << 11; i++) store(p.dtype, one, i, 1);
    naive(&ones, 0, one, 0, one, 0, expected, 0);
    for (int64_t i = 0; i < elements; i++) {
        part[i] = expected[i] > 0;
        expected[i] = (part[i] ? p.beta : 1) * load(p.dtype, old, i) + products[i];
        if (part[i] && p.beta == 0) store(p.dtype, old, i, (double)NAN);
    }
    void *first = malloc(bytes + 1), *c = malloc(bytes + 1);
    static const int threads[] = {1, 2, 3, 8};
    for (int t = 0; t < 4; t++) {
        memcpy(c, old, bytes);
        sg_cpu_gemm(&(sg_place){.threads = threads[t]}, &p, a, b, c);
        if (!t) memcpy(first, c, bytes);
        cr_assert(!memcmp(first, c, bytes), "%d threads give other bits than one", threads[t]);
    }
    /* The i-th of `terms` partial sums is about sqrt(i) large and rounded by half a unit u of it,
       so all roundings together come to about u * terms. */
    double terms = (double)p.k + 1, unit = p.dtype == SIGAD_F32 ? FLT_EPSILON : DBL_EPSILON;
    for (int i = 0; i < p.axes; i++) terms *= p.axis[i].c ? 1 : (double)p.axis[i].size + 1;
    for (int64_t i = 0; i < elements; i++)
        cr_assert(fabs(load(p.dtype, c, i) - expected[i]) <= 4 * unit * (terms + fabs(expected[i])),
                  "m %ld n %ld k %ld transposes %d %d dtype %d: element %ld is %.9g, not %.9g",
                  (long)p.m, (long)p.n, (long)p.k, p.transpose_a, p.transpose_b, p.dtype, (long)i,
                  load(p.dtype, c, i), expected[i]);
    free(a), free(b), free(old), free(expected), free(products), free(part), free(first), free(c);
}

/* All transposes and both types; rows are `gap` elements longer than needed. */
static void check_all(int64_t m, int64_t n, int64_t k, int64_t gap, double alpha, double beta)
{
    for (int i = 0; i < 8; i++) {
        sg_gemm_plan p = {.dtype = i & 4 ? SIGAD_F32 : SIGAD_F64,
                          .transpose_a = i & 1,
                          .transpose_b = i & 2,
                          .m = m,
                          .n = n,
                          .k = k,
                          .alpha = alpha,
                          .beta = beta};
        p.lda = (p.transpose_a ? m : k) + gap, p.ldb = (p.transpose_b ? k : n) + gap,
        p.ldc = n + gap;
        check(p);
    }
}

Test(gemm, small_shapes)
{
    static const int64_t sizes[] = {1, 2, 3, 5, 17};
    for (int i = 0; i < 125; i++) check_all(sizes[i % 5], sizes[i / 5 % 5], sizes[i / 25], 0, 1, 0);
}

Test(gemm, factors_and_strides)
{
    static const double factors[] = {0, 1, -0.5};
    for (int i = 0; i < 9; i++) {
        check_all(4, 7, 5, i % 2 * 3, factors[i % 3], factors[i / 3]);
        check_all(1, 7, 5, 2, factors[i % 3], factors[i / 3]);
        check_all(4, 1, 5, 2, factors[i % 3], factors[i / 3]);
    }
}

Test(gemm, empty_axes)
{
    for (int i = 0; i < 2; i++) {
        check_all(3, 4, 0, 1, 1, i);
        check_all(0, 4, 3, 1, 1, i);
        check_all(3, 0, 4, 1, 1, i);
        check_all(0, 0, 0, 1, 1, i);
    }
}

Test(gemm, empty_batches)
{
    double c[6] = {1, 2, 3, 4, 5, 6};
    sg_gemm_plan p = {.dtype = SIGAD_F64,
                      .m = 2,
                      .n = 3,
                      .k = 2,
                      .lda = 2,
                      .ldb = 3,
                      .ldc = 3,
                      .alpha = 1,
                      .beta = 2,
                      .axes = 1};
    p.axis[0] = (sg_gemm_axis){0, 4, 6, 6};
    sg_cpu_gemm(&(sg_place){.threads = 2}, &p, NULL, NULL, c);
    cr_assert(c[0] == 1 && c[5] == 6);
    p.axis[0] = (sg_gemm_axis){0, 4, 6, 0}; /* a sum of no products */
    sg_cpu_gemm(&(sg_place){.threads = 2}, &p, NULL, NULL, c);
    cr_assert(c[0] == 2 && c[5] == 12);
    p.beta = 0;
    sg_cpu_gemm(&(sg_place){.threads = 2}, &p, NULL, NULL, c);
    cr_assert(c[0] == 0 && c[5] == 0);
}

Test(gemm, larger_than_a_block)
{
    check_all(129, 257, 33, 0, 1, 0);
    check_all(513, 530, 20, 0, 1, 0);
    check_all(3, 2, 20000, 1, 1, 0);
    check_all(300, 20, 70, 1, 1, 1);
    check_all(3, 600, 70, 1, 1, 1);
    check_all(1, 600, 300, 0, 1, 0);
    check_all(300, 1, 300, 0, 1, 1);
}

Test(gemm, batches_and_broadcasts)
{
    for (int i = 0; i < 8; i++) {
        sg_gemm_plan p = {.dtype = SIGAD_F32,
                          .transpose_a = i & 1,
                          .transpose_b = i & 2,
                          .m = 6,
                          .n = 4,
                          .k = 5,
                          .alpha = 1,
                          .beta = i / 4,
                          .ldc = 4,
                          .axes = 3};
        p.lda = p.transpose_a ? 6 : 5, p.ldb = p.transpose_b ? 5 : 4;
        p.axis[0] = (sg_gemm_axis){3, 0, 40, 48};
        p.axis[1] = (sg_gemm_axis){2, 30, 20, 24};
        p.axis[2] = (sg_gemm_axis){1, 7, 9, 11};
        check(p);
        p.axis[0].c = 0; /* added up over the first axis */
        check(p);
        p.axis[1].c = 0;
        check(p);
        p.axis[0] = (sg_gemm_axis){3, 60, 0, 48};
        p.axis[1] = (sg_gemm_axis){2, 30, 0, 24};
        check(p); /* one long product where A is not transposed */
        p.axis[0] = (sg_gemm_axis){3, 60, 40, 0};
        p.axis[1] = (sg_gemm_axis){2, 30, 20, 0};
        check(p); /* one long sum where A is transposed and B is not */
    }
}

Test(gemm, many_small_products)
{
    sg_gemm_plan p = {.dtype = SIGAD_F64,
                      .m = 8,
                      .n = 9,
                      .k = 10,
                      .lda = 10,
                      .ldb = 9,
                      .ldc = 9,
                      .alpha = 1,
                      .axes = 1};
    p.axis[0] = (sg_gemm_axis){2000, 80, 90, 72};
    check(p);
}

Test(gemm, merging_leaves_one_product)
{
    sg_gemm_plan p = {.dtype = SIGAD_F32,
                      .m = 6,
                      .n = 4,
                      .k = 5,
                      .lda = 5,
                      .ldb = 4,
                      .ldc = 4,
                      .alpha = 1,
                      .axes = 2};
    p.axis[0] = (sg_gemm_axis){3, 60, 0, 48};
    p.axis[1] = (sg_gemm_axis){2, 30, 0, 24};
    sg_gemm_merge(&p);
    cr_assert(p.axes == 0 && p.m == 36 && p.k == 5);
    p = (sg_gemm_plan){.dtype = SIGAD_F32,
                       .transpose_a = true,
                       .m = 6,
                       .n = 4,
                       .k = 5,
                       .lda = 6,
                       .ldb = 4,
                       .ldc = 4,
                       .alpha = 1,
                       .axes = 2};
    p.axis[0] = (sg_gemm_axis){3, 60, 40, 0};
    p.axis[1] = (sg_gemm_axis){2, 30, 20, 0};
    sg_gemm_merge(&p);
    cr_assert(p.axes == 0 && p.m == 6 && p.k == 30);
}

Test(gemm, blocks_keep_a_parallel_library_on_one_thread)
{
    sg_gemm_block block = sg_gemm_blocks(true, 1000, 1000);
    cr_assert(block.rows * block.columns * block.depth <= 1 << 18);
    cr_assert(block.rows * block.depth < 9216 && block.columns * block.depth < 9216);
}

Test(gemm, distant_rows_do_not_fit)
{
    sg_gemm_plan p = {.lda = INT32_MAX, .ldb = INT32_MAX, .ldc = INT32_MAX};
    cr_assert(sg_gemm_fits(&p));
    p.ldb++;
    cr_assert(!sg_gemm_fits(&p));
}

typedef struct {
    uint64_t key;
    int wrong;
} user;

/* Each thread multiplies matrices of its own many times. The sizes are such that OpenBLAS needs a
 * buffer, for gemm and for gemv. */
static void *multiply(void *argument)
{
    enum { M = 104, N = 104, K = 104 };
    user *u = argument;
    for (int kind = 0; kind < 4; kind++) {
        sg_gemm_plan p = {.dtype = kind & 1 ? SIGAD_F32 : SIGAD_F64,
                          .transpose_a = true,
                          .m = M,
                          .n = kind & 2 ? 1 : N,
                          .k = K,
                          .alpha = 1};
        p.lda = p.m, p.ldb = p.ldc = p.n;
        void *a = numbers(p.dtype, M * K, u->key), *b = numbers(p.dtype, K * N, u->key + 1);
        double expected[M * N] = {0}, c[M * N];
        naive_item(&p, a, 0, b, 0, expected, 0);
        for (int repeat = 0; repeat < 1500; repeat++) {
            sg_cpu_gemm(&(sg_place){.threads = 1}, &p, a, b, c);
            for (int64_t i = 0; i < p.m * p.n; i += 7)
                u->wrong += !(fabs(load(p.dtype, c, i) - expected[i]) < 1e-3);
        }
        free(a), free(b);
    }
    return NULL;
}

Test(gemm, several_threads_at_once)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    user users[THREADS];
    for (int i = 0; i < THREADS; i++) {
        users[i] = (user){(uint64_t)(10 * i), 0};
        cr_assert(!pthread_create(&thread[i], NULL, multiply, &users[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        cr_expect(!users[i].wrong, "%d wrong results in thread %d", users[i].wrong, i);
    }
}

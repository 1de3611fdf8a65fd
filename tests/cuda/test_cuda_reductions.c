/* The kernels of the CUDA table that reduce, beside the CPU's, on the emulated device. */
#include "dense_pair.h"
#include "emulation_control.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(cuda_reductions, .init = dense_begin, .fini = dense_end);

#define EACH_REAL(dtype) for (int32_t dtype = SIGAD_F32; dtype <= SIGAD_F64; dtype++)

/* Rows of these lengths are shared by 1, 2 .. 256 threads, or one time after the other. */
static const int64_t lengths[] = {1, 2, 8, 9, 31, 33, 64, 100, 257, 2048, 2049, 5000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static sg_split drawn_split(int which)
{
    static const int64_t inners[] = {1, 1, 2, 33, 70};
    sg_split s = {.n = lengths[which % LENGTHS], .inner = inners[dense_integer(0, 5)]};
    const int64_t left = 12000 / (s.n * s.inner);
    s.outer = dense_integer(1, left < 2 ? 2 : left > 40 ? 40 : left);
    return s;
}

static int64_t entries(sg_split s)
{
    return s.outer * s.n * s.inner;
}

/* ---- sums ----------------------------------------------------------------------------------- */

static void check_sum(int32_t dtype, int rank, const int64_t *shape, unsigned summed)
{
    sg_sum plan;
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= shape[i];
    sg_sum_plan(&plan, rank, shape, summed);
    const int64_t words = (int64_t)sg_sum_workspace(&plan, dtype) / 4;
    pair x = dense_drawn(dtype, n, -1, 1), y = dense_drawn(dtype, plan.outputs, -1, 1);
    pair work = dense_drawn(SIGAD_F32, words, 0, 0);
    for (int add = 0; add < 2; add++) {
        sg_cpu_kernels.sum(&dense_host, &plan, dtype, x.host, 3, y.host, add, work.host);
        sg_cuda_dense_kernels.sum(&dense_device, &plan, dtype, x.device, 3, y.device, add,
                                  work.device);
        dense_expect(&y, 2e-5, 1e-13, "sum over %x of rank %d, %lld entries", summed, rank,
                     (long long)n);
    }
    pair *all[] = {&x, &y, &work};
    for (int i = 0; i < 3; i++) dense_release(all[i]);
}

Test(cuda_reductions, sums)
{
    for (int round = 0; round < 150; round++) {
        int rank = (int)dense_integer(0, 5);
        int64_t shape[SIGAD_MAX_RANK];
        for (int i = 0; i < rank; i++) shape[i] = dense_integer(dense_integer(0, 12) ? 1 : 0, 9);
        check_sum(SIGAD_F32 + round % 2, rank, shape, (unsigned)dense_integer(0, 1 << rank));
    }
}

/* In chunks, and over their bounds. */
Test(cuda_reductions, long_sums)
{
    static const int64_t shapes[][3] = {
        {1, 32768, 1}, {1, 32769, 1}, {1, 200001, 1}, {40000, 1, 3}, {300, 200, 2},
        {3, 40000, 1}, {2, 130, 257}, {1000, 1, 129}, {70000, 2, 1}, {1, 1, 3000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (unsigned summed = 1; summed < 8; summed++)
            check_sum(SIGAD_F32 + (int32_t)(i + summed) % 2, 3, shapes[i], summed);
}

/* ---- rows ----------------------------------------------------------------------------------- */

Test(cuda_reductions, along)
{
    for (int kind = 0; kind < SG_ALONG_COUNT; kind++) EACH_REAL(dtype)
        {
            sg_split s = drawn_split(kind);
            pair x = dense_drawn(dtype, entries(s), 0.1, 1),
                 t = dense_drawn(dtype, entries(s), -1, 1);
            pair r[4], out = dense_drawn(dtype, entries(s), -1, 1);
            for (int i = 0; i < 4; i++) r[i] = dense_drawn(dtype, s.outer * s.inner, 0.5, 1);
            sg_along_arrays host = {x.host,    t.host,    r[0].host, r[1].host,
                                    r[2].host, r[3].host, 0.3,       out.host};
            sg_along_arrays device = {x.device,    t.device,    r[0].device, r[1].device,
                                      r[2].device, r[3].device, 0.3,         out.device};
            sg_cpu_kernels.along(&dense_host, kind, dtype, s, &host);
            sg_cuda_dense_kernels.along(&dense_device, kind, dtype, s, &device);
            dense_expect(&out, 1e-5, 1e-13, "along %d", kind);
            dense_release(&x);
            dense_release(&t);
            dense_release(&out);
            for (int i = 0; i < 4; i++) dense_release(&r[i]);
        }
}

Test(cuda_reductions, endings)
{
    EACH_REAL(dtype)
    {
        pair y = dense_drawn(dtype, 300, 0.1, 2), l = dense_drawn(dtype, 300, 0.1, 2);
        pair r = dense_drawn(dtype, 300, -2, 2);
        sg_cpu_kernels.root(&dense_host, 300, dtype, y.host);
        sg_cuda_dense_kernels.root(&dense_device, 300, dtype, y.device);
        dense_expect(&y, 1e-6, 1e-15, "root");
        sg_cpu_kernels.log_plus(&dense_host, 300, dtype, l.host, r.host, y.host);
        sg_cuda_dense_kernels.log_plus(&dense_device, 300, dtype, l.device, r.device, y.device);
        dense_expect(&y, 1e-6, 1e-15, "log_plus");
        dense_expect(&l, 1e-6, 1e-15, "log_plus");
        const double wild[] = {NAN, INFINITY, -INFINITY};
        for (int i = 0; i < 3; i++)
            if (dtype == SIGAD_F32)
                ((float *)y.host)[i] = (float)wild[i];
            else
                ((double *)y.host)[i] = wild[i];
        dense_upload(&y);
        sg_cpu_kernels.finite(&dense_host, 300, dtype, y.host);
        sg_cuda_dense_kernels.finite(&dense_device, 300, dtype, y.device);
        dense_expect(&y, 1e-6, 1e-15, "finite");
        dense_release(&y);
        dense_release(&l);
        dense_release(&r);
    }
}

Test(cuda_reductions, softmax)
{
    for (int kind = 0; kind < SG_SOFTMAX_KERNELS; kind++)
        for (int which = kind % 2; which < LENGTHS; which += 2) EACH_REAL(dtype)
            {
                sg_split s = drawn_split(which);
                /* y of a softmax is about 1 / n, that of its logarithm about -log(n) */
                const double size =
                    kind == SG_SOFTMAX_FIRST || kind == SG_SOFTMAX_SECOND ? 2.0 / (double)s.n : 3;
                const double low = kind > SG_LOG_SOFTMAX_VALUE ? -1 - log((double)s.n) : 0;
                pair a = dense_drawn(dtype, entries(s), low, low < 0 ? low + 1 : size);
                pair b = dense_drawn(dtype, entries(s), -1, 1),
                     c = dense_drawn(dtype, entries(s), -1, 1);
                pair out = dense_drawn(dtype, entries(s), -1, 1);
                sg_cpu_kernels.softmax(&dense_host, (sg_softmax_kernel)kind, dtype, &s, a.host,
                                       b.host, c.host, out.host);
                sg_cuda_dense_kernels.softmax(&dense_device, (sg_softmax_kernel)kind, dtype, &s,
                                              a.device, b.device, c.device, out.device);
                dense_expect(&out, 1e-5, 1e-12, "softmax %d of [%lld,%lld,%lld]", kind,
                             (long long)s.outer, (long long)s.n, (long long)s.inner);
                pair *all[] = {&a, &b, &c, &out};
                for (int i = 0; i < 4; i++) dense_release(all[i]);
            }
}

Test(cuda_reductions, cross_entropy)
{
    for (int which = 0; which < LENGTHS; which++) EACH_REAL(dtype)
        {
            sg_split s = drawn_split(which);
            const int64_t rows = s.outer, n = s.n;
            pair x = dense_drawn(dtype, rows * n, -4, 4), u = dense_drawn(dtype, rows * n, -1, 1);
            pair labels = dense_drawn(SIGAD_I64, rows, 0, (double)n),
                 saved = dense_drawn(dtype, 2 * rows, 0, 1);
            pair terms = dense_drawn(dtype, rows, 0, 1), out = dense_drawn(dtype, rows * n, -1, 1);
            pair g = dense_filled(dtype, 1, 0.8);
            const sg_cross_entropy host = {dtype, rows, n, x.host, labels.host, saved.host};
            const sg_cross_entropy device = {dtype, rows, n, x.device, labels.device, saved.device};
            const sg_mean_share host_share = {g.host, rows}, device_share = {g.device, rows};
            sg_cpu_kernels.cross_entropy_fwd(&dense_host, &host, terms.host);
            sg_cuda_dense_kernels.cross_entropy_fwd(&dense_device, &device, terms.device);
            dense_expect(&terms, 1e-5, 1e-13, "cross_entropy_fwd, %lld classes", (long long)n);
            dense_expect(&saved, 1e-5, 1e-13, "cross_entropy_fwd, %lld classes", (long long)n);
            sg_cpu_kernels.cross_entropy_vjp(&dense_host, &host, host_share, out.host);
            sg_cuda_dense_kernels.cross_entropy_vjp(&dense_device, &device, device_share,
                                                    out.device);
            dense_expect(&out, 1e-5, 1e-13, "cross_entropy_vjp, %lld classes", (long long)n);
            sg_cpu_kernels.cross_entropy_soc(&dense_host, &host, host_share, u.host, out.host);
            sg_cuda_dense_kernels.cross_entropy_soc(&dense_device, &device, device_share, u.device,
                                                    out.device);
            dense_expect(&out, 1e-5, 1e-13, "cross_entropy_soc, %lld classes", (long long)n);
            sg_cpu_kernels.cross_entropy_jvp(&dense_host, &host, u.host, terms.host);
            sg_cuda_dense_kernels.cross_entropy_jvp(&dense_device, &device, u.device, terms.device);
            dense_expect(&terms, 1e-5, 1e-13, "cross_entropy_jvp, %lld classes", (long long)n);
            sg_cpu_kernels.nll_terms(&dense_host, dtype, rows, n, x.host, labels.host, terms.host);
            sg_cuda_dense_kernels.nll_terms(&dense_device, dtype, rows, n, x.device, labels.device,
                                            terms.device);
            dense_expect(&terms, 0, 0, "nll_terms");
            sg_cpu_kernels.nll_vjp(&dense_host, dtype, rows, n, labels.host, host_share, out.host);
            sg_cuda_dense_kernels.nll_vjp(&dense_device, dtype, rows, n, labels.device,
                                          device_share, out.device);
            dense_expect(&out, 1e-5, 1e-13, "nll_vjp");
            pair *all[] = {&x, &u, &labels, &saved, &terms, &out, &g};
            for (int i = 0; i < 7; i++) dense_release(all[i]);
        }
}

static sg_factor factor_of(const pair *p, bool device, int64_t step)
{
    return (sg_factor){p ? (device ? p->device : p->host) : NULL, step};
}

Test(cuda_reductions, layer_norm)
{
    for (int which = 0; which < LENGTHS; which++) EACH_REAL(dtype)
        {
            sg_split s = drawn_split(which);
            const int64_t rows = s.outer, n = s.n;
            pair x = dense_drawn(dtype, rows * n, -1, 1), v = dense_drawn(dtype, rows * n, -1, 1);
            pair g = dense_drawn(dtype, rows * n, -1, 1), scale = dense_drawn(dtype, n, 0.5, 1);
            pair shift = dense_drawn(dtype, n, -1, 1), saved = dense_drawn(dtype, 2 * rows, 0, 1);
            pair out = dense_drawn(dtype, rows * n, -1, 1);
            const sg_layer_norm host = {dtype, rows, n, x.host, saved.host};
            const sg_layer_norm device = {dtype, rows, n, x.device, saved.device};
            sg_cpu_kernels.layer_norm(&dense_host, &host, 0.1, scale.host, shift.host, out.host);
            sg_cuda_dense_kernels.layer_norm(&dense_device, &device, 0.1, scale.device,
                                             shift.device, out.device);
            dense_expect(&out, 2e-5, 1e-12, "layer_norm, %lld", (long long)n);
            sg_cpu_kernels.layer_norm_times(&dense_host, &host, factor_of(&scale, false, 0),
                                            out.host);
            sg_cuda_dense_kernels.layer_norm_times(&dense_device, &device,
                                                   factor_of(&scale, true, 0), out.device);
            dense_expect(&out, 2e-5, 1e-12, "layer_norm_times, %lld", (long long)n);
            for (int with = 0; with < 4; with++) {
                const pair *a = with & 1 ? &scale : NULL, *c = with & 2 ? &scale : NULL;
                sg_cpu_kernels.layer_norm_project(&dense_host, &host, factor_of(a, false, 0),
                                                  factor_of(&g, false, n), factor_of(c, false, 0),
                                                  out.host);
                sg_cuda_dense_kernels.layer_norm_project(
                    &dense_device, &device, factor_of(a, true, 0), factor_of(&g, true, n),
                    factor_of(c, true, 0), out.device);
                dense_expect(&out, 5e-5, 1e-12, "layer_norm_project, %lld", (long long)n);
            }
            sg_cpu_kernels.layer_norm_bend(&dense_host, &host, factor_of(&g, false, n),
                                           factor_of(&scale, false, 0), v.host, out.host);
            sg_cuda_dense_kernels.layer_norm_bend(&dense_device, &device, factor_of(&g, true, n),
                                                  factor_of(&scale, true, 0), v.device, out.device);
            dense_expect(&out, 1e-4, 1e-12, "layer_norm_bend, %lld", (long long)n);
            pair *all[] = {&x, &v, &g, &scale, &shift, &saved, &out};
            for (int i = 0; i < 7; i++) dense_release(all[i]);
        }
}

/* Few different values, so that equal ones meet, and NaN here and there. */
Test(cuda_reductions, extremes)
{
    for (int which = 0; which < 2 * LENGTHS; which++) EACH_REAL(dtype)
    for (int largest = 0; largest < 2; largest++) {
        sg_split s = drawn_split(which);
        pair x = dense_drawn(SIGAD_I64, entries(s), 0, 5),
             wide = dense_drawn(dtype, entries(s), 0, 1);
        pair index = dense_drawn(SIGAD_I64, s.outer * s.inner, 0, 1);
        pair y = dense_drawn(dtype, s.outer * s.inner, 0, 1);
        for (int64_t i = 0; i < x.n; i++) {
            double value = which >= LENGTHS && dense_integer(0, 20) == 0
                               ? NAN
                               : (double)((int64_t *)x.host)[i];
            if (dtype == SIGAD_F32)
                ((float *)wide.host)[i] = (float)value;
            else
                ((double *)wide.host)[i] = value;
        }
        dense_upload(&wide);
        sg_cpu_kernels.extreme(&dense_host, dtype, s, largest, wide.host, index.host);
        sg_cuda_dense_kernels.extreme(&dense_device, dtype, s, largest, wide.device, index.device);
        dense_expect(&index, 0, 0, "extreme of %lld", (long long)s.n);
        sg_cpu_kernels.pick(&dense_host, dtype, s, index.host, wide.host, y.host, largest);
        sg_cuda_dense_kernels.pick(&dense_device, dtype, s, index.device, wide.device, y.device,
                                   largest);
        dense_expect(&y, 0, 0, "pick");
        sg_cpu_kernels.put(&dense_host, dtype, s, index.host, y.host, wide.host);
        sg_cuda_dense_kernels.put(&dense_device, dtype, s, index.device, y.device, wide.device);
        dense_expect(&wide, 0, 0, "put");
        pair *all[] = {&x, &wide, &index, &y};
        for (int i = 0; i < 4; i++) dense_release(all[i]);
    }
}

Test(cuda_reductions, running_sums)
{
    for (int which = 0; which < 2 * LENGTHS; which++) EACH_REAL(dtype)
    for (int backwards = 0; backwards < 2; backwards++) {
        sg_split s = drawn_split(which);
        pair x = dense_drawn(dtype, entries(s), -1, 1), y = dense_drawn(dtype, entries(s), -1, 1);
        pair work = dense_drawn(dtype, s.outer * s.inner, 0, 0);
        sg_cpu_kernels.cumsum(&dense_host, dtype, s, backwards, x.host, y.host, which % 2,
                              work.host);
        sg_cuda_dense_kernels.cumsum(&dense_device, dtype, s, backwards, x.device, y.device,
                                     which % 2, work.device);
        dense_expect(&y, 1e-4, 1e-12, "cumsum of %lld", (long long)s.n);
        pair *all[] = {&x, &y, &work};
        for (int i = 0; i < 3; i++) dense_release(all[i]);
    }
}

/* ---- products ------------------------------------------------------------------------------- */

typedef struct {
    sg_gemm_plan plan;
    int64_t a, b, c; /* entries */
} product;

/* With up to two batch axes, over which an operand may be broadcast, or the result summed. */
static product drawn_product(int32_t dtype)
{
    static const int64_t sides[] = {1, 2, 3, 15, 16, 17, 63, 64, 65, 130};
    product r = {.plan = {.dtype = dtype,
                          .transpose_a = dense_integer(0, 2),
                          .transpose_b = dense_integer(0, 2),
                          .m = sides[dense_integer(0, 10)],
                          .n = sides[dense_integer(0, 10)],
                          .k = dense_integer(0, 9) ? sides[dense_integer(0, 10)] : 0,
                          .alpha = dense_number(0.5, 2),
                          .beta = dense_integer(0, 2) ? 0 : dense_number(0.5, 2),
                          .axes = (int)dense_integer(0, 3)}};
    sg_gemm_plan *p = &r.plan;
    p->lda = (p->transpose_a ? p->m : p->k) + dense_integer(0, 3);
    p->ldb = (p->transpose_b ? p->k : p->n) + dense_integer(0, 3);
    p->ldc = p->n + dense_integer(0, 3);
    r.a = (p->transpose_a ? p->k : p->m) * p->lda;
    r.b = (p->transpose_b ? p->n : p->k) * p->ldb;
    r.c = p->m * p->ldc;
    for (int i = p->axes - 1; i >= 0; i--) {
        sg_gemm_axis axis = {dense_integer(1, 4), r.a, r.b, r.c};
        int64_t lacks = dense_integer(0, 5);
        if (lacks == 0) axis.a = 0;
        if (lacks == 1) axis.b = 0;
        if (lacks == 2) axis.c = 0;
        p->axis[i] = axis;
        if (axis.a) r.a *= axis.size;
        if (axis.b) r.b *= axis.size;
        if (axis.c) r.c *= axis.size;
    }
    return r;
}

Test(cuda_reductions, products)
{
    for (int round = 0; round < 150; round++) {
        int32_t dtype = SIGAD_F32 + round % 2;
        product r = drawn_product(dtype);
        pair a = dense_drawn(dtype, r.a, -1, 1), b = dense_drawn(dtype, r.b, -1, 1);
        pair c = dense_drawn(dtype, r.c, -1, 1);
        sg_cpu_kernels.gemm(&dense_host, &r.plan, a.host, b.host, c.host);
        sg_cuda_dense_kernels.gemm(&dense_device, &r.plan, a.device, b.device, c.device);
        dense_expect(&c, 2e-4, 1e-12, "product %d: %lld x %lld x %lld", round, (long long)r.plan.m,
                     (long long)r.plan.n, (long long)r.plan.k);
        dense_release(&a);
        dense_release(&b);
        dense_release(&c);
    }
}

/* ---- at random ------------------------------------------------------------------------------ */

Test(cuda_reductions, random_numbers)
{
    static const int64_t sizes[] = {0, 1, 3, 4, 5, 33, 1000, 1027};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) EACH_REAL(dtype)
        {
            const int64_t n = sizes[s];
            const uint64_t key = 0x123456789abcdef + s;
            pair x = dense_drawn(dtype, n, -1, 1), y = dense_drawn(dtype, n, -1, 1);
            pair kept = dense_drawn(SIGAD_I64, 1, 0, 1);
            sg_cpu_kernels.uniform(&dense_host, key, -2, 3, n, dtype, y.host);
            sg_cuda_dense_kernels.uniform(&dense_device, key, -2, 3, n, dtype, y.device);
            dense_expect(&y, 1e-6, 1e-15, "uniform");
            sg_cpu_kernels.normal(&dense_host, key, n, dtype, y.host);
            sg_cuda_dense_kernels.normal(&dense_device, key, n, dtype, y.device);
            dense_expect(&y, 1e-6, 1e-14, "normal");
            sg_cpu_kernels.set_key(&dense_host, key, kept.host);
            sg_cuda_dense_kernels.set_key(&dense_device, key, kept.device);
            for (int add = 0; add < 2; add++) {
                sg_cpu_kernels.dropout(&dense_host, kept.host, 0.4, n, dtype, x.host, y.host, add);
                sg_cuda_dense_kernels.dropout(&dense_device, kept.device, 0.4, n, dtype, x.device,
                                              y.device, add);
                dense_expect(&y, 1e-6, 1e-15, "dropout");
            }
            dense_release(&x);
            dense_release(&y);
            dense_release(&kept);
        }
}

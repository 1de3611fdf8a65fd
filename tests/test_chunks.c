/* Chunks of time in lanes, joined by Chen products: every way to cut a path against the path whole,
 * and the products themselves against their definition, for every instruction set that this
 * processor has. */
#include "core/random.h"
#include "ops/signature_route.h"
#include "support/signature_cases.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t draw(uint64_t seed, uint64_t i, int64_t count)
{
    return (int64_t)(sg_random_uniform(seed, i) * (double)count);
}

static void *make(int64_t count, size_t size)
{
    void *block = calloc((size_t)count + 1, size);
    cr_assert_not_null(block);
    return block;
}

static void *narrow(int scalar, const double *from, int64_t n)
{
    double *to = make(n, sizeof *to);
    float *single = (void *)to;
    for (int64_t i = 0; i < n; i++)
        if (scalar == SG_F32)
            single[i] = (float)from[i];
        else
            to[i] = from[i];
    return to;
}

static void widen(int scalar, double *numbers, int64_t n)
{
    if (scalar == SG_F64) return;
    for (int64_t i = n; i-- > 0;) {
        float value;
        memcpy(&value, (char *)numbers + i * (int64_t)sizeof value, sizeof value);
        numbers[i] = value;
    }
}

/* ---- cuts ---------------------------------------------------------------------------------------
 */

typedef struct {
    signature_case c;
    int scalar, threads;
    bool fresh;  /* what cotangents are added to is cleared first */
    bool joined; /* lanes are joined before they leave the vectors, where that is possible */
    int64_t *lengths;
    sg_chunks chunks; /* spread 0: one item at a time, whole or in parts */
} problem;

/* The result, or its cotangent, as doubles: by the given cut, or (chunks NULL) as the library
 * chooses. Fails if the scratch was too small. */
static double *result(const problem *p, int what, const sg_chunks *chunks)
{
    const signature_case *c = &p->c;
    int64_t n = c->batch * c->x_entries, m = c->batch * c->y_entries,
            entries = what == SG_BATCH_FWD ? m : n;
    void *x = narrow(p->scalar, c->x, n), *g = narrow(p->scalar, c->g, m);
    double *out = make(entries, sizeof *out);
    for (int64_t i = 0; what == SG_BATCH_VJP && i < entries; i++) /* what is added to */
        if (p->scalar == SG_F32)
            ((float *)(void *)out)[i] = 0.7F;
        else
            out[i] = 0.7F;
    sg_signature_batch b = {.kernels = case_kernels[c->operation],
                            .plan = c->plan,
                            .scalar = p->scalar,
                            .batch = c->batch,
                            .length = c->length,
                            .lengths = p->lengths,
                            .ragged = p->lengths != NULL,
                            .x = x,
                            .y_bar = g,
                            .out = out,
                            .fresh = p->fresh && what == SG_BATCH_VJP,
                            .threads = p->threads};
    sg_signature_layout l = sg_signature_lay_out(&b, what);
    if (chunks) {
        l = (sg_signature_layout){.tasks = b.batch, .threads = p->threads, .chunks = *chunks};
        l.alone = !chunks->spread && chunks->pieces > 1;
        if (l.alone) l.chunks = (sg_chunks){chunks->pieces, 1};
        if (chunks->spread || l.alone) {
            l.lanes = (p->scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[c->plan->isa];
            if (!l.alone && l.chunks.spread > l.lanes->lanes) l.chunks.spread = l.lanes->lanes;
            bool closed = sg_lanes_sig_is_closed(c->plan, l.lanes->pairs_letters),
                 whole = l.chunks.pieces == 1 || l.chunks.spread == l.lanes->lanes;
            l.joined = p->joined && what == SG_BATCH_FWD && !l.alone && !closed && whole &&
                       sg_chunk_count(&l.chunks) > 1;
            l.woven = p->joined && what == SG_BATCH_VJP && !l.alone && l.chunks.spread > 1;
            l.apart = p->threads > 1 && sg_runs_of_group(&l) > 1;
            sg_signature_lay_out_lanes(&b, what, &l);
        } else {
            l.area_bytes = sg_signature_item_bytes(&b, what);
        }
    }
    int64_t bytes = sg_signature_layout_bytes(&l);
    char *work = aligned_alloc(64, (size_t)bytes / 64 * 64 + 128);
    memset(work, 0x7f, (size_t)bytes + 64);
    b.work = work;
    sg_signature_run_by(&b, what, &l);
    for (int i = 0; i < 64; i++) cr_assert_eq(work[bytes + i], 0x7f, "%s", case_text(c));
    free(work);
    free(x);
    free(g);
    widen(p->scalar, out, entries);
    return out;
}

static problem draw_problem(uint64_t seed)
{
    int64_t most = seed % 4 ? 40 : 500;
    sigad_sig_spec spec = {.dimension = 1 + (int32_t)draw(seed, 0, 4),
                           .degree = 2 + (int32_t)draw(seed, 1, 4),
                           .time_aug = (int32_t)draw(seed, 2, 2),
                           .lead_lag = (int32_t)draw(seed, 3, 2),
                           .scalar_term = (int32_t)draw(seed, 4, 2),
                           .method = (int32_t)draw(seed, 5, 3),
                           .end_time = 1.5};
    if (spec.lead_lag && spec.dimension > 2) spec.dimension = 2;
    if (spec.dimension == 1) spec.time_aug = 1;
    int operation = draw(seed, 6, 3) ? CASE_SIG : CASE_LOG_SIG;
    int64_t batch = most > 100 ? 1 + draw(seed, 7, 3) : 1 + draw(seed, 7, 20);
    problem p = {.c = case_create(operation, &spec, batch, 2 + draw(seed, 8, most), seed),
                 .scalar = draw(seed, 9, 3) ? SG_F64 : SG_F32,
                 .threads = 1 + (int)draw(seed, 10, 3),
                 .fresh = draw(seed, 16, 2)};
    p.chunks = (sg_chunks){1 << draw(seed, 12, 5), 1 << draw(seed, 13, 5)};
    if (draw(seed, 15, 6) == 0) p.chunks.spread = 0;
    p.joined = draw(seed, 17, 2);
    if (p.joined && draw(seed, 18, 2)) p.chunks.spread = SG_MOST_LANES;
    if (draw(seed, 14, 2)) p.lengths = make(batch, sizeof *p.lengths);
    for (int64_t i = 0; p.lengths && i < batch; i++)
        p.lengths[i] = draw(seed, 100 + (uint64_t)i, p.c.length + 1);
    for (int64_t i = 0; i < batch * p.c.x_entries; i++) /* walks, not too wild */
        p.c.x[i] =
            0.3 * p.c.x[i] + (i % p.c.x_entries < spec.dimension ? 0 : p.c.x[i - spec.dimension]);
    return p;
}

static void problem_destroy(problem *p)
{
    case_destroy(&p->c);
    free(p->lengths);
}

static void compare(const problem *p, int what, const sg_chunks *chunks)
{
    static const sg_chunks items = {0, 1};
    problem exact = *p;
    exact.scalar = SG_F64;
    double *want = result(&exact, what, &items), *got = result(p, what, chunks);
    int64_t n = what == SG_BATCH_FWD ? p->c.y_entries : p->c.x_entries;
    cr_assert_lt(case_distance(p->c.batch * n, got, want), p->scalar == SG_F64 ? 1e-11 : 2e-3,
                 "%s, %s, %s, cut %d %d", case_text(&p->c), what ? "backward" : "forward",
                 p->scalar == SG_F64 ? "double" : "float", (int)chunks->spread,
                 (int)chunks->pieces);
    free(want);
    free(got);
}

Test(chunks, every_cut_gives_what_whole_paths_give)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        problem p = draw_problem(seed);
        p.c.plan->isa = (sg_isa)(seed % (p.c.plan->isa + 1));
        compare(&p, SG_BATCH_FWD, &p.chunks);
        compare(&p, SG_BATCH_VJP, &p.chunks);
        problem_destroy(&p);
    }
}

/* The same path at another place of the batch, and other numbers of threads. */
Test(chunks, bits_do_not_depend_on_threads_or_place)
{
    for (uint64_t seed = 300; seed < 400; seed++)
        for (int what = SG_BATCH_FWD; what <= SG_BATCH_VJP; what++) {
            problem p = draw_problem(seed), q = draw_problem(seed);
            const sg_chunks *chunks = seed % 2 ? &p.chunks : NULL;
            int64_t last = p.c.batch - 1, n = p.c.x_entries, m = p.c.y_entries,
                    size = what == SG_BATCH_FWD ? m : n;
            for (int64_t i = 0; i <= last; i++) {
                memcpy(q.c.x + i * n, p.c.x + (last - i) * n, (size_t)n * sizeof(double));
                memcpy(q.c.g + i * m, p.c.g + (last - i) * m, (size_t)m * sizeof(double));
                if (p.lengths) q.lengths[i] = p.lengths[last - i];
            }
            p.threads = 1;
            q.threads = 3;
            double *a = result(&p, what, chunks), *b = result(&q, what, chunks);
            for (int64_t i = 0; i <= last; i++)
                cr_assert_arr_eq(a + i * size, b + (last - i) * size, (size_t)size * sizeof *a,
                                 "%s", case_text(&p.c));
            free(a);
            free(b);
            problem_destroy(&p);
            problem_destroy(&q);
        }
}

/* Joined in the vectors: all words, the core, the wide core, iterated sums, areas, and what chunks
 * inside the lanes leave, which may be whole. */
Test(chunks, joined_lanes_of_every_kernel)
{
    static const struct {
        int32_t dimension, degree, lead_lag, time_aug, kernel;
        int64_t length; /* for a lane */
    } shape[] = {
        {3, 2, 0, 1, 0, 12}, {3, 3, 0, 0, 0, 4},   {3, 3, 0, 0, 0, 12},  {4, 3, 0, 0, 0, 260},
        {3, 4, 0, 0, 0, 12}, {3, 4, 0, 1, 0, 50},  {2, 4, 0, 0, 0, 130}, {3, 5, 0, 0, 0, 20},
        {2, 5, 0, 0, 0, 70}, {2, 6, 0, 0, 0, 30},  {2, 6, 0, 0, 0, 65},  {2, 6, 0, 0, 0, 260},
        {2, 7, 0, 0, 0, 30}, {2, 7, 0, 0, 0, 130}, {2, 8, 0, 0, 0, 90},  {2, 4, 1, 0, 0, 40},
        {2, 3, 1, 1, 0, 20}, {3, 4, 0, 0, 1, 60},  {3, 4, 0, 0, 2, 5}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
            for (int scalar = SG_F32; scalar <= SG_F64; scalar++) {
                int lanes = (scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[isa]->lanes;
                sigad_sig_spec spec = {.dimension = shape[i].dimension,
                                       .degree = shape[i].degree,
                                       .lead_lag = shape[i].lead_lag,
                                       .time_aug = shape[i].time_aug,
                                       .kernel = shape[i].kernel,
                                       .end_time = 1};
                problem p = {.c = case_create(CASE_SIG, &spec, 2, lanes * shape[i].length + 3, i),
                             .scalar = scalar,
                             .joined = true,
                             .threads = 1};
                p.c.plan->isa = (sg_isa)isa;
                for (int64_t k = 0; k < 2 * p.c.x_entries; k++) p.c.x[k] *= 0.05;
                compare(&p, SG_BATCH_FWD, &(sg_chunks){lanes, 1});
                compare(&p, SG_BATCH_FWD, &(sg_chunks){lanes, 2});
                compare(&p, SG_BATCH_VJP, &(sg_chunks){lanes, 1});
                compare(&p, SG_BATCH_VJP, &(sg_chunks){lanes / 2, 4});
                problem_destroy(&p);
            }
}

/* The library's own choice, around where it changes. */
Test(chunks, all_lengths_and_batches)
{
    static const int64_t length[] = {2, 3, 17, 64, 65, 129, 700, 3000}, batch[] = {1, 2, 7, 9, 17};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        for (size_t j = 0; j < sizeof batch / sizeof *batch; j++) {
            if (length[i] * batch[j] > 6000) continue;
            sigad_sig_spec spec = {.dimension = 2 + (int32_t)(i + j) % 2, .degree = 3};
            problem p = {.c = case_create(CASE_SIG, &spec, batch[j], length[i], i),
                         .scalar = SG_F64,
                         .threads = 2};
            for (int64_t k = 0; k < batch[j] * p.c.x_entries; k++) p.c.x[k] *= 0.05;
            for (int what = SG_BATCH_FWD; what <= SG_BATCH_VJP; what++) {
                static const sg_chunks items = {0, 1};
                double *want = result(&p, what, &items), *got = result(&p, what, NULL);
                int64_t n = what == SG_BATCH_FWD ? p.c.y_entries : p.c.x_entries;
                cr_assert_lt(case_distance(batch[j] * n, got, want), 1e-12, "%s", case_text(&p.c));
                free(want);
                free(got);
            }
            problem_destroy(&p);
        }
}

/* Chunks of one path inside one tensor, around the numbers of letters at which kernels change. */
Test(chunks, many_letters)
{
    static const int32_t letters[] = {4, 5, 6, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        for (int32_t degree = 2; degree <= (letters[i] <= 17 ? 3 : 2); degree++)
            for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
                for (int scalar = SG_F32; scalar <= SG_F64; scalar++) {
                    sigad_sig_spec spec = {.dimension = letters[i], .degree = degree};
                    problem p = {.c = case_create(CASE_SIG, &spec, 2, 60, (uint64_t)letters[i]),
                                 .scalar = scalar,
                                 .threads = 2};
                    p.c.plan->isa = (sg_isa)isa;
                    for (int64_t k = 0; k < 2 * p.c.x_entries; k++) p.c.x[k] *= 0.1;
                    for (int what = SG_BATCH_FWD; what <= SG_BATCH_VJP; what++)
                        compare(&p, what, &(sg_chunks){0, 8});
                    problem_destroy(&p);
                }
}

/* Floats on a long smooth path: chunks keep rounding errors from adding up. */
Test(chunks, long_paths_in_float)
{
    enum { LENGTH = 30000 };
    sigad_sig_spec spec = {.dimension = 3, .degree = 4};
    problem p = {.c = case_create(CASE_SIG, &spec, 1, LENGTH, 1), .scalar = SG_F32, .threads = 1};
    for (int i = 0; i < LENGTH; i++)
        for (int k = 0; k < 3; k++)
            p.c.x[3 * i + k] = (float)sin(2 * (k + 1) * (double)i / LENGTH + 0.3 * k);
    problem exact = p;
    exact.scalar = SG_F64;
    for (int what = SG_BATCH_FWD; what <= SG_BATCH_VJP; what++) {
        double *want = result(&exact, what, NULL), *got = result(&p, what, NULL);
        int64_t n = what == SG_BATCH_FWD ? p.c.y_entries : p.c.x_entries;
        double worst = 0, size = 0;
        for (int64_t i = 0; i < n; i++) {
            worst = fmax(worst, fabs(got[i] - want[i]));
            size = fmax(size, fabs(want[i]));
        }
        cr_assert_lt(worst / size, what == SG_BATCH_FWD ? 2e-6 : 1e-5);
        free(want);
        free(got);
    }
    problem_destroy(&p);
}

/* ---- products -----------------------------------------------------------------------------------
 */

/* The product of a and b by definition, or, for a cotangent g of it, its transposes at a and b. */
static void define(const sigad_plan *plan, const double *a, const double *b, double *product)
{
    int64_t words = sg_plan_words(plan);
    for (int64_t w = 0; w < words; w++) product[w] = a[w] + b[w];
    for (int i = 1; i < plan->degree; i++)
        for (int j = 1; i + j <= plan->degree; j++)
            for (int64_t u = 0; u < plan->size[i]; u++)
                for (int64_t v = 0; v < plan->size[j]; v++)
                    product[plan->offset[i + j] + u * plan->size[j] + v] +=
                        a[plan->offset[i] + u] * b[plan->offset[j] + v];
}

static void define_vjp(const sigad_plan *plan, const double *a, const double *b, const double *g,
                       double *a_bar, double *b_bar)
{
    memcpy(a_bar, g, (size_t)sg_plan_words(plan) * sizeof *g);
    memcpy(b_bar, g, (size_t)sg_plan_words(plan) * sizeof *g);
    for (int i = 1; i < plan->degree; i++)
        for (int j = 1; i + j <= plan->degree; j++)
            for (int64_t u = 0; u < plan->size[i]; u++)
                for (int64_t v = 0; v < plan->size[j]; v++) {
                    double bar = g[plan->offset[i + j] + u * plan->size[j] + v];
                    a_bar[plan->offset[i] + u] += bar * b[plan->offset[j] + v];
                    b_bar[plan->offset[j] + v] += bar * a[plan->offset[i] + u];
                }
}

/* Random tensors a, b, g, one for each lane. */
enum { A, B, G, TENSORS };
typedef struct {
    double *of[TENSORS][SG_MOST_LANES];
} tensors;

static void check_row(const sigad_plan *plan, int scalar, int row, const tensors *t)
{
    const sg_lane_kernels *k = (scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[plan->isa];
    int64_t n = sg_plan_words(plan);
    double tolerance = scalar == SG_F32 ? 1e-5 : 1e-13;
    double *want = make(n, 8), *want_a = make(n, 8), *want_b = make(n, 8), *b_bar = make(n, 8);
    double *a = narrow(scalar, t->of[A][row], n), *b = narrow(scalar, t->of[B][row], n),
           *g = narrow(scalar, t->of[G][row], n);
    define(plan, t->of[A][row], t->of[B][row], want);
    define_vjp(plan, t->of[A][row], t->of[B][row], t->of[G][row], want_a, want_b);
    k->join_rows_vjp(plan, a, b, g, b_bar);
    k->join_rows(plan, plan->degree, a, b);
    widen(scalar, b, n);
    widen(scalar, g, n);
    widen(scalar, b_bar, n);
    cr_assert_lt(case_distance(n, b, want), tolerance);
    cr_assert_lt(case_distance(n, g, want_a), tolerance);
    cr_assert_lt(case_distance(n, b_bar, want_b), tolerance);
    free(want), free(want_a), free(want_b), free(b_bar), free(a), free(b), free(g);
}

static void check_lanes(const sigad_plan *plan, int scalar, const tensors *t)
{
    const sg_lane_kernels *k = (scalar == SG_F32 ? sg_lanes_f32 : sg_lanes_f64)[plan->isa];
    int64_t n = sg_plan_words(plan);
    size_t bytes = (size_t)n * SG_MOST_LANES * 8 / 64 * 64 + 64;
    void *side[4], *row[SG_MOST_LANES];
    double *want = make(n, 8), *want_b = make(n, 8);
    for (int i = 0; i < 4; i++) side[i] = aligned_alloc(64, bytes);
    for (int i = A; i <= G; i++) {
        for (int l = 0; l < k->lanes; l++) row[l] = narrow(scalar, t->of[i][l], n);
        k->gather(n, (const void *const *)row, side[i]);
        for (int l = 0; l < k->lanes; l++) free(row[l]);
    }
    k->join_lanes_vjp(plan, side[0], side[1], side[2], side[3]);
    k->join_lanes(plan, plan->degree, side[0], side[1]);
    for (int i = 1; i < 4; i++) {
        for (int l = 0; l < k->lanes; l++) row[l] = make(n, 8);
        k->scatter(n, side[i], k->lanes, row);
        for (int l = 0; l < k->lanes; l++) {
            widen(scalar, row[l], n);
            if (i == 1)
                define(plan, t->of[A][l], t->of[B][l], want);
            else
                define_vjp(plan, t->of[A][l], t->of[B][l], t->of[G][l], i == 2 ? want : want_b,
                           i == 2 ? want_b : want);
            cr_assert_lt(case_distance(n, row[l], want), scalar == SG_F32 ? 1e-5 : 1e-13);
            free(row[l]);
        }
    }
    for (int i = 0; i < 4; i++) free(side[i]);
    free(want), free(want_b);
}

Test(chunks, products_are_what_they_are_defined_as)
{
    for (int32_t d = 2; d <= 20; d++)
        for (int32_t degree = 2; degree <= 8; degree++) {
            sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = d, .degree = degree};
            sigad_plan *plan;
            tensors t;
            if (pow(d, degree) > 5000) break;
            cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
            int64_t n = sg_plan_words(plan);
            for (int i = 0; i < TENSORS * SG_MOST_LANES; i++) {
                double *tensor = t.of[i % TENSORS][i / TENSORS] = make(n, sizeof(double));
                for (int64_t w = 0; w < n; w++)
                    tensor[w] = (float)(0.3 * case_normal((uint64_t)i + 1, w));
            }
            for (int isa = plan->isa; isa >= 0; isa--)
                for (int scalar = SG_F32; scalar <= SG_F64; scalar++) {
                    plan->isa = (sg_isa)isa;
                    check_row(plan, scalar, isa, &t);
                    if (d <= SG_CORE_LANE_LETTERS) check_lanes(plan, scalar, &t);
                }
            for (int i = 0; i < TENSORS * SG_MOST_LANES; i++) free(t.of[i % TENSORS][i / TENSORS]);
            sigad_plan_destroy(plan);
        }
}

/* The points of a batch may begin and end where memory does: no kernel reads further, not even what
 * it does not use. */
#include "algebra/plan.h"
#include "core/cpu.h"
#include "core/random.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_BATCH = 33, MOST_LENGTH = 40, MOST_LETTERS = 6 };

/* Memory between two pages that nobody may touch. */
static char *between_guards(size_t room, size_t page)
{
    char *all =
        mmap(NULL, room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)all, MAP_FAILED);
    cr_assert_eq(mprotect(all, page, PROT_NONE), 0);
    cr_assert_eq(mprotect(all + page + room, page, PROT_NONE), 0);
    return all + page;
}

static void fill(bool single, int64_t count, void *points)
{
    for (int64_t i = 0; i < count; i++) {
        double value = 0.2 * sg_random_uniform(1, (uint64_t)i);
        if (single)
            ((float *)points)[i] = (float)value;
        else
            ((double *)points)[i] = value;
    }
}

/* Paths of all lengths, of half of them, and as short as can be. */
static void run(sigad_plan *plan, bool single, int64_t batch, int64_t length, void *points,
                double *sig)
{
    int64_t lengths[MOST_BATCH];
    fill(single, batch * length * plan->spec.dimension, points);
    for (int kind = 0; kind < 3; kind++) {
        for (int64_t i = 0; i < batch; i++)
            lengths[i] = kind == 2 ? i % (length + 1) : (length + kind) / (1 + kind);
        cr_assert_eq(
            single
                ? sigad_sig_f32(plan, batch, length, kind ? lengths : NULL, points, (float *)sig, 1)
                : sigad_sig_f64(plan, batch, length, kind ? lengths : NULL, points, sig, 1),
            SIGAD_OK);
    }
}

static void check_all(int32_t d, int32_t degree, char *room, size_t bytes, double *sig)
{
    const int64_t batch[] = {1, 2, 5, 16, MOST_BATCH},
                  length[] = {1, 2, 3, 4, 5, 8, 9, 10, 17, 20, MOST_LENGTH};
    sigad_sig_spec spec = {SIGAD_SIG_SPEC_INIT, .dimension = d, .degree = degree};
    sigad_plan *plan;
    cr_assert_eq(sigad_plan_create(&spec, &plan), SIGAD_OK);
    for (int isa = SG_ISA_BASE; isa <= (int)sg_isa_best(); isa++)
        for (size_t b = 0; b < sizeof batch / sizeof *batch; b++)
            for (size_t l = 0; l < sizeof length / sizeof *length; l++)
                for (int single = 0; single < 2; single++) {
                    size_t size = single ? sizeof(float) : sizeof(double);
                    size_t used = (size_t)(batch[b] * length[l] * d) * size;
                    plan->isa = (sg_isa)isa;
                    run(plan, single, batch[b], length[l], room, sig);
                    run(plan, single, batch[b], length[l], room + bytes - used, sig);
                }
    sigad_plan_destroy(plan);
}

Test(bounds, nothing_beyond_the_points)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE),
           bytes = (size_t)MOST_BATCH * MOST_LENGTH * MOST_LETTERS * sizeof(double);
    bytes = (bytes + page - 1) / page * page;
    char *room = between_guards(bytes, page);
    double *sig = malloc((size_t)MOST_BATCH * 2000 * sizeof *sig);
    cr_assert_not_null(sig);
    for (int32_t d = 1; d <= MOST_LETTERS; d++)
        for (int32_t degree = 2; degree <= 4; degree++) check_all(d, degree, room, bytes, sig);
    free(sig);
    munmap(room - page, bytes + 2 * page);
}

#include "recursion.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t mirrored_index(int letters, int level, int64_t word)
{
    int64_t mirror = 0;
    for (int i = 0; i < level; i++, word /= letters) mirror = mirror * letters + word % letters;
    return mirror;
}

int recursion_open(recursion *r)
{
    r->letters = (r->lead_lag ? 2 : 1) * r->dimension + r->time_aug;
    r->size[0] = 1;
    r->offset[0] = r->offset[1] = 0;
    for (int k = 1; k <= r->degree; k++) {
        r->size[k] = r->size[k - 1] * r->letters;
        r->offset[k + 1] = r->offset[k] + r->size[k];
    }
    r->words = r->offset[r->degree + 1];
    r->mirror = malloc((size_t)r->words * sizeof *r->mirror);
    for (int k = 1; k <= r->degree && r->mirror; k++)
        for (int64_t i = 0; i < r->size[k]; i++)
            r->mirror[r->offset[k] + i] = r->offset[k] + mirrored_index(r->letters, k, i);
    return !r->mirror;
}

void recursion_close(recursion *r)
{
    free(r->mirror);
    r->mirror = NULL;
}

/* Of an increment of the augmented path: where its segment starts in the path, and its first letter
 * that is no time (of lead-lag paths the lead, behind the lag, moves first). */
static int64_t segment(const recursion *r, int64_t t, int *letter)
{
    *letter = r->lead_lag && t % 2 == 0 ? r->dimension : 0;
    return (r->lead_lag ? t / 2 : t) * r->dimension;
}

#define REAL    float
#define NAME(f) f##_f32
#include "recursion.inc"
#undef REAL
#undef NAME
#define REAL    double
#define NAME(f) f##_f64
#include "recursion.inc"
#undef REAL
#undef NAME
#define REAL    long double
#define NAME(f) f##_long
#include "recursion.inc"
#undef REAL
#undef NAME

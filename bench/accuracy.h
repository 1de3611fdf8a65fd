/* Errors of sig and its backward on paths of one shape: what accuracy.c prints statistics of. */
#ifndef BENCH_ACCURACY_H
#define BENCH_ACCURACY_H
#include "recursion.h"
#include <stdint.h>

/* Random walks; walks far from 0; walks that drift, and hardly do anything else; sines. */
enum { WALK, AWAY, DRIFT, STRAIGHT, SMOOTH, PATHS };
extern const char *const path_name[PATHS];

typedef struct {
    int path;
    int64_t batch, length;
    int dimension, degree;
    int lead_lag, time_aug;
    int mixed;     /* lengths are random, 2 .. length */
    int cotangent; /* of the words of this level alone; 0: of all */
    int f32;
} shape;

/* Of which errors are taken: sigad_sig_spec.kernel; the reference recursion; its mirror image. */
enum { AUTO, PLAIN, CORE, RECURSION, MIRRORED, SOURCES };

/* Largest error of a level over the level's largest entry, for each path: first that of the
 * gradient, then those of levels 1 .. degree. */
enum { COLUMNS = RECURSION_DEGREE + 1 };
typedef struct {
    int64_t paths;
    double (*of[SOURCES])[COLUMNS]; /* [paths] */
} errors;

/* Errors of so many batches, by kernels up to `last`. 0, or else something failed. */
int measure_errors(const shape *s, int64_t batches, int last, uint64_t seed, errors *e);
void free_errors(errors *e);

/* One of the paths of shape s, of this length. */
void draw_path(const shape *s, int64_t length, double *path, uint64_t *state);
#endif

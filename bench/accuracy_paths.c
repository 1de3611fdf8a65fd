#include "accuracy.h"
#include "cases.h"
#include <math.h>

const char *const path_name[PATHS] = {"walk", "away", "drift", "straight", "smooth"};

/* Sines, one a letter, that go round a few times. */
static void draw_sines(int letters, int64_t length, double *path, uint64_t *state)
{
    for (int k = 0; k < letters; k++) {
        double phase = bench_uniform(state), turns = 4 + 3 * k + bench_uniform(state);
        for (int64_t i = 0; i < length; i++) {
            double time = (double)i / (double)(length - 1);
            path[i * letters + k] = sin(turns * (time + phase));
        }
    }
}

/* Ends at a distance of about `noise` from the straight line by `drift` times a random direction.
 */
static void draw_walk(int letters, int64_t length, double start, double drift, double noise,
                      double *path, uint64_t *state)
{
    const double step = 1.7 * noise / sqrt((double)length), gain = drift / (double)(length - 1);
    for (int k = 0; k < letters; k++) {
        double at = start * (1 + bench_uniform(state)), slope = bench_uniform(state);
        for (int64_t i = 0; i < length; i++) {
            path[i * letters + k] = at;
            at += gain * slope + step * bench_uniform(state);
        }
    }
}

void draw_path(const shape *s, int64_t length, double *path, uint64_t *state)
{
    int d = s->dimension;
    switch (s->path) {
    case SMOOTH:
        draw_sines(d, length, path, state);
        break;
    case AWAY:
        draw_walk(d, length, 100, 0, 1, path, state);
        break;
    case DRIFT:
        draw_walk(d, length, 0, 2, 1, path, state);
        break;
    case STRAIGHT:
        draw_walk(d, length, 0, 2, 0.1, path, state);
        break;
    default:
        draw_walk(d, length, 0, 0, 1, path, state);
    }
}

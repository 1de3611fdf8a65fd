/* What sample.c leaves to its user: the data. The target is the path's area, which a signature
 * knows. */
#include <stdint.h>
#include <stdio.h>

int64_t n_features = 3 + 3 + 8 + 18, B = 16, L = 10,
        d = 2; /* Lyndon words of 3 letters, degree 1 to 4 */
int train(int steps);
const float *batch_paths(int step), *batch_targets(int step);

static float paths[16][10][2], targets[16];

const float *batch_paths(int step)
{
    uint32_t state = (uint32_t)step + 1;
    for (int i = 0; i < 16; i++) {
        targets[i] = 0.0f;
        for (int j = 0; j < 10; j++) {
            for (int k = 0; k < 2; k++) {
                state = state * 1664525u + 1013904223u;
                paths[i][j][k] = (float)(state >> 8) / (float)(1 << 24) - 0.5f;
            }
            if (j > 0)
                targets[i] +=
                    paths[i][j - 1][0] * paths[i][j][1] - paths[i][j - 1][1] * paths[i][j][0];
        }
    }
    return &paths[0][0][0];
}

const float *batch_targets(int step)
{
    (void)step;
    return targets;
}

int main(void)
{
    return train(50);
}

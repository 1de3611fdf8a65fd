/* What b_penalty.c leaves to its user: the real data, here circles of random radius. */
#include <math.h>
#include <stdint.h>

int train(int steps);
const double *real_batch(int step);

const double *real_batch(int step)
{
    static double paths[64][50][2];
    for (int i = 0; i < 64; i++) {
        double radius = 0.5 + (double)((i * 37 + step * 11) % 64) / 64.0;
        for (int j = 0; j < 50; j++) {
            paths[i][j][0] = radius * cos(0.128 * j);
            paths[i][j][1] = radius * sin(0.128 * j);
        }
    }
    return &paths[0][0][0];
}

int main(void)
{
    return train(12);
}

// From the cotangents of the increments to those of the points.
#pragma once
#include "ops/cuda/increments.cuh"

// Of paths first .. end-1, by `threads` threads of which this is the one numbered `thread`: point p
// ends increment p-1 and begins increment p. Parts are added in order; increments past a path's
// length are not looked at.
template <class T>
SG_DEVICE void paths_bar(const sg_cuda_paths &p, int parts, const T *z_bar, T *path_bar,
                         int64_t first, int64_t end, int64_t thread, int64_t threads)
{
    const int64_t steps = steps_of(p, p.length), of_path = p.length * p.dimension;
    const int64_t all = least(end, p.batch) * of_path;
    for (int64_t i = first * of_path + thread; i < all; i += threads) {
        const int k = static_cast<int>(i % p.dimension);
        const int64_t point = i / p.dimension % p.length, path = i / of_path;
        const int64_t length = path_length(p, path);
        const auto increment_bar = [=](const T *z, int64_t t) {
            if (!p.lead_lag) return z[t * p.letters + k];
            return z[2 * t * p.letters + p.dimension + k] + z[(2 * t + 1) * p.letters + k];
        };
        T sum = 0;
        for (int part = 0; part < parts; part++) {
            const T *z = z_bar + (part * p.batch + path) * steps * p.letters;
            if (point > 0 && point < length) sum += increment_bar(z, point - 1);
            if (point + 1 < length) sum -= increment_bar(z, point);
        }
        path_bar[i] = sum;
    }
}

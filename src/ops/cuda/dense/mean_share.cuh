// ops/cpu/mean_share.h where the cotangent lies on the device.
#pragma once
#include "ops/cuda/dense/common.cuh"

template <class T> SG_DEVICE T mean_share(sg_mean_share share)
{
    if (!share.g) return T(1);
    const double g = static_cast<double>(*static_cast<const T *>(share.g));
    return static_cast<T>(g / static_cast<double>(share.count));
}

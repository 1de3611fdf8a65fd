// Counts of one kernel launch for counted numbers: counted_f32.cpp, counted_f64.cpp.
#pragma once
#include "counted.h"
#include "ops/cuda/kernels.h"

// What `q` says, run once on paths [batch, steps + 1, letters] of the emulated device. It must have
// one chunk, and increments in shared memory.
operation_counts count_f32(const sg_cuda_layout &q, int64_t batch, bool backward);
operation_counts count_f64(const sg_cuda_layout &q, int64_t batch, bool backward);

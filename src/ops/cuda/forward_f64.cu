#define REAL double
#include "ops/cuda/forward.inc"

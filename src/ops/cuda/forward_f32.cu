#define REAL float
#include "ops/cuda/forward.inc"

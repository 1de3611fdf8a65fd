#define REAL float
#include "ops/cuda/backward.inc"

#define REAL double
#include "ops/cuda/backward.inc"

#include "ops/cpu/signature.h"
#include <complex.h>

#define SG_BODY "ops/cpu/lyndon.inc"
#include "ops/cpu/each_scalar.inc"

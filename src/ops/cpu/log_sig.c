#include "ops/cpu/signature.h"
#include <complex.h>

#define SG_BODY "ops/cpu/log_sig.inc"
#include "ops/cpu/each_scalar.inc"

#include "counted.h"
#define REAL  counted<float>
#define COUNT count_f32
#include "counted_kernels.inc"

#include "counted.h"
#define REAL  counted<double>
#define COUNT count_f64
#include "counted_kernels.inc"

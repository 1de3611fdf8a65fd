/* The product of vectors along the last axis, made of other operations. */
#include "sigad/ops.h"

sigad_tensor sigad_dot(sigad_tape *tape, sigad_tensor a, sigad_tensor b)
{
    return sigad_sum(tape, sigad_mul(tape, a, b), -1, 0);
}

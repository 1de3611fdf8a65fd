/* sigad.h - everything. Read in this order: context.h, tape.h, ops.h, train.h; then what you need of the others. */
#ifndef SIGAD_H
#define SIGAD_H
#include "base.h"
#include "signature.h"
#include "context.h"
#include "tape.h"
#include "ops.h"
#include "op.h"
#include "train.h"
#include "io.h"
#include "cuda.h"
#endif

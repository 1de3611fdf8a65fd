#define ISA(name) name##_base
#include "train/rules/isa.inc"

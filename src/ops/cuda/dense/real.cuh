// Functions of one real number, for float and double alike, and the words in which the lists in
// ops/unary.h, ops/binary.h, ops/loss.h and ops/cpu/along.h speak; T is the scalar there.
#pragma once
#include "ops/cuda/launch.cuh"
#include <math.h>

#define SG_REAL_FUNCTION(name)             \
    SG_DEVICE float real_##name(float x)   \
    {                                      \
        return name##f(x);                 \
    }                                      \
    SG_DEVICE double real_##name(double x) \
    {                                      \
        return name(x);                    \
    }
SG_REAL_FUNCTION(exp)
SG_REAL_FUNCTION(expm1)
SG_REAL_FUNCTION(log)
SG_REAL_FUNCTION(log1p)
SG_REAL_FUNCTION(sqrt)
SG_REAL_FUNCTION(sin)
SG_REAL_FUNCTION(cos)
SG_REAL_FUNCTION(tan)
SG_REAL_FUNCTION(tanh)
SG_REAL_FUNCTION(erfc)
SG_REAL_FUNCTION(fabs)
#undef SG_REAL_FUNCTION

SG_DEVICE float real_pow(float x, float e)
{
    return powf(x, e);
}
SG_DEVICE double real_pow(double x, double e)
{
    return pow(x, e);
}

// The exponents that programs use most go without the library, as on the CPU.
template <class T> SG_DEVICE T real_power(T x, T e)
{
    if (e == T(2)) return x * x;
    if (e == T(1)) return x;
    if (e == T(0)) return T(1);
    if (e == T(-1)) return T(1) / x;
    if (e == T(0.5)) return real_sqrt(x);
    return real_pow(x, e);
}

// Exponentials of what is not positive, so that none overflows. A NaN passes each comparison.
template <class T> SG_DEVICE T real_sigmoid(T x)
{
    const T e = real_exp(-real_fabs(x));
    return (x < T(0) ? e : T(1)) / (T(1) + e);
}

template <class T> SG_DEVICE T real_softplus(T x)
{
    return (x < T(0) ? T(0) : x) + real_log1p(real_exp(-real_fabs(x)));
}

// Below -1000 the exponential is 0 in both precisions, and must not meet an infinity.
template <class T> SG_DEVICE T real_silu(T x)
{
    const T e = real_exp(-real_fabs(x));
    return (x < T(0) ? (x < T(-1000) ? T(-1000) : x) * e : x) / (T(1) + e);
}

template <class T> SG_DEVICE T real_normal_probability(T x)
{
    return T(0.5) * real_erfc(x * T(-0.70710678118654752440));
}

// max(x, 0) - a (1 - Phi(a)) with a = |x|, which is 0 from 40 on
template <class T> SG_DEVICE T real_gelu(T x)
{
    const T size = real_fabs(x), a = size > T(40) ? T(40) : size;
    return (x < T(0) ? T(0) : x) - a * real_normal_probability(-a);
}

template <class T> SG_DEVICE bool real_is_finite(T x)
{
    return x - x == T(0);
}

#define REAL                    T
#define K(value)                (static_cast<T>(value))
#define ALL(x)                  (x)
#define SELECT(condition, p, q) ((condition) ? (p) : (q))
#define EXP(x)                  real_exp(x)
#define EXPM1(x)                real_expm1(x)
#define LOG(x)                  real_log(x)
#define LOG1P(x)                real_log1p(x)
#define SQRT(x)                 real_sqrt(x)
#define SIN(x)                  real_sin(x)
#define COS(x)                  real_cos(x)
#define TAN(x)                  real_tan(x)
#define TANH(x)                 real_tanh(x)
#define ABS(x)                  real_fabs(x)
#define POWER(x, e)             real_power(x, e)
#define SIGMOID(x)              real_sigmoid(x)
#define SOFTPLUS(x)             real_softplus(x)
#define SILU(x)                 real_silu(x)
#define GELU(x)                 real_gelu(x)
#define NORMAL_PROBABILITY(x)   real_normal_probability(x)

// Numbers with a derivative along one direction, value + slope e with e^2 = 0. Signatures and
// log-signatures are polynomials, and the kernels are written for any scalar: with this one they
// compute jvp, and from vjp the second derivatives, exactly.
#pragma once
#include "ops/cuda/launch.cuh"

struct dual {
    double value, slope;

    dual() = default;
    SG_BOTH constexpr dual(double v) : value(v), slope(0.0)
    {
    }
    SG_BOTH constexpr dual(double v, double s) : value(v), slope(s)
    {
    }
};

SG_BOTH constexpr dual operator+(dual a, dual b)
{
    return dual(a.value + b.value, a.slope + b.slope);
}
SG_BOTH constexpr dual operator-(dual a, dual b)
{
    return dual(a.value - b.value, a.slope - b.slope);
}
SG_BOTH constexpr dual operator-(dual a)
{
    return dual(-a.value, -a.slope);
}
SG_BOTH constexpr dual operator*(dual a, dual b)
{
    return dual(a.value * b.value, a.value * b.slope + a.slope * b.value);
}
// Divisors are whole numbers.
SG_BOTH constexpr dual operator/(dual a, dual b)
{
    return dual(a.value / b.value, a.slope / b.value);
}
SG_BOTH dual &operator+=(dual &a, dual b)
{
    return a = a + b;
}
SG_BOTH dual &operator-=(dual &a, dual b)
{
    return a = a - b;
}

template <> struct plain<dual> {
    using type = double;
};

SG_DEVICE dual from_lane(dual v, int away)
{
    return dual(from_lane(v.value, away), from_lane(v.slope, away));
}

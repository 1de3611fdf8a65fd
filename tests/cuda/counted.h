// A number that counts what is done with it, as a device with fused multiply-add would do it: a
// product that is added to something is one operation. Products with 1 are free, since compilers
// leave them out.
#pragma once
#include "emulation.h"
#include <stdint.h>

struct operation_counts {
    int64_t fma, mul, add;
};
extern operation_counts counts;

template <class F> struct counted {
    F v;
    counted() = default;
    constexpr counted(double value) : v(static_cast<F>(value))
    {
    }
};

// What has not been decided yet: to be multiplied, or fused.
template <class F> struct product {
    F v;
    bool free;
    operator counted<F>() const
    {
        counts.mul += !free;
        return counted<F>(v);
    }
};

template <class F> constexpr counted<F> operator/(counted<F> a, counted<F> b)
{
    return counted<F>(a.v / b.v);
}
template <class F> product<F> operator*(counted<F> a, counted<F> b)
{
    return {a.v * b.v, a.v == F(1) || b.v == F(1)};
}
template <class F> product<F> operator*(product<F> a, counted<F> b)
{
    return counted<F>(a) * b;
}
template <class F> counted<F> operator+(counted<F> a, counted<F> b)
{
    counts.add++;
    return counted<F>(a.v + b.v);
}
template <class F> counted<F> operator-(counted<F> a, counted<F> b)
{
    counts.add++;
    return counted<F>(a.v - b.v);
}
template <class F> counted<F> operator+(counted<F> a, product<F> b)
{
    (b.free ? counts.add : counts.fma)++;
    return counted<F>(a.v + b.v);
}
template <class F> counted<F> operator-(counted<F> a, product<F> b)
{
    (b.free ? counts.add : counts.fma)++;
    return counted<F>(a.v - b.v);
}
template <class F> counted<F> operator+(product<F> a, product<F> b)
{
    return counted<F>(a) + b;
}
template <class F> counted<F> &operator+=(counted<F> &a, counted<F> b)
{
    return a = a + b;
}
template <class F> counted<F> &operator-=(counted<F> &a, counted<F> b)
{
    return a = a - b;
}
template <class F> counted<F> &operator+=(counted<F> &a, product<F> b)
{
    return a = a + b;
}
template <class F> counted<F> &operator-=(counted<F> &a, product<F> b)
{
    return a = a - b;
}
template <class F> counted<F> from_lane(counted<F> v, int away)
{
    return __shfl_down_sync(0xffffffffu, v, away);
}

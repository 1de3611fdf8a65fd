#include "io/number.h"
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct {
    uint64_t digits;  /* the first 19 significant ones */
    int64_t exponent; /* value = digits * 10^exponent, if exact */
    bool negative;
    size_t length;
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes digits into the mantissa; `weight` is the exponent each of them moves by when it is taken,
 * `dropped` when it is not. */
static const char *scan_digits(const char *c, decimal *number, int weight, int dropped)
{
    const uint64_t full = 1000000000000000000u; /* one digit more fits below 2^64 */
    for (; is_digit(*c); c++) {
        if (number->digits < full) {
            number->digits = number->digits * 10 + (uint64_t)(*c - '0');
            number->exponent += weight;
        } else {
            number->exponent += dropped;
        }
    }
    return c;
}

/* The exponent stops growing far beyond the range of a double. */
static const char *scan_exponent(const char *c, decimal *number)
{
    const char *after = c + 1;
    bool negative = *after == '-';
    if (*after == '-' || *after == '+') after++;
    if (!is_digit(*after)) return c;
    int64_t exponent = 0;
    for (; is_digit(*after); after++)
        if (exponent < 1000000000) exponent = exponent * 10 + (*after - '0');
    number->exponent += negative ? -exponent : exponent;
    return after;
}

static decimal scan(const char *text)
{
    decimal number = {.negative = *text == '-'};
    const char *c = text + (*text == '-' || *text == '+');
    const char *whole = c;
    c = scan_digits(c, &number, 0, 1);
    size_t digits = (size_t)(c - whole);
    if (*c == '.') {
        const char *fraction = c + 1;
        c = scan_digits(fraction, &number, -1, 0);
        digits += (size_t)(c - fraction);
    }
    if (!digits) return (decimal){0};
    if (*c == 'e' || *c == 'E') c = scan_exponent(c, &number);
    number.length = (size_t)(c - text);
    return number;
}

/* The C library rounds correctly but asks the locale for the decimal point. NaN if there is no
 * memory for a locale. */
static double convert_in_c_locale(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c) return NAN;
    locale_t old = uselocale(c);
    double value = strtod(text, NULL);
    uselocale(old);
    freelocale(c);
    return value;
}

/* One rounding only, if mantissa and power of ten are doubles themselves (Clinger 1990, "How to
 * read floating point numbers accurately", section 3). */
size_t sg_number(const char *text, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal number = scan(text);
    if (!number.length) return 0;
    if (number.digits <= (uint64_t)1 << 53 && number.exponent >= -22 && number.exponent <= 22) {
        double m = (double)number.digits;
        double magnitude =
            number.exponent < 0 ? m / power[-number.exponent] : m * power[number.exponent];
        *value = number.negative ? -magnitude : magnitude;
    } else {
        *value = convert_in_c_locale(text);
    }
    return number.length;
}

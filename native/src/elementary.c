#include "elementary.h"

#include <string.h>

#define EK_TWO_PI 6.283185307179586476925
#define EK_SQRT_HALF 0.70710678118654752440
#define EK_LN2_HIGH 0.693147180369123816490 /* 32 bits: exact when multiplied by an exponent */
#define EK_LN2_LOW 1.90821492927058770002e-10

/* Taylor series, good to 1e-17 for |x| <= pi / 4. */
static double cos_series(double x)
{
    const double z = x * x;
    double sum = 1.0;
    for (int k = 16; k >= 2; k -= 2)
        sum = 1.0 - sum * z / (double)(k * (k - 1));
    return sum;
}

static double sin_series(double x)
{
    const double z = x * x;
    double sum = 1.0;
    for (int k = 17; k >= 3; k -= 2)
        sum = 1.0 - sum * z / (double)(k * (k - 1));
    return sum * x;
}

double ek_cos_turn(int64_t numerator, int64_t denominator)
{
    const int64_t whole = 8 * denominator; /* the angle in units of 1 / whole turns */
    int64_t angle = 8 * (numerator % denominator);
    if (angle > whole / 2)
        angle = whole - angle; /* cos(-x) = cos x */
    const int obtuse = angle > whole / 4;
    if (obtuse)
        angle = whole / 2 - angle; /* cos(pi - x) = -cos x */
    const double scale = EK_TWO_PI / (double)whole;
    const double value = angle <= whole / 8 ? cos_series(scale * (double)angle)
                                            : sin_series(scale * (double)(whole / 4 - angle));
    return obtuse ? -value : value;
}

double ek_sin_turn(int64_t numerator, int64_t denominator)
{
    return ek_cos_turn(4 * (numerator % denominator) + 3 * denominator, 4 * denominator);
}

double ek_table_cos(double x)
{
    const double pi = 0.5 * EK_TWO_PI, pi_low = 1.2246467991473532e-16;
    const double folded = x > pi ? (EK_TWO_PI - x) + 2.0 * pi_low : x; /* cos(2 pi - x) = cos x */
    if (folded > 0.75 * pi)
        return -cos_series((pi - folded) + pi_low);
    if (folded > 0.25 * pi)
        return sin_series((0.5 * pi - folded) + 0.5 * pi_low);
    return cos_series(folded);
}

double ek_table_ln(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1022;
    bits = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3fe0000000000000);
    double m; /* in [0.5, 1) */
    memcpy(&m, &bits, sizeof m);
    if (m < EK_SQRT_HALF) {
        m = m + m;
        exponent--;
    }
    const double s = (m - 1.0) / (m + 1.0); /* ln m = 2 artanh s, |s| < 0.172 */
    double sum = 0.0;
    for (int k = 25; k >= 3; k -= 2)
        sum = (sum + 1.0 / (double)k) * (s * s);
    return (double)exponent * EK_LN2_HIGH + (2.0 * (s + s * sum) + (double)exponent * EK_LN2_LOW);
}

double ek_table_exp(double x)
{
    const double half = x < 0 ? -0.5 : 0.5;
    const int64_t n = (int64_t)(x / (EK_LN2_HIGH + EK_LN2_LOW) + half);
    const double r = (x - (double)n * EK_LN2_HIGH) - (double)n * EK_LN2_LOW;
    double sum = 1.0;
    for (int k = 16; k >= 1; k--)
        sum = 1.0 + sum * r / (double)k;
    const uint64_t bits = (uint64_t)(n + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

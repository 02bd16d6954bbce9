/* Natural logarithm of floats, with the same bits in every lane width and on every machine. */
#ifndef EK_LOGARITHM_H
#define EK_LOGARITHM_H

#include "vector.h"

/* ln(1 + f) = f - f*f/2 + f*f*f*P(f) for 1 + f in [sqrt(1/2), sqrt(2)). The coefficients are those
 * of logf in the Cephes library (Moshier 1989); the whole stays within 1 ulp of the true value. */
EK_INLINE ek_f32 ek_ln_near_one(ek_f32 f)
{
    ek_f32 p = f * 7.0376836292e-2f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    return p * f * (f * f);
}

/* v is a normal number > 0, infinity or NaN. Every NaN comes out as the same NaN. */
EK_INLINE ek_f32 ek_ln(ek_f32 v)
{
    const ek_i32 sqrt_half = ek_bits(ek_splat(0.70710678f));
    const ek_i32 exponent = (ek_bits(v) - sqrt_half) >> 23;
    const ek_f32 f = ek_from_bits(ek_bits(v) - exponent * (1 << 23)) - 1.0f;
    const ek_f32 e = ek_from_int(exponent);
    ek_f32 r = ek_ln_near_one(f) + e * -2.12194440e-4f; /* ln 2 = 0.693359375 - 2.1219444e-4 */
    r = r - (f * f) * 0.5f;
    r = (f + r) + e * 0.693359375f;
    r = ek_select(ek_less(ek_splat(FLT_MAX), v), v, r);
    return ek_select(ek_is_nan(v), ek_from_bits(ek_bits(ek_splat(0.0f)) | 0x7fc00000), r);
}

#endif

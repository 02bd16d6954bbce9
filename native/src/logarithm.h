/* Natural logarithm of floats, with the same bits in every lane width and on every machine. */
#ifndef EK_LOGARITHM_H
#define EK_LOGARITHM_H

#include "vector.h"

/* ln(1 + f) / f for 1 + f in [sqrt(1/2), sqrt(2)): interpolated at Chebyshev nodes, coefficients
 * rounded to floats; off by at most 2e-7, rounding included: the logarithm has less than four ulps of error. Halves are evaluated side by side
 * (Estrin): one long chain of operations would wait for itself. */
EK_INLINE ek_f32 ek_ln_ratio(ek_f32 f)
{
    const ek_f32 f2 = f * f, f4 = f2 * f2;
    const ek_f32 low = (f * -2.500215471e-1f + 3.333418369e-1f) * f2 + (f * -4.999998808e-1f + 1.0f);
    const ek_f32 mid = (f * -1.437733024e-1f + 1.494909525e-1f) * f2 +
                       (f * -1.656069607e-1f + 1.995697767e-1f);
    return (f4 * 8.743945509e-2f + mid) * f4 + low;
}

/* v is a normal number > 0, infinity, which counts as 2^128, or NaN, which always comes out as the
 * same NaN. */
EK_INLINE ek_f32 ek_ln(ek_f32 v)
{
    const ek_i32 sqrt_half = ek_bits(ek_splat(0.70710678f));
    const ek_i32 exponent = (ek_bits(v) - sqrt_half) >> 23;
    const ek_f32 f = ek_from_bits(ek_bits(v) - (ek_i32)((ek_u32)exponent << 23)) - 1.0f;
    const ek_f32 r = f * ek_ln_ratio(f) + ek_from_int(exponent) * 0.69314718f;
    return ek_if_nan(v, ek_from_bits(ek_bits(ek_splat(0.0f)) | 0x7fc00000), r);
}

#endif

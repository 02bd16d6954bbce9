/* Transforms of 2, 3, 4, 5 and 8 complex numbers, in place, outputs in natural order. */
#ifndef EK_BUTTERFLIES_H
#define EK_BUTTERFLIES_H

#include "complex.h"

EK_INLINE void ek_dft2(ek_c32 *z)
{
    const ek_c32 a = z[0];
    z[0] = ek_c_add(a, z[1]);
    z[1] = ek_c_sub(a, z[1]);
}

EK_INLINE void ek_dft3(ek_c32 *z)
{
    const float sin60 = 0.86602540378443865f;
    const ek_c32 sum = ek_c_add(z[1], z[2]), turn = ek_c_scale(ek_c_sub(z[1], z[2]), sin60);
    const ek_c32 mid = ek_c_sub(z[0], ek_c_scale(sum, 0.5f));
    z[0] = ek_c_add(z[0], sum);
    z[1] = ek_c_sub_i(mid, turn);
    z[2] = ek_c_add_i(mid, turn);
}

EK_INLINE void ek_dft4(ek_c32 *z)
{
    const ek_c32 ac = ek_c_add(z[0], z[2]), bd = ek_c_add(z[1], z[3]);
    const ek_c32 a_c = ek_c_sub(z[0], z[2]), b_d = ek_c_sub(z[1], z[3]);
    z[0] = ek_c_add(ac, bd);
    z[1] = ek_c_sub_i(a_c, b_d);
    z[2] = ek_c_sub(ac, bd);
    z[3] = ek_c_add_i(a_c, b_d);
}

EK_INLINE void ek_dft5(ek_c32 *z)
{
    const float cos72 = 0.30901699437494742f, cos144 = -0.80901699437494742f;
    const float sin72 = 0.95105651629515357f, sin144 = 0.58778525229247313f;
    const ek_c32 a = z[0], be = ek_c_add(z[1], z[4]), cd = ek_c_add(z[2], z[3]);
    const ek_c32 b_e = ek_c_sub(z[1], z[4]), c_d = ek_c_sub(z[2], z[3]);
    const ek_c32 near = ek_c_add(a, ek_c_add(ek_c_scale(be, cos72), ek_c_scale(cd, cos144)));
    const ek_c32 far = ek_c_add(a, ek_c_add(ek_c_scale(be, cos144), ek_c_scale(cd, cos72)));
    const ek_c32 turn = ek_c_add(ek_c_scale(b_e, sin72), ek_c_scale(c_d, sin144));
    const ek_c32 back = ek_c_sub(ek_c_scale(b_e, sin144), ek_c_scale(c_d, sin72));
    z[0] = ek_c_add(a, ek_c_add(be, cd));
    z[1] = ek_c_sub_i(near, turn);
    z[2] = ek_c_sub_i(far, back);
    z[3] = ek_c_add_i(far, back);
    z[4] = ek_c_add_i(near, turn);
}

/* Elements from `present` on, 5 to 8, are zero and not read. A sum with zero is the other term: at
 * most the sign of a zero differs from the full sum, and powers have none. */
EK_INLINE void ek_dft8(ek_c32 *z, const int present)
{
    const float sqrt_half = 0.70710678118654752f;
    ek_c32 sum[4], dif[4];
    EK_UNROLL for (int i = 0; i < 4; i++) {
        sum[i] = i + 4 < present ? ek_c_add(z[i], z[i + 4]) : z[i];
        dif[i] = i + 4 < present ? ek_c_sub(z[i], z[i + 4]) : z[i];
    }
    dif[1] = ek_c_scale((ek_c32){dif[1].re + dif[1].im, dif[1].im - dif[1].re}, sqrt_half);
    dif[2] = ek_c_minus_i(dif[2]);
    dif[3] = ek_c_scale((ek_c32){dif[3].im - dif[3].re, -dif[3].re - dif[3].im}, sqrt_half);
    ek_dft4(sum);
    ek_dft4(dif);
    EK_UNROLL for (int i = 0; i < 4; i++) {
        z[2 * i] = sum[i];
        z[2 * i + 1] = dif[i];
    }
}

/* `radix` is a constant wherever this is used. */
EK_INLINE void ek_dft(ek_c32 *z, const int radix)
{
    if (radix == 8)
        ek_dft8(z, 8);
    else if (radix == 5)
        ek_dft5(z);
    else if (radix == 4)
        ek_dft4(z);
    else if (radix == 3)
        ek_dft3(z);
    else
        ek_dft2(z);
}

#endif

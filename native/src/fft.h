/* In-place complex transform by decimation in frequency; every lane holds its own transform.
 * Row 2k is the real and row 2k + 1 the imaginary part of element k; outputs land in plan order. */
#ifndef EK_FFT_H
#define EK_FFT_H

#include "butterflies.h"

EK_INLINE ek_c32 ek_c_load(const ek_f32 *rows, int32_t k)
{
    return (ek_c32){rows[2 * k], rows[2 * k + 1]};
}

EK_INLINE void ek_c_store(ek_f32 *rows, int32_t k, ek_c32 z)
{
    rows[2 * k] = z.re;
    rows[2 * k + 1] = z.im;
}

EK_INLINE ek_c32 ek_c_turn(ek_c32 z, const float *w)
{
    return (ek_c32){z.re * w[0] - z.im * w[1], z.re * w[1] + z.im * w[0]};
}

/* One butterfly on elements k, k + step, ...; w NULL leaves the outputs unturned. */
EK_INLINE void ek_fly(ek_f32 *rows, int32_t k, int32_t step, const float *w, const int radix)
{
    ek_c32 z[8];
    EK_UNROLL for (int q = 0; q < radix; q++)
        z[q] = ek_c_load(rows, k + q * step);
    ek_dft(z, radix);
    ek_c_store(rows, k, z[0]);
    EK_UNROLL for (int q = 1; q < radix; q++)
        ek_c_store(rows, k + q * step, w ? ek_c_turn(z[q], w + 2 * (q - 1)) : z[q]);
}

/* A stage after the first one, over all blocks. The first element of a block is not turned. */
EK_INLINE void ek_fft_stage(ek_f32 *rows, int32_t size, int32_t step, const float *w,
                            const int radix)
{
    for (int32_t k = 0; k < size; k += radix * step)
        ek_fly(rows, k, step, NULL, radix);
    for (int32_t j = 1; j < step; j++)
        for (int32_t k = j; k < size; k += radix * step)
            ek_fly(rows, k, step, w + 2 * (radix - 1) * j, radix);
}

/* The stages after the first one: transforms of `span` elements each, `size` in all, until spans
 * of `end` elements are left. */
EK_STATIC void ek_fft_later(ek_f32 *rows, int32_t size, int32_t span, int32_t end,
                         const int32_t *radix, const float *w)
{
    for (; span > end; radix++) {
        const int32_t step = span / *radix;
        if (*radix == 8)
            ek_fft_stage(rows, size, step, w, 8);
        else if (*radix == 5)
            ek_fft_stage(rows, size, step, w, 5);
        else if (*radix == 4)
            ek_fft_stage(rows, size, step, w, 4);
        else if (*radix == 3)
            ek_fft_stage(rows, size, step, w, 3);
        else
            ek_fft_stage(rows, size, step, w, 2);
        w += 2 * (*radix - 1) * step;
        span = step;
    }
}

/* First stage of radix 8, from element j to element `end`, of which legs from `present` on are 0. */
EK_INLINE int32_t ek_fft_first8(ek_f32 *rows, int32_t j, int32_t end, int32_t step, const float *w,
                                const int present)
{
    for (; j < end; j++) {
        ek_c32 z[8];
        EK_UNROLL for (int q = 0; q < present; q++)
            z[q] = ek_c_load(rows, j + q * step);
        ek_dft8(z, present);
        ek_c_store(rows, j, z[0]);
        EK_UNROLL for (int q = 1; q < 8; q++)
            ek_c_store(rows, j + q * step, ek_c_turn(z[q], w + 14 * j + 2 * (q - 1)));
    }
    return j;
}

EK_STATIC void ek_fft_first(ek_f32 *rows, int32_t size, int32_t used, int32_t radix, const float *w)
{
    const int32_t step = size / radix;
    if (radix == 8) {
        int32_t j = ek_fft_first8(rows, 0, used - 7 * step, step, w, 8);
        j = ek_fft_first8(rows, j, used - 6 * step < step ? used - 6 * step : step, step, w, 7);
        j = ek_fft_first8(rows, j, used - 5 * step < step ? used - 5 * step : step, step, w, 6);
        ek_fft_first8(rows, j, step, step, w, 5);
    } else if (radix == 5) {
        for (int32_t j = 0; j < step; j++)
            ek_fly(rows, j, step, w + 8 * j, 5);
    } else if (radix == 4) {
        for (int32_t j = 0; j < step; j++)
            ek_fly(rows, j, step, w + 6 * j, 4);
    } else if (radix == 3) {
        for (int32_t j = 0; j < step; j++)
            ek_fly(rows, j, step, w + 4 * j, 3);
    } else {
        for (int32_t j = 0; j < step; j++)
            ek_fly(rows, j, step, w + 2 * j, 2);
    }
}

/* Elements that must be there, zero or not, when only `used` hold something. */
EK_INLINE int32_t ek_fft_needed(int32_t size, int32_t used, const int32_t *radix)
{
    const int32_t least = size > 1 && radix[0] == 8 ? size / 8 * 5 : size;
    return used < least ? least : used;
}

/* All stages until spans of `end` elements are left, 1 for the whole transform. Elements from
 * `used` on are zero; those from ek_fft_needed() on are not read. */
EK_STATIC void ek_fft(ek_f32 *rows, int32_t size, int32_t used, int32_t end, const int32_t *radix,
                   const float *w)
{
    if (size == end)
        return;
    const int32_t step = size / radix[0];
    ek_fft_first(rows, size, used, radix[0], w);
    ek_fft_later(rows, size, step, end, radix + 1, w + 2 * (radix[0] - 1) * step);
}

#endif

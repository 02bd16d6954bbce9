/* In-place complex transform by decimation in frequency; every lane holds its own transform.
 * Row 2k is the real and row 2k + 1 the imaginary part of element k; outputs land in plan order. */
#ifndef EK_FFT_H
#define EK_FFT_H

#include "vector.h"

typedef struct {
    ek_f32 re;
    ek_f32 im;
} ek_c32;

EK_INLINE ek_c32 ek_c_load(const ek_f32 *rows, int32_t k) { return (ek_c32){rows[2 * k], rows[2 * k + 1]}; }

EK_INLINE void ek_c_store(ek_f32 *rows, int32_t k, ek_c32 z)
{
    rows[2 * k] = z.re;
    rows[2 * k + 1] = z.im;
}

EK_INLINE ek_c32 ek_c_add(ek_c32 a, ek_c32 b) { return (ek_c32){a.re + b.re, a.im + b.im}; }
EK_INLINE ek_c32 ek_c_sub(ek_c32 a, ek_c32 b) { return (ek_c32){a.re - b.re, a.im - b.im}; }
EK_INLINE ek_c32 ek_c_scale(ek_c32 a, float s) { return (ek_c32){a.re * s, a.im * s}; }
EK_INLINE ek_c32 ek_c_add_i(ek_c32 a, ek_c32 b) { return (ek_c32){a.re - b.im, a.im + b.re}; }
EK_INLINE ek_c32 ek_c_sub_i(ek_c32 a, ek_c32 b) { return (ek_c32){a.re + b.im, a.im - b.re}; }

EK_INLINE ek_c32 ek_c_mul(ek_c32 a, const float *w)
{
    return (ek_c32){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

EK_INLINE void ek_fft2(ek_f32 *rows, int32_t k, int32_t step, const float *w)
{
    const ek_c32 a = ek_c_load(rows, k), b = ek_c_load(rows, k + step);
    ek_c_store(rows, k, ek_c_add(a, b));
    ek_c_store(rows, k + step, ek_c_mul(ek_c_sub(a, b), w));
}

EK_INLINE void ek_fft3(ek_f32 *rows, int32_t k, int32_t step, const float *w)
{
    const float sin60 = 0.86602540378443865f;
    const ek_c32 a = ek_c_load(rows, k), b = ek_c_load(rows, k + step);
    const ek_c32 c = ek_c_load(rows, k + 2 * step);
    const ek_c32 sum = ek_c_add(b, c), turn = ek_c_scale(ek_c_sub(b, c), sin60);
    const ek_c32 mid = ek_c_sub(a, ek_c_scale(sum, 0.5f));
    ek_c_store(rows, k, ek_c_add(a, sum));
    ek_c_store(rows, k + step, ek_c_mul(ek_c_sub_i(mid, turn), w));
    ek_c_store(rows, k + 2 * step, ek_c_mul(ek_c_add_i(mid, turn), w + 2));
}

EK_INLINE void ek_fft4(ek_f32 *rows, int32_t k, int32_t step, const float *w)
{
    const ek_c32 a = ek_c_load(rows, k), b = ek_c_load(rows, k + step);
    const ek_c32 c = ek_c_load(rows, k + 2 * step), d = ek_c_load(rows, k + 3 * step);
    const ek_c32 ac = ek_c_add(a, c), bd = ek_c_add(b, d);
    const ek_c32 a_c = ek_c_sub(a, c), b_d = ek_c_sub(b, d);
    ek_c_store(rows, k, ek_c_add(ac, bd));
    ek_c_store(rows, k + step, ek_c_mul(ek_c_sub_i(a_c, b_d), w));
    ek_c_store(rows, k + 2 * step, ek_c_mul(ek_c_sub(ac, bd), w + 2));
    ek_c_store(rows, k + 3 * step, ek_c_mul(ek_c_add_i(a_c, b_d), w + 4));
}

EK_INLINE void ek_fft5(ek_f32 *rows, int32_t k, int32_t step, const float *w)
{
    const float cos72 = 0.30901699437494742f, cos144 = -0.80901699437494742f;
    const float sin72 = 0.95105651629515357f, sin144 = 0.58778525229247313f;
    const ek_c32 a = ek_c_load(rows, k), b = ek_c_load(rows, k + step);
    const ek_c32 c = ek_c_load(rows, k + 2 * step), d = ek_c_load(rows, k + 3 * step);
    const ek_c32 e = ek_c_load(rows, k + 4 * step);
    const ek_c32 be = ek_c_add(b, e), cd = ek_c_add(c, d);
    const ek_c32 b_e = ek_c_sub(b, e), c_d = ek_c_sub(c, d);
    const ek_c32 near = ek_c_add(a, ek_c_add(ek_c_scale(be, cos72), ek_c_scale(cd, cos144)));
    const ek_c32 far = ek_c_add(a, ek_c_add(ek_c_scale(be, cos144), ek_c_scale(cd, cos72)));
    const ek_c32 turn = ek_c_add(ek_c_scale(b_e, sin72), ek_c_scale(c_d, sin144));
    const ek_c32 back = ek_c_sub(ek_c_scale(b_e, sin144), ek_c_scale(c_d, sin72));
    ek_c_store(rows, k, ek_c_add(a, ek_c_add(be, cd)));
    ek_c_store(rows, k + step, ek_c_mul(ek_c_sub_i(near, turn), w));
    ek_c_store(rows, k + 2 * step, ek_c_mul(ek_c_sub_i(far, back), w + 2));
    ek_c_store(rows, k + 3 * step, ek_c_mul(ek_c_add_i(far, back), w + 4));
    ek_c_store(rows, k + 4 * step, ek_c_mul(ek_c_add_i(near, turn), w + 6));
}

/* One stage over all blocks: `butterfly` is a constant, so each call is its own loop. */
#define EK_FFT_STAGE(butterfly, radix)                                                             \
    for (int32_t j = 0; j < step; j++, w += 2 * ((radix)-1))                                       \
        for (int32_t k = j; k < size; k += (radix)*step)                                           \
            butterfly(rows, k, step, w);

static void ek_fft(ek_f32 *rows, int32_t size, const int32_t *radix, int32_t stages,
                   const float *w)
{
    int32_t step = size;
    for (int32_t stage = 0; stage < stages; stage++) {
        step /= radix[stage];
        if (radix[stage] == 5) {
            EK_FFT_STAGE(ek_fft5, 5)
        } else if (radix[stage] == 4) {
            EK_FFT_STAGE(ek_fft4, 4)
        } else if (radix[stage] == 3) {
            EK_FFT_STAGE(ek_fft3, 3)
        } else {
            EK_FFT_STAGE(ek_fft2, 2)
        }
    }
}

#endif

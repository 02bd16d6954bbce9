/* Complex numbers in lanes: the real parts in one vector, the imaginary ones in another. */
#ifndef EK_COMPLEX_H
#define EK_COMPLEX_H

#include "vector.h"

typedef struct {
    ek_f32 re;
    ek_f32 im;
} ek_c32;

EK_INLINE ek_c32 ek_c_add(ek_c32 a, ek_c32 b) { return (ek_c32){a.re + b.re, a.im + b.im}; }
EK_INLINE ek_c32 ek_c_sub(ek_c32 a, ek_c32 b) { return (ek_c32){a.re - b.re, a.im - b.im}; }
EK_INLINE ek_c32 ek_c_scale(ek_c32 a, float s) { return (ek_c32){a.re * s, a.im * s}; }
EK_INLINE ek_c32 ek_c_add_i(ek_c32 a, ek_c32 b) { return (ek_c32){a.re - b.im, a.im + b.re}; }
EK_INLINE ek_c32 ek_c_sub_i(ek_c32 a, ek_c32 b) { return (ek_c32){a.re + b.im, a.im - b.re}; }
EK_INLINE ek_c32 ek_c_minus_i(ek_c32 a) { return (ek_c32){a.im, -a.re}; }

EK_INLINE ek_c32 ek_c_mul(ek_c32 a, ek_c32 w)
{
    return (ek_c32){a.re * w.re - a.im * w.im, a.re * w.im + a.im * w.re};
}

#endif

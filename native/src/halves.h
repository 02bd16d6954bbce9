/* Lanes of complex numbers with 16 bits each: the real part in the lower half, the imaginary one in
 * the upper half. Whole numbers: every width has the same bits. */
#ifndef EK_HALVES_H
#define EK_HALVES_H

#include "vector.h"

/* a + b and a - b, half by half, wrapping. */
EK_INLINE ek_i32 ek_h_add(ek_i32 a, ek_i32 b)
{
#if EK_LANES == 1
    return (ek_i32)((((uint32_t)a & 0xffff0000u) + ((uint32_t)b & 0xffff0000u)) |
                    (((uint32_t)a + (uint32_t)b) & 0xffffu));
#else
    typedef uint16_t halves __attribute__((vector_size(4 * EK_LANES)));
    return (ek_i32)((halves)a + (halves)b);
#endif
}

EK_INLINE ek_i32 ek_h_sub(ek_i32 a, ek_i32 b)
{
#if EK_LANES == 1
    return (ek_i32)((((uint32_t)a & 0xffff0000u) - ((uint32_t)b & 0xffff0000u)) |
                    (((uint32_t)a - (uint32_t)b) & 0xffffu));
#else
    typedef uint16_t halves __attribute__((vector_size(4 * EK_LANES)));
    return (ek_i32)((halves)a - (halves)b);
#endif
}

EK_INLINE ek_i32 ek_h_low(ek_i32 v) { return (ek_i32)((ek_u32)v << 16) >> 16; }
EK_INLINE ek_i32 ek_h_high(ek_i32 v) { return v >> 16; }

/* The lower halves of both. */
EK_INLINE ek_i32 ek_h_pair(ek_i32 low, ek_i32 high)
{
    return (ek_i32)(((ek_u32)low & 0xffffu) | ((ek_u32)high << 16));
}

/* Lower half times lower half plus upper half times upper half. */
EK_INLINE ek_i32 ek_h_dot(ek_i32 a, ek_i32 b)
{
#if EK_LANES == 4 && defined(__SSE2__)
    return (ek_i32)_mm_madd_epi16((__m128i)a, (__m128i)b);
#elif EK_LANES == 8 && defined(__AVX2__)
    return (ek_i32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    return (ek_i32)((ek_u32)ek_h_low(a) * (ek_u32)ek_h_low(b) +
                    (ek_u32)ek_h_high(a) * (ek_u32)ek_h_high(b));
#endif
}

/* Divided by 2^15, rounded; both become halves. */
EK_INLINE ek_i32 ek_h_rounded(ek_i32 re, ek_i32 im)
{
    return ek_h_pair((re + (1 << 14)) >> 15, (im + (1 << 14)) >> 15);
}

/* Both halves times x / 2^15, rounded. */
EK_INLINE ek_i32 ek_h_scale(ek_i32 v, int16_t x)
{
#if EK_LANES == 4 && defined(__SSSE3__)
    return (ek_i32)_mm_mulhrs_epi16((__m128i)v, _mm_set1_epi16(x));
#elif EK_LANES == 4 && defined(__SSE2__)
    const __m128i factor = _mm_set1_epi16(x);
    const __m128i low = _mm_mullo_epi16((__m128i)v, factor), one = _mm_set1_epi16(1);
    const __m128i carry = _mm_srli_epi16(_mm_add_epi16(_mm_srli_epi16(low, 14), one), 1);
    const __m128i high = _mm_mulhi_epi16((__m128i)v, factor);
    return (ek_i32)_mm_add_epi16(_mm_add_epi16(high, high), carry);
#elif EK_LANES == 8 && defined(__AVX2__)
    return (ek_i32)_mm256_mulhrs_epi16((__m256i)v, _mm256_set1_epi16(x));
#else
    return ek_h_rounded(ek_h_low(v) * x, ek_h_high(v) * x);
#endif
}

/* v times -i. */
EK_INLINE ek_i32 ek_h_minus_i(ek_i32 v)
{
    return ek_h_pair(ek_h_high(v), -ek_h_low(v));
}

EK_INLINE ek_i32 ek_h_load(const int32_t *from)
{
    ek_i32 v;
    memcpy(&v, from, sizeof v);
    return v;
}

EK_INLINE void ek_h_store(int32_t *to, ek_i32 v) { memcpy(to, &v, sizeof v); }

EK_INLINE ek_i32 ek_h_splat(int32_t x) { return x - (ek_i32){0}; }

#endif

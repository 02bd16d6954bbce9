/* Bytes and pixels times weights, in pairs: one multiply-add of 16-bit numbers takes two taps. */
#ifndef EK_X86_TAPS_H
#define EK_X86_TAPS_H

#include <immintrin.h>

#include "../image_plan.h"
#include "../vector.h"

enum { EK_BYTES = 2 * EK_LANES };

#if EK_LANES == 16 && defined(__AVX512BW__)
typedef __m512i ek_sums;
#define EK_OP(name) _mm512_##name
#define EK_ZERO _mm512_setzero_si512()
#define EK_WIDEN(from) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(from)))
#define EK_LOAD(from) _mm512_loadu_si512(from)
#define EK_STORE(to, v) _mm512_storeu_si512(to, v)
#elif EK_LANES == 8 && defined(__AVX2__)
typedef __m256i ek_sums;
#define EK_OP(name) _mm256_##name
#define EK_ZERO _mm256_setzero_si256()
#define EK_WIDEN(from) _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(from)))
#define EK_LOAD(from) _mm256_loadu_si256((const void *)(from))
#define EK_STORE(to, v) _mm256_storeu_si256((void *)(to), v)
#else
#undef EK_BYTES
#define EK_BYTES 8
typedef __m128i ek_sums;
#define EK_OP(name) _mm_##name
#define EK_ZERO _mm_setzero_si128()
#define EK_WIDEN(from)                                                                             \
    _mm_unpacklo_epi8(_mm_loadl_epi64((const void *)(from)), _mm_setzero_si128())
#define EK_LOAD(from) _mm_loadu_si128((const void *)(from))
#define EK_STORE(to, v) _mm_storeu_si128((void *)(to), v)
#endif

/* In every 16 bytes of a register: sums of the lower four of eight bytes, and of the upper four. */
typedef struct {
    ek_sums low;
    ek_sums high;
} ek_byte_sums;

EK_INLINE ek_byte_sums ek_no_byte_sums(void) { return (ek_byte_sums){EK_ZERO, EK_ZERO}; }

EK_INLINE ek_byte_sums ek_load_byte_sums(const int32_t *from)
{
    return (ek_byte_sums){EK_LOAD(from), EK_LOAD(from + EK_BYTES / 2)};
}

EK_INLINE void ek_store_byte_sums(int32_t *to, ek_byte_sums sums)
{
    EK_STORE(to, sums.low);
    EK_STORE(to + EK_BYTES / 2, sums.high);
}

EK_INLINE ek_byte_sums ek_add_bytes(ek_byte_sums sums, const uint8_t *row, const uint8_t *next,
                                    int16_t weight, int16_t other)
{
    const ek_sums a = EK_WIDEN(row), b = EK_WIDEN(next);
    const ek_sums weights = EK_OP(set1_epi32)((int32_t)((uint32_t)(uint16_t)weight |
                                                        (uint32_t)(uint16_t)other << 16));
    const ek_sums low = EK_OP(madd_epi16)(EK_OP(unpacklo_epi16)(a, b), weights);
    const ek_sums high = EK_OP(madd_epi16)(EK_OP(unpackhi_epi16)(a, b), weights);
    return (ek_byte_sums){EK_OP(add_epi32)(sums.low, low), EK_OP(add_epi32)(sums.high, high)};
}

/* Packing puts back in order what unpacking took apart. */
EK_INLINE void ek_put_levels(ek_byte_sums sums, int16_t *out)
{
    const int shift = EK_FILTER_BITS - EK_LEVEL_BITS;
    const ek_sums half = EK_OP(set1_epi32)(1 << (shift - 1));
    const ek_sums low = EK_OP(srai_epi32)(EK_OP(add_epi32)(sums.low, half), shift);
    const ek_sums high = EK_OP(srai_epi32)(EK_OP(add_epi32)(sums.high, half), shift);
    EK_STORE(out, EK_OP(packs_epi32)(low, high));
}

#ifdef __AVX2__
typedef __m256i ek_pixel_sums; /* of two pairs of pixels; in each half red, green, blue, nothing */

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return _mm256_setzero_si256(); }

EK_INLINE ek_pixel_sums ek_add_pixels(ek_pixel_sums sums, const int16_t *pixels, int32_t pixel,
                                      const int16_t *weights)
{
    const __m128i of_3 = _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    const __m128i of_4 = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, -1, -1, -1, -1);
    const __m256i order = _mm256_broadcastsi128_si256(pixel == 3 ? of_3 : of_4);
    const __m128i first = _mm_loadu_si128((const void *)pixels);
    const __m128i second = _mm_loadu_si128((const void *)(pixels + 2 * pixel));
    const __m256i pairs = _mm256_shuffle_epi8(_mm256_set_m128i(second, first), order);
    const __m256i both = _mm256_castsi128_si256(_mm_loadl_epi64((const void *)weights));
    const __m256i each = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    return _mm256_add_epi32(
        sums, _mm256_madd_epi16(pairs, _mm256_permutevar8x32_epi32(both, each)));
}

EK_INLINE void ek_put_pixel_sums(ek_pixel_sums sums, int32_t *out)
{
    const __m128i high = _mm256_extracti128_si256(sums, 1);
    _mm_storeu_si128((void *)out, _mm_add_epi32(_mm256_castsi256_si128(sums), high));
}
#else
typedef __m128i ek_pixel_sums;

EK_INLINE ek_pixel_sums ek_no_pixel_sums(void) { return _mm_setzero_si128(); }

EK_INLINE __m128i ek_pair(const int16_t *pixels, int32_t pixel, const int16_t *weights)
{
    int32_t both;
    memcpy(&both, weights, sizeof both);
    const __m128i first = _mm_loadl_epi64((const void *)pixels);
    const __m128i second = _mm_loadl_epi64((const void *)(pixels + pixel));
    return _mm_madd_epi16(_mm_unpacklo_epi16(first, second), _mm_set1_epi32(both));
}

EK_INLINE ek_pixel_sums ek_add_pixels(ek_pixel_sums sums, const int16_t *pixels, int32_t pixel,
                                      const int16_t *weights)
{
    sums = _mm_add_epi32(sums, ek_pair(pixels, pixel, weights));
    return _mm_add_epi32(sums, ek_pair(pixels + 2 * pixel, pixel, weights + 2));
}

EK_INLINE void ek_put_pixel_sums(ek_pixel_sums sums, int32_t *out)
{
    _mm_storeu_si128((void *)out, sums);
}
#endif

#endif
